import torch.nn.functional as F

from mmwsss.ops.cosine_affinity import POWER, spread_by_cosine
from mmwsss.registry import MODELS
from mmwsss.structures import ScoreMaps

from .refiner import RefineContext, Refiner


@MODELS.register_module()
class CosineAffinity(Refiner):
    """Spreads class maps among the cells of similar features, without an affinity model.

    The maps are averaged over the cells of the features. Their peaks become lower; :class:`Normalize` behind it, or
    behind :class:`PAR`, lifts them to 1 again.

    Args:
        power (float): Exponent of the cosine, at least 1: the larger, the fewer cells are alike. Defaults to 3.
        num_steps (int): How often scores spread. Defaults to 1.
        radius (int, optional): Cells closer than this many are compared, for grids with more than 10,000 cells.
            Defaults to None: all of them.
        own_share (float): Share of its score that a cell keeps, for maps that are sharp already. Defaults to 0.

    Raises:
        ValueError: If an argument is out of its range; in :meth:`refine`, if there are too many cells.

    Source: Wang et al., CVPR 2020 (SEAM), whose pixel correlation module has power 1 and learns the features.
    """

    needs = ('features',)
    on_device = True

    def __init__(
        self, power: float = POWER, num_steps: int = 1, radius: int | None = None, own_share: float = 0.0
    ) -> None:
        if not power >= 1:
            raise ValueError(f'power of CosineAffinity must be at least 1, got {power!r}')
        if num_steps < 0:
            raise ValueError(f'num_steps of CosineAffinity must be at least 0, got {num_steps!r}')
        if radius is not None and radius < 2:
            raise ValueError(f'radius of CosineAffinity must be at least 2, got {radius!r}')
        if not 0 <= own_share < 1:
            raise ValueError(f'own_share of CosineAffinity must be in [0, 1), got {own_share!r}')
        self.power = power
        self.num_steps = num_steps
        self.radius = radius
        self.own_share = own_share

    def refine(self, maps: ScoreMaps, context: RefineContext) -> ScoreMaps:
        features = context.features
        assert features is not None
        scores = maps.at_image_size.to(features.device)
        grid = features.shape[2], features.shape[3]
        if not scores.shape[1]:
            return maps.at_size(scores.new_zeros(*scores.shape[:2], *grid))
        cells = F.adaptive_avg_pool2d(scores, grid)
        spread = spread_by_cosine(cells, features.float(), self.power, self.num_steps, self.radius, self.own_share)
        return maps.at_size(spread)
