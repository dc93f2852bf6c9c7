import torch

from mmwsss.models.refiners import RefineContext
from mmwsss.ops.maps import IGNORE_INDEX, label_of_scores, unsure_pixels
from mmwsss.registry import MODELS
from mmwsss.structures import Labels, ScoreMaps

from .labeler import Labeler


@MODELS.register_module()
class ArgmaxLabeler(Labeler):
    """Gives each pixel the class of its best score.

    Args:
        margin (float): A pixel whose best score exceeds the second by less than this becomes 255, which segmentors
            ignore; the scores of a pixel sum to 1 for this. Defaults to 0: none does.

    Raises:
        ValueError: If the margin is not in [0, 1).
    """

    def __init__(self, margin: float = 0.0) -> None:
        if not 0 <= margin < 1:
            raise ValueError(f'margin must be in [0, 1), got {margin}')
        self.margin = margin

    def label(self, maps: ScoreMaps, context: RefineContext) -> Labels:
        scores = maps.at_image_size
        best = label_of_scores(scores, maps.class_ids)
        if self.margin == 0:
            return Labels(best, best)
        return Labels(torch.where(unsure_pixels(scores, self.margin), IGNORE_INDEX, best).to(best.dtype), best)
