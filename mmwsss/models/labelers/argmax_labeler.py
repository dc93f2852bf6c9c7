import torch

from mmwsss.models.refiners import RefineContext
from mmwsss.ops.confidence import surest_pixels
from mmwsss.ops.maps import IGNORE_INDEX, label_of_scores, unsure_pixels, weight_of_margin
from mmwsss.registry import MODELS
from mmwsss.structures import Labels, ScoreMaps

from .labeler import Labeler


@MODELS.register_module()
class ArgmaxLabeler(Labeler):
    """Gives each pixel the class of its best score.

    Args:
        margin (float): A pixel whose best score exceeds the second by less than this becomes 255, which segmentors
            ignore; the scores of a pixel sum to 1 for this. Defaults to 0: none does.
        sure_share (float, optional): Of the pixels of each class of an image, those outside this share with the
            largest differences become 255, too (:func:`mmwsss.ops.surest_pixels`). Defaults to None: none does.
        full_margin (float, optional): Also gives each pixel a weight: what its best score exceeds the second by, as a
            share of this margin, at most 1. Defaults to None: no weights.

    Raises:
        ValueError: If the margin is not in [0, 1), ``sure_share`` not in (0, 1], or ``full_margin`` not in (0, 1] or
            below the margin.
    """

    def __init__(self, margin: float = 0.0, full_margin: float | None = None, sure_share: float | None = None) -> None:
        if not 0 <= margin < 1:
            raise ValueError(f'margin must be in [0, 1), got {margin}')
        if full_margin is not None and not (0 < full_margin <= 1 and margin <= full_margin):
            raise ValueError(f'full_margin must be in (0, 1], and the margin {margin} at least, got {full_margin}')
        if sure_share is not None and not 0 < sure_share <= 1:
            raise ValueError(f'sure_share must be in (0, 1], got {sure_share}')
        self.margin = margin
        self.sure_share = sure_share
        self.full_margin = full_margin

    def label(self, maps: ScoreMaps, context: RefineContext) -> Labels:
        scores = maps.at_image_size
        labels = best = label_of_scores(scores, maps.class_ids)
        if self.margin > 0:
            labels = torch.where(unsure_pixels(scores, self.margin), IGNORE_INDEX, best).to(best.dtype)
        if self.sure_share is not None:
            sure = [surest_pixels(maps.of_image(index)[0], self.sure_share) for index in range(len(scores))]
            labels = labels.masked_fill(~torch.stack(sure), IGNORE_INDEX)
        weights = None if self.full_margin is None else weight_of_margin(scores, self.full_margin).float()
        return Labels(labels, best, weights)
