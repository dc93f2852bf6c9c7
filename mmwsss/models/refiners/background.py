from mmwsss.ops.maps import add_background
from mmwsss.registry import MODELS
from mmwsss.structures import ScoreMaps

from .refiner import RefineContext, Refiner


@MODELS.register_module()
class Background(Refiner):
    """Puts the background in front of class maps that have none; exactly one of the arguments says how it scores.

    Where the data set has no background, or its map is there already, nothing changes.

    Args:
        score (float, optional): A constant score in [0, 1].
        alpha (float, optional): Exponent of ``(1 - max_k maps_k)^alpha``, of maps at the size of the images.

    Raises:
        ValueError: If not exactly one is given.

    Source: Ahn & Kwak, CVPR 2018, eq. 2.
    """

    on_device = True

    def __init__(self, score: float | None = None, alpha: float | None = None) -> None:
        if (score is None) == (alpha is None):
            raise ValueError(f'Background takes exactly one of score and alpha, got {score!r} and {alpha!r}')
        self.score = score
        self.alpha = alpha

    def refine(self, maps: ScoreMaps, context: RefineContext) -> ScoreMaps:
        if maps.has_background or not maps.with_background:
            return maps
        if self.alpha is not None:
            # A power of the maps comes after they are resized: it is not linear.
            maps = maps.at_size(maps.at_image_size)
        return maps.with_front(add_background(maps.maps, self.alpha, self.score))
