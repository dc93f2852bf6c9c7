from collections.abc import Sequence
from typing import Any

import torch

from mmwsss.models.refiners import RefineContext
from mmwsss.ops.cam import ALPHA_HIGH, ALPHA_LOW, affinity_label_map
from mmwsss.ops.dense_crf import BILATERAL, GAUSSIAN, NUM_ITERS
from mmwsss.registry import MODELS
from mmwsss.structures import Labels, ScoreMaps

from .labeler import Labeler


@MODELS.register_module()
class AffinityLabeler(Labeler):
    """Keeps of class maps what two CRFs, with a strong and a weak background, agree on.

    Args:
        alpha_low (float): Exponent of the strong background; what stays foreground is confident. Defaults to 4.
        alpha_high (float): Exponent of the weak background; what stays background is confident. Defaults to 32.
        num_iters (int): Mean-field iterations. Defaults to 10.
        gaussian (sequence[float]): As in :class:`DenseCRF`.
        bilateral (sequence[float]): As in :class:`DenseCRF`.

    Raises:
        ValueError: In :meth:`label`, if the maps have a background already.

    Source: Ahn & Kwak, CVPR 2018, section 3.1.
    """

    needs = ('image',)

    def __init__(
        self,
        alpha_low: float = ALPHA_LOW,
        alpha_high: float = ALPHA_HIGH,
        num_iters: int = NUM_ITERS,
        gaussian: Sequence[float] = GAUSSIAN,
        bilateral: Sequence[float] = BILATERAL,
    ) -> None:
        self.settings: dict[str, Any] = dict(
            alpha_low=alpha_low,
            alpha_high=alpha_high,
            num_iters=num_iters,
            gaussian=tuple(gaussian),
            bilateral=tuple(bilateral),
        )

    def label(self, maps: ScoreMaps, context: RefineContext) -> Labels:
        if maps.has_background:
            raise ValueError('AffinityLabeler makes backgrounds of its own: expected class maps without one')
        made = []
        for index, image in enumerate(context.images):
            scores, class_ids = maps.of_image(index)
            label_map = affinity_label_map(
                image, scores, class_ids.tolist(), with_background=maps.with_background, **self.settings
            )
            made.append(torch.from_numpy(label_map))
        labels = torch.stack(made)
        return Labels(labels, labels)
