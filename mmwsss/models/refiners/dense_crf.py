from collections.abc import Sequence

import torch

from mmwsss.ops.dense_crf import BILATERAL, GAUSSIAN, NUM_ITERS, dense_crf
from mmwsss.registry import MODELS
from mmwsss.structures import ScoreMaps

from .refiner import RefineContext, Refiner


@MODELS.register_module()
class DenseCRF(Refiner):
    """Refines class scores by a fully connected CRF on the image.

    Args:
        num_iters (int): Mean-field iterations. Defaults to 10.
        gaussian (sequence[float]): Width in pixels and weight of the smoothness kernel. Defaults to (3, 3).
        bilateral (sequence[float]): Widths in pixels and gray levels, and weight of the appearance kernel. Defaults to
            (80, 13, 10).

    Source: Kraehenbuehl & Koltun, NeurIPS 2011.
    """

    needs = ('image',)

    def __init__(
        self,
        num_iters: int = NUM_ITERS,
        gaussian: Sequence[float] = GAUSSIAN,
        bilateral: Sequence[float] = BILATERAL,
    ) -> None:
        self.num_iters = num_iters
        self.gaussian = tuple(gaussian)
        self.bilateral = tuple(bilateral)

    def refine(self, maps: ScoreMaps, context: RefineContext) -> ScoreMaps:
        refined = torch.zeros_like(maps.at_image_size)
        for index, image in enumerate(context.images):
            scores, class_ids = maps.of_image(index)
            if len(scores):
                refined[index, maps.class_ids[index] >= 0] = torch.from_numpy(
                    dense_crf(image, scores, self.num_iters, self.gaussian, self.bilateral)
                ).to(refined)
        return maps.at_size(refined)
