from collections.abc import Sequence

import numpy as np
from torch import Tensor

from mmwsss.ops.cam import BACKGROUND_THRESHOLD, FOREGROUND_THRESHOLD, LABEL_BILATERAL, threshold_label_map
from mmwsss.ops.dense_crf import GAUSSIAN, NUM_ITERS
from mmwsss.registry import MODELS

from .image_labeler import ImageLabeler


@MODELS.register_module()
class ThresholdLabeler(ImageLabeler):
    """Keeps of class maps what two constant scores of the background agree on, after dense CRFs of the labels.

    Args:
        foreground (float): The high score; what stays foreground is confident. Defaults to 0.3.
        background (float): The low score; what stays background is confident. Defaults to 0.05.
        num_iters (int): Mean-field iterations. Defaults to 10.
        gaussian (sequence[float]): As in :class:`DenseCRF`.
        bilateral (sequence[float]): As in :class:`DenseCRF`. Defaults to (50, 5, 10).

    Raises:
        ValueError: If a score is out of its range; in :meth:`label`, if the maps have a background already.

    Source: Ahn, Cho & Kwak, CVPR 2019 (IRNet), section 5.1, and its released code.
    """

    def __init__(
        self,
        foreground: float = FOREGROUND_THRESHOLD,
        background: float = BACKGROUND_THRESHOLD,
        num_iters: int = NUM_ITERS,
        gaussian: Sequence[float] = GAUSSIAN,
        bilateral: Sequence[float] = LABEL_BILATERAL,
    ) -> None:
        if not 0 <= background <= foreground <= 1:
            raise ValueError(
                'ThresholdLabeler expects 0 <= background <= foreground <= 1, got '
                f'background={background!r} and foreground={foreground!r}'
            )
        super().__init__(
            foreground=foreground,
            background=background,
            num_iters=num_iters,
            gaussian=tuple(gaussian),
            bilateral=tuple(bilateral),
        )

    def label_image(
        self, image: np.ndarray, scores: Tensor, class_ids: Sequence[int], with_background: bool
    ) -> np.ndarray:
        return threshold_label_map(image, scores, class_ids, with_background=with_background, **self.settings)
