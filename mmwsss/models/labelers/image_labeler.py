from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmwsss.models.refiners import RefineContext
from mmwsss.structures import Labels, ScoreMaps

from .labeler import Labeler


class ImageLabeler(Labeler):
    """A labeler that makes backgrounds of its own, and looks at one image after the other.

    A method writes :meth:`label_image`.

    Args:
        **settings: Arguments of the function that labels an image.
    """

    needs = ('image',)

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    @abstractmethod
    def label_image(
        self, image: np.ndarray, scores: Tensor, class_ids: Sequence[int], with_background: bool
    ) -> np.ndarray:
        """Labels uint8 (H, W) of an image (H, W, 3) and its class maps (K, H, W), 255 where no class is sure."""

    def label(self, maps: ScoreMaps, context: RefineContext) -> Labels:
        if maps.has_background:
            raise ValueError(f'{type(self).__name__} makes backgrounds of its own: expected class maps without one')
        made = []
        for index, image in enumerate(context.images):
            scores, class_ids = maps.of_image(index)
            label_map = self.label_image(image, scores, class_ids.tolist(), maps.with_background)
            made.append(torch.from_numpy(label_map))
        labels = torch.stack(made)
        return Labels(labels, labels)
