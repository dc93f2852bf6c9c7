import torch

from mmwsss.models.refiners import RefineContext
from mmwsss.ops.confidence import label_of_peaks
from mmwsss.ops.maps import IGNORE_INDEX, label_of_scores
from mmwsss.registry import MODELS
from mmwsss.structures import Labels, ScoreMaps

from .labeler import Labeler


@MODELS.register_module()
class PeakLabeler(Labeler):
    """Labels pixels whose score is near the peak of exactly one map; the others become 255.

    Args:
        least (float): What a score has to exceed anyway, in [0, 1]. Defaults to 0.2.
        share (float): Share of the peak of a map that a score has to exceed, in [0, 1]. Defaults to 0.6.
        background_share (float): The same for the background. Defaults to 0.7.

    Raises:
        ValueError: If an argument is out of its range.

    Source: Araslanov & Roth, CVPR 2020 (1-stage), for the probabilities of a segmentor.
    """

    def __init__(self, least: float = 0.2, share: float = 0.6, background_share: float = 0.7) -> None:
        for name, value in dict(least=least, share=share, background_share=background_share).items():
            if not 0 <= value <= 1:
                raise ValueError(f'{name} of PeakLabeler must be in [0, 1], got {value}')
        self.least = least
        self.share = share
        self.background_share = background_share

    def label(self, maps: ScoreMaps, context: RefineContext) -> Labels:
        # Without a background in front, class 0 is a class as others are.
        front = self.background_share if maps.has_background else self.share
        labels = torch.stack(
            [label_of_peaks(*maps.of_image(index), self.least, self.share, front) for index in range(len(maps.maps))]
        )
        best = label_of_scores(maps.at_image_size, maps.class_ids)
        return Labels(labels, torch.where(labels == IGNORE_INDEX, best, labels))
