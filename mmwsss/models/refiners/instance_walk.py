from dataclasses import replace

from torch.nn.utils.rnn import pad_sequence

from mmwsss.ops import displacement_centroids, displacement_clusters, split_by_cluster
from mmwsss.ops.instances import CENTER_LENGTH, NUM_SHIFTS
from mmwsss.registry import MODELS
from mmwsss.structures import BoundaryAffinity, ScoreMaps
from mmwsss.structures.score_maps import NO_CLASS

from .random_walk import RandomWalk
from .refiner import RefineContext


@MODELS.register_module()
class InstanceWalk(RandomWalk):
    """Spreads what class maps hold of each object alone, by the displacements to centers that :class:`IRNet` gives.

    The cells of a class that point to one center, and those that point to none, become a map of their own, so that a
    class has as many maps as there are centers with any score of it; then all maps walk. :class:`InstanceLabeler` makes
    objects of them.

    Args:
        beta (float): As of :class:`RandomWalk`. Defaults to 10.
        num_steps (int): As of :class:`RandomWalk`. Defaults to 256.
        center_length (float): A displacement shorter than this many cells is that of a center. Defaults to 2.5.
        num_shifts (int): How often a cell follows the displacements. Defaults to 300.
        method (str): As of :class:`RandomWalk`. Defaults to ``'auto'``.

    Raises:
        ValueError: In :meth:`refine`, if the maps have a background already.

    Source: Ahn, Cho & Kwak, CVPR 2019, section 5.2.
    """

    needs = ('affinity', 'displacement')

    def __init__(
        self,
        beta: float = 10.0,
        num_steps: int = 256,
        center_length: float = CENTER_LENGTH,
        num_shifts: int = NUM_SHIFTS,
        method: str = 'auto',
    ) -> None:
        super().__init__(beta, num_steps, None, method)
        self.center_length = center_length
        self.num_shifts = num_shifts

    def refine(self, maps: ScoreMaps, context: RefineContext) -> ScoreMaps:
        if maps.has_background:
            raise ValueError('InstanceWalk tells objects apart, which a background has none of: expected no background')
        affinity = context.affinity
        assert isinstance(affinity, BoundaryAffinity) and affinity.displacement is not None
        fitted, cells = self.bring_to_cells(maps, affinity)
        centroids = displacement_centroids(affinity.displacement, self.num_shifts)
        clusters = displacement_clusters(affinity.displacement, centroids, self.center_length).to(cells.device)
        parts, class_ids = [], []
        for one, numbers, ids in zip(cells, clusters, maps.class_ids.to(cells.device), strict=True):
            split = split_by_cluster(one, numbers)
            kept = split.flatten(1).any(1)
            parts.append(split[kept])
            class_ids.append(ids.repeat_interleave(len(split) // max(len(ids), 1))[kept])
        fitted = replace(
            fitted,
            class_ids=pad_sequence(class_ids, batch_first=True, padding_value=NO_CLASS),
            covered_size=affinity.covered_size,
            stride=affinity.stride,
        )
        walked = affinity.propagate(pad_sequence(parts, batch_first=True), self.num_steps, self.beta, self.method)
        return replace(fitted, maps=walked)
