from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmwsss.models.refiners import RefineContext
from mmwsss.ops.confidence import weight_of_votes
from mmwsss.ops.dense_crf import BILATERAL, GAUSSIAN, NUM_ITERS, dense_crf
from mmwsss.ops.maps import label_of_scores
from mmwsss.registry import MODELS
from mmwsss.structures import Labels, ScoreMaps

from .labeler import Labeler

POWERS = (0.15, 0.2, 0.25, 4.0, 5.0, 6.0)


@MODELS.register_module()
class VoteLabeler(Labeler):
    """Gives each pixel the class of its best score, and a low weight where dense CRFs on changed scores disagree.

    The score of each class that is somewhere the best one is raised to several powers, which makes the class more or
    less likely, and a dense CRF follows each time: six for each class.

    Args:
        powers (sequence[float]): Positive. Defaults to (0.15, 0.2, 0.25, 4, 5, 6).
        threshold (float, optional): Weights up to this one become ``low_weight``, and others 1, as published. None
            leaves them as they are. Defaults to 0.05.
        low_weight (float): In [0, 1]. Defaults to 0.05.
        num_iters (int): Mean-field iterations. Defaults to 10.
        gaussian (sequence[float]): As in :class:`DenseCRF`.
        bilateral (sequence[float]): As in :class:`DenseCRF`.

    Raises:
        ValueError: If an argument is out of its range.

    Source: Li et al., AAAI 2022 (URN), for the probabilities of a segmentor.
    """

    needs = ('image',)

    def __init__(
        self,
        powers: Sequence[float] = POWERS,
        threshold: float | None = 0.05,
        low_weight: float = 0.05,
        num_iters: int = NUM_ITERS,
        gaussian: Sequence[float] = GAUSSIAN,
        bilateral: Sequence[float] = BILATERAL,
    ) -> None:
        if not powers or min(powers) <= 0:
            raise ValueError(f'powers of VoteLabeler must be positive numbers, at least one, got {powers}')
        for name, value in dict(threshold=threshold, low_weight=low_weight).items():
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f'{name} of VoteLabeler must be in [0, 1], got {value}')
        self.powers = tuple(powers)
        self.threshold = threshold
        self.low_weight = low_weight
        self.crf: dict[str, Any] = dict(num_iters=num_iters, gaussian=tuple(gaussian), bilateral=tuple(bilateral))

    def label(self, maps: ScoreMaps, context: RefineContext) -> Labels:
        best = label_of_scores(maps.at_image_size, maps.class_ids)
        weights = [
            weight_of_votes(self._votes(image, maps.of_image(index)[0])) for index, image in enumerate(context.images)
        ]
        stacked = torch.stack(weights).to(best.device, torch.float32)
        if self.threshold is not None:
            stacked = torch.where(stacked <= self.threshold, self.low_weight, 1.0)
        return Labels(best, best, stacked)

    def _votes(self, image: np.ndarray, scores: Tensor) -> Tensor:
        """Whether each CRF found each class, bool (C, N, H, W), of maps (K, H, W) of one image."""
        found = []
        # A CRF of a single class has nothing to decide.
        for index in scores.argmax(0).unique().tolist() if len(scores) > 1 else ():
            for power in self.powers:
                changed = scores.clone()
                changed[index] = changed[index] ** power
                refined = dense_crf(image, changed, **self.crf)
                found.append(torch.from_numpy(refined.argmax(0) == index))
        shape = (-1, len(self.powers), *image.shape[:2])
        return torch.stack(found).view(shape) if found else torch.zeros(0, *shape[1:], dtype=torch.bool)
