from collections.abc import Sequence

import numpy as np
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.ops import dense_crf


@MODELS.register_module()
class DenseCRF:
    """Refines class scores by a fully connected CRF on the photograph.

    Args:
        num_iters (int): Mean-field iterations. Defaults to 10.
        gaussian (sequence[float]): Width in pixels and weight of the smoothness kernel. Defaults to (3, 3).
        bilateral (sequence[float]): Widths in pixels and grey levels, and weight of the appearance kernel. Defaults to
            (80, 13, 10).

    Source: Kraehenbuehl & Koltun, NeurIPS 2011.
    """

    def __init__(
        self,
        num_iters: int = 10,
        gaussian: Sequence[float] = (3, 3),
        bilateral: Sequence[float] = (80, 13, 10),
    ) -> None:
        self.num_iters = num_iters
        self.gaussian = tuple(gaussian)
        self.bilateral = tuple(bilateral)

    def __call__(self, image: np.ndarray, scores: np.ndarray | Tensor) -> np.ndarray:
        """Refine.

        Args:
            image (ndarray): uint8 (H, W, 3), RGB.
            scores (ndarray | Tensor): (C, H, W), clipped to [1e-5, 1]; those on a GPU are refined there.

        Returns:
            ndarray: Probabilities (C, H, W).
        """
        return dense_crf(image, scores, self.num_iters, self.gaussian, self.bilateral)
