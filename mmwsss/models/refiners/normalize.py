from mmwsss.ops.cam import NORM_EPS
from mmwsss.registry import MODELS
from mmwsss.structures import ScoreMaps

from .refiner import RefineContext, Refiner


@MODELS.register_module()
class Normalize(Refiner):
    """Divides each class map by its peak, as class maps are before a constant score of the background fits them.

    Where the map of the background is there already, nothing changes: the scores are compared with each other.

    Args:
        joint (bool): Divide all maps of an image by the one peak of them all, as IRNet does. Defaults to False.
    """

    on_device = True

    def __init__(self, joint: bool = False) -> None:
        self.joint = joint

    def refine(self, maps: ScoreMaps, context: RefineContext) -> ScoreMaps:
        if maps.has_background:
            return maps
        scores = maps.at_image_size
        if not scores.shape[1]:
            return maps
        peaks = scores.amax((1, 2, 3) if self.joint else (2, 3), keepdim=True)
        return maps.at_size(scores / (peaks + NORM_EPS))
