"""Gaussian filtering of scattered points on the permutohedral lattice (Adams, Baek & Davis, Eurographics
2010).

The lattice is the integer grid of dimension d + 1, projected along (1, ..., 1). Each point lies in a simplex
of d + 1 lattice vertices. Filtering spreads the points' values to those vertices by barycentric weights,
blurs along each of the d + 1 lattice directions with the kernel (1/2, 1, 1/2), and reads the vertices back
with the same weights.
"""

import math
from functools import cache
from importlib import import_module
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor


@cache
def _numba() -> ModuleType | None:
    """The functions that numba compiles, where numba is installed."""
    try:
        return import_module('.lattice_numba', __package__)
    except ImportError:
        return None


class PermutohedralLattice:
    """The lattice vertices around a set of points, and their weights; reused for every filtering of these
    points.

    Args:
        features (Tensor): Floating-point (N, d), positions in units of the standard deviation of the kernel.

    Examples:
        >>> points = torch.tensor([[0.0], [0.1], [9.0]])
        >>> sums = PermutohedralLattice(points).filter(torch.ones(3, 1))[:, 0]
        >>> bool(sums[0] > 1.2 * sums[2])  # a point with another near it, and one alone
        True
    """

    def __init__(self, features: Tensor):
        if features.dim() != 2 or 0 in features.shape or not features.is_floating_point():
            raise ValueError(f'features must be a floating-point tensor (N, d), got {tuple(features.shape)}')
        self.dim = features.shape[1]
        elevated = self._elevate(features)
        origin, rank = self._simplex(elevated)
        self.weights = self._barycentric((elevated - origin) / (self.dim + 1), rank)
        self.vertices, self.neighbors = self._index(origin.long(), rank)

    def _elevate(self, features: Tensor) -> Tensor:
        """Positions (N, d + 1) on the plane of coordinate sum 0, scaled so that the blur has unit
        deviation."""
        steps = torch.arange(1, self.dim + 1, dtype=features.dtype, device=features.device)
        scale = math.sqrt(2 / 3) * (self.dim + 1) / torch.sqrt(steps * (steps + 1))
        scaled = features * scale
        after = scaled.flip(1).cumsum(1).flip(1)
        later = torch.cat([after[:, 1:], torch.zeros_like(after[:, :1])], 1)
        return torch.cat([after[:, :1], later - steps * scaled], 1)

    def _simplex(self, elevated: Tensor) -> tuple[Tensor, Tensor]:
        """The simplex's vertex of remainder 0 (N, d + 1) and the rank of each coordinate's distance to it."""
        size = self.dim + 1
        origin = torch.ceil(elevated / size - 0.5) * size
        excess = (origin.sum(1, keepdim=True) / size).round().long()
        distance = elevated - origin
        rank = torch.zeros_like(distance, dtype=torch.long)
        for i in range(size):
            for j in range(i + 1, size):
                less = distance[:, i] < distance[:, j]
                rank[:, i] += less
                rank[:, j] += ~less
        rank += excess
        wrap = (rank < 0).long() - (rank > self.dim).long()
        return origin + wrap * size, rank + wrap * size

    def _barycentric(self, distance: Tensor, rank: Tensor) -> Tensor:
        """Weights (N, d + 1) of the vertices of remainder 0 to d."""
        ordered = torch.empty_like(distance).scatter_(1, rank, distance).flip(1)
        first = 1 + ordered[:, :1] - ordered[:, -1:]
        return torch.cat([first, ordered[:, 1:] - ordered[:, :-1]], 1)

    def _index(self, origin: Tensor, rank: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of the points' vertices (N, d + 1), and of the vertices' neighbors (d + 1, 2, M); M is no
        vertex.

        The last coordinate follows from the others and is left out. The others are packed to one integer.
        """
        size = self.dim + 1
        # Of vertex r + 1, all coordinates are 1 more than of vertex r, and that of rank d - r is d less.
        low, high = origin.amin(0) - size - self.dim, origin.amax(0) + size + self.dim
        radices = (high - low + 1)[: self.dim].tolist()
        if math.prod(radices) >= 2**63:
            raise ValueError('features span too large a lattice: the standard deviations are too small')
        places = torch.tensor([math.prod(radices[i + 1 :]) for i in range(self.dim)], device=rank.device)
        coordinates = torch.arange(size, device=rank.device).expand_as(rank)
        ranked = torch.empty_like(rank).scatter_(1, rank, coordinates)[:, 1:].flip(1)
        change = (places.sum() - size * F.pad(places, (0, 1)))[ranked].cumsum(1)
        first = ((origin - low)[:, : self.dim] * places).sum(1, keepdim=True)
        packed = torch.cat([first, first + change], 1)
        steps = torch.full((size, self.dim), -1, device=rank.device)
        steps[: self.dim].diagonal().fill_(self.dim)
        steps = (steps * places).sum(1)
        compiled = self._compiled(rank)
        if compiled is not None:
            return compiled.index_vertices(packed, steps)
        vertices, rows = torch.unique(packed, return_inverse=True)
        wanted = vertices + torch.stack([steps, -steps], 1)[..., None]
        found = torch.searchsorted(vertices, wanted).clamp_(max=len(vertices) - 1)
        return rows, torch.where(vertices[found] == wanted, found, len(vertices))

    @staticmethod
    def _compiled(values: Tensor) -> ModuleType | None:
        """What numba compiles, for values on a CPU, where numba is installed."""
        return _numba() if values.device.type == 'cpu' else None

    def filter(self, values: Tensor) -> Tensor:
        """Sums the values of all points under the Gaussian ``exp(-|f_i - f_j|^2 / 2)``, that of itself
        included.

        On a CPU, numba does this where it is installed, with the same sums in another order.

        Args:
            values (Tensor): (N, K), dtype of the features.

        Returns:
            Tensor: (N, K).
        """
        compiled = self._compiled(values)
        if compiled is not None:
            return compiled.filter_values(values, self.vertices, self.weights, self.neighbors, 1 / (1 + 2.0**-self.dim))
        count = self.neighbors.shape[2]
        lattice = values.new_zeros(count + 1, values.shape[1])
        for corner in range(self.dim + 1):
            lattice.index_add_(0, self.vertices[:, corner], values * self.weights[:, corner, None])
        for before, after in self.neighbors:
            lattice[:count] += (lattice[before] + lattice[after]) / 2
        gathered = torch.zeros_like(values)
        for corner in range(self.dim + 1):
            gathered.addcmul_(lattice[self.vertices[:, corner]], self.weights[:, corner, None])
        return gathered / (1 + 2.0**-self.dim)
