from mmwsss.ops.cam import NORM_EPS
from mmwsss.registry import MODELS
from mmwsss.structures import ScoreMaps

from .refiner import RefineContext, Refiner


@MODELS.register_module()
class Normalize(Refiner):
    """Divides each class map by its peak, as class maps are before a constant score of the background fits them.

    Where the map of the background is there already, nothing changes: the scores are compared with each other.
    """

    on_device = True

    def refine(self, maps: ScoreMaps, context: RefineContext) -> ScoreMaps:
        if maps.has_background:
            return maps
        scores = maps.at_image_size
        if not scores.shape[1]:
            return maps
        return maps.at_size(scores / (scores.amax((2, 3), keepdim=True) + NORM_EPS))
