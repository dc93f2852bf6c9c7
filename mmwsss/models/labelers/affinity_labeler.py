from collections.abc import Sequence

import numpy as np
from torch import Tensor

from mmwsss.ops.cam import ALPHA_HIGH, ALPHA_LOW, affinity_label_map
from mmwsss.ops.dense_crf import BILATERAL, GAUSSIAN, NUM_ITERS
from mmwsss.registry import MODELS

from .image_labeler import ImageLabeler


@MODELS.register_module()
class AffinityLabeler(ImageLabeler):
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

    def __init__(
        self,
        alpha_low: float = ALPHA_LOW,
        alpha_high: float = ALPHA_HIGH,
        num_iters: int = NUM_ITERS,
        gaussian: Sequence[float] = GAUSSIAN,
        bilateral: Sequence[float] = BILATERAL,
    ) -> None:
        super().__init__(
            alpha_low=alpha_low,
            alpha_high=alpha_high,
            num_iters=num_iters,
            gaussian=tuple(gaussian),
            bilateral=tuple(bilateral),
        )

    def label_image(
        self, image: np.ndarray, scores: Tensor, class_ids: Sequence[int], with_background: bool
    ) -> np.ndarray:
        return affinity_label_map(image, scores, class_ids, with_background=with_background, **self.settings)
