from collections.abc import Sequence
from typing import Any

import numpy as np
from mmseg.registry import MODELS

from mmwsss.ops import affinity_label_map


@MODELS.register_module()
class AffinityLabelGenerator:
    """Keeps of the activation maps what two CRFs, with a strong and a weak background, agree on.

    Args:
        alpha_low (float): Exponent of the strong background; what stays foreground is confident. Defaults to 4.
        alpha_high (float): Exponent of the weak background; what stays background is confident. Defaults to 32.
        with_background (bool): Whether class 0 is the background. Defaults to True.
        num_iters (int): Mean-field iterations. Defaults to 10.
        gaussian (sequence[float]): As in :class:`DenseCRF`.
        bilateral (sequence[float]): As in :class:`DenseCRF`.

    Source: Ahn & Kwak, CVPR 2018, section 3.1.
    """

    def __init__(
        self,
        alpha_low: float = 4,
        alpha_high: float = 32,
        with_background: bool = True,
        num_iters: int = 10,
        gaussian: Sequence[float] = (3, 3),
        bilateral: Sequence[float] = (80, 13, 10),
    ) -> None:
        self.settings: dict[str, Any] = dict(
            alpha_low=alpha_low,
            alpha_high=alpha_high,
            with_background=with_background,
            num_iters=num_iters,
            gaussian=tuple(gaussian),
            bilateral=tuple(bilateral),
        )

    def __call__(self, image: np.ndarray, cams: np.ndarray, class_ids: np.ndarray) -> np.ndarray:
        """Make the label map of one photograph.

        Args:
            image (ndarray): uint8 (H, W, 3), RGB.
            cams (ndarray): (K, H, W) in [0, 1].
            class_ids (ndarray): Class index of each map.

        Returns:
            ndarray: uint8 (H, W): 0 confident background, a class index where confident, 255 elsewhere.
        """
        return affinity_label_map(image, cams, [int(index) for index in class_ids], **self.settings)
