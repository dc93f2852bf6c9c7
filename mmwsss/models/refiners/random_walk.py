from dataclasses import replace

from torch import Tensor

from mmwsss.ops.maps import add_background, pool_to_cells
from mmwsss.registry import MODELS
from mmwsss.structures import ScoreMaps, StencilAffinity

from .refiner import RefineContext, Refiner


@MODELS.register_module()
class RandomWalk(Refiner):
    """Spreads class maps over an affinity field.

    The maps are brought to the pixels that the field covers, get a background where the data set has one and they have
    none, and are averaged over the cells.

    Args:
        beta (float): Exponent of the affinities. Defaults to 8.
        num_steps (int): Steps of the walk. Defaults to 256.
        alpha (float, optional): Exponent of the background score; None adds no background before the walk, as in IRN.
            Defaults to 16.
        method (str): How :func:`mmwsss.ops.random_walk` computes it. Defaults to ``'auto'``.

    Source: Ahn & Kwak, CVPR 2018, section 3.4.
    """

    needs: tuple[str, ...] = ('affinity',)
    on_device = True

    def __init__(
        self, beta: float = 8.0, num_steps: int = 256, alpha: float | None = 16.0, method: str = 'auto'
    ) -> None:
        self.beta = beta
        self.num_steps = num_steps
        self.alpha = alpha
        self.method = method

    def refine(self, maps: ScoreMaps, context: RefineContext) -> ScoreMaps:
        affinity = context.affinity
        assert affinity is not None
        fitted, cells = self.bring_to_cells(maps, affinity)
        walked = affinity.propagate(cells, self.num_steps, self.beta, self.method)
        return replace(fitted, maps=walked, covered_size=affinity.covered_size, stride=affinity.stride)

    def bring_to_cells(self, maps: ScoreMaps, affinity: StencilAffinity) -> tuple[ScoreMaps, Tensor]:
        """The maps at the pixels that a field covers, and their means (B, K, h, w) over its cells."""
        maps = replace(maps, maps=maps.maps.to(affinity.field.device))
        fitted = replace(maps, maps=maps.resized(affinity.covered_size))
        if self.alpha is not None and maps.with_background and not maps.has_background:
            fitted = fitted.with_front(add_background(fitted.maps, self.alpha))
        return fitted, pool_to_cells(fitted.maps, affinity.grid, affinity.stride)
