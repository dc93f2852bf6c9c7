from collections.abc import Sequence

from mmwsss.ops.maps import resize_maps
from mmwsss.ops.par import DILATIONS, NUM_ITERS, pamr, par
from mmwsss.registry import MODELS
from mmwsss.structures import ScoreMaps

from .refiner import RefineContext, Refiner


@MODELS.register_module()
class PAR(Refiner):
    """Pixel-adaptive refinement: scores spread among near pixels of similar color, without anything that is learned.

    Args:
        dilations (sequence[int]): Distances in pixels of the neighbors in eight directions. Defaults to
            (1, 2, 4, 8, 12, 24).
        num_iters (int): How often scores spread. Defaults to 10, as on PASCAL VOC; on COCO it is 15.
        scale (float): Size at which it works, relative to the image, in (0, 1]. Defaults to 0.5, as published.

    Raises:
        ValueError: If ``scale`` is out of its range.

    Source: Ru, Zhan, Yu & Du, CVPR 2022 (AFA).
    """

    needs = ('image',)
    on_device = True
    spread = staticmethod(par)

    def __init__(self, dilations: Sequence[int] = DILATIONS, num_iters: int = NUM_ITERS, scale: float = 0.5) -> None:
        if not 0 < scale <= 1:
            raise ValueError(f'scale of PAR must be in (0, 1], got {scale}')
        self.dilations = tuple(dilations)
        self.num_iters = num_iters
        self.scale = scale

    def refine(self, maps: ScoreMaps, context: RefineContext) -> ScoreMaps:
        height, width = (max(1, round(side * self.scale)) for side in maps.image_size)
        images = resize_maps(context.image_tensor(maps.maps.device), (height, width))
        return maps.at_size(self.spread(maps.at_image_size, images, self.dilations, self.num_iters))


@MODELS.register_module()
class PAMR(PAR):
    """Pixel-adaptive mask refinement: as :class:`PAR`, with weights of the colors alone, at the size of the image.

    Args:
        dilations (sequence[int]): As of :class:`PAR`.
        num_iters (int): As of :class:`PAR`.
        scale (float): As of :class:`PAR`. Defaults to 1.

    Source: Araslanov & Roth, CVPR 2020.
    """

    spread = staticmethod(pamr)

    def __init__(self, dilations: Sequence[int] = DILATIONS, num_iters: int = NUM_ITERS, scale: float = 1.0) -> None:
        super().__init__(dilations, num_iters, scale)
