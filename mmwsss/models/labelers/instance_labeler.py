import torch

from mmwsss.models.refiners import RefineContext
from mmwsss.ops import best_channel, connected_parts
from mmwsss.ops.instances import BACKGROUND_SCORE, SMALLEST_SHARE
from mmwsss.ops.maps import IGNORE_INDEX
from mmwsss.registry import MODELS
from mmwsss.structures import InstanceLabels, Instances, ScoreMaps

from .labeler import Labeler


@MODELS.register_module()
class InstanceLabeler(Labeler):
    """Makes objects of maps, of which a class may have several, such as those of :class:`InstanceWalk`.

    All maps are divided by the one peak of the image, and each pixel goes to the best of them and of a constant
    background. Each 4-connected part of the pixels of a map is an object, and its score is the highest value of the map
    in it. Where the data set has no background, no score of one is compared.

    Args:
        background_score (float): Score of the background in [0, 1]. Defaults to 0.25.
        smallest_share (float): Objects of a smaller share of the image have the score 0. Defaults to 0.01.

    Raises:
        ValueError: If an argument is out of its range; in :meth:`label`, if the maps have a background already.

    Source: Ahn, Cho & Kwak, CVPR 2019, section 5.2, and its released code.
    """

    def __init__(self, background_score: float = BACKGROUND_SCORE, smallest_share: float = SMALLEST_SHARE) -> None:
        for name, value in (('background_score', background_score), ('smallest_share', smallest_share)):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} of InstanceLabeler must be in [0, 1], got {value!r}')
        self.background_score = background_score
        self.smallest_share = smallest_share

    def label(self, maps: ScoreMaps, context: RefineContext) -> InstanceLabels:
        if maps.has_background:
            raise ValueError('InstanceLabeler makes a background of its own: expected class maps without one')
        nothing = maps.class_ids.new_tensor([0 if maps.with_background else IGNORE_INDEX])
        labels, instances = [], []
        for index in range(len(maps.maps)):
            scores, class_ids = maps.of_image(index)
            scaled, best = best_channel(scores, self.background_score if maps.with_background else None)
            masks, numbers, values = connected_parts(scaled, best, self.smallest_share)
            instances.append(Instances(masks, class_ids[numbers], values))
            labels.append(torch.cat([nothing, class_ids])[best].to(torch.uint8))
        stacked = torch.stack(labels)
        return InstanceLabels(stacked, stacked, instances=tuple(instances))
