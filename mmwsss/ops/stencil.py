"""The affinity field as a stencil on padded, flattened grids: what every way of walking has in common."""

import torch
from torch import Tensor

from .affinity import offset_list, pair_mask, pair_windows


def _integer_power(base: Tensor, exponent: int) -> Tensor:
    if exponent == 1:
        return base
    power = _integer_power(base * base, exponent // 2)
    return power * base if exponent % 2 else power


def edge_weights(affinity: Tensor, beta: float, dtype: torch.dtype, radius: int) -> Tensor:
    """``affinity^beta`` (B, P, H, W), zero where the target lies outside the grid.

    Raises:
        ValueError: If an affinity between two cells of the grid is not in [0, 1].

    Examples:
        >>> affinity = torch.full((1, 4, 1, 3), 0.5)
        >>> edge_weights(affinity, 3, torch.float32, radius=2)[0, 0].tolist()  # to the cell on the right
        [[0.125, 0.125, 0.0]]
    """
    mask = pair_mask(*affinity.shape[2:], radius, 'full', affinity.device)
    values = torch.where(mask, affinity.to(dtype), 0)
    lowest, highest = values.aminmax()
    if not (lowest >= 0 and highest <= 1):
        raise ValueError('affinity must be in [0, 1] wherever the target lies inside the grid')
    integer = float(beta).is_integer() and beta <= 64
    return _integer_power(values, int(beta)) if integer else values.pow_(beta)


class PaddedMaps:
    """Maps (B, K, H, W) on a padded, flattened grid, on which a neighbor is reached by a shift in 1-D.

    A row has radius - 1 cells more than the grid, which stay zero, and ``margin`` zeros come before the first
    row and after the last: neither leaving the grid nor wrapping to the next row needs care.

    Args:
        maps (Tensor): (B, K, H, W), copied.
        radius (int): Strict radius of the stencil.

    Examples:
        >>> padded = PaddedMaps(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), radius=2)
        >>> padded.unpad(padded.shifted(1)).tolist()  # what lies one cell to the right
        [[[[2.0, 0.0], [4.0, 0.0]]]]
    """

    def __init__(self, maps: Tensor, radius: int):
        batch, count, self.height, self.width = maps.shape
        self.row = self.width + radius - 1
        self.length = self.height * self.row
        self.margin = radius * self.row
        self.flat = maps.new_zeros(batch, count, self.length + 2 * self.margin)
        self.cells = self.shifted(0)
        self.unpad(self.cells).copy_(maps)

    def shifted(self, distance: int) -> Tensor:
        """View (B, K, length) of the cells that lie ``distance`` further."""
        start = self.margin + distance
        return self.flat[..., start : start + self.length]

    def unpad(self, cells: Tensor) -> Tensor:
        """View (B, K, H, W) of values (B, K, length)."""
        return cells.unflatten(-1, (self.height, self.row))[..., : self.width]


class StencilWalker:
    """The transition of a batch of fields, applied by torch operations on any device.

    Args:
        weights (Tensor): (B, P, H, W) as of :func:`edge_weights`.
        radius (int): Strict radius of the stencil.

    Examples:
        >>> walker = StencilWalker(torch.tensor([1.0, 0.0]).expand(1, 4, 1, 2), radius=2)
        >>> walker.power(torch.tensor([[[[1.0, 0.0]]]]), num_steps=1).tolist()
        [[[[0.5, 0.5]]]]
    """

    def __init__(self, weights: Tensor, radius: int):
        self.radius = radius
        padded = PaddedMaps(weights, radius)
        self.shifts, self.planes = [], []
        height, width = weights.shape[2:]
        for p, shift in used_shifts(height, width, radius):
            self.shifts += [shift, -shift]
            self.planes += [padded.shifted(0)[:, p, None], padded.shifted(-shift)[:, p, None]]
        ones = PaddedMaps(torch.ones_like(weights[:, :1]), radius)
        degree = self._product(self._views(ones), torch.empty_like(ones.cells))
        self.inverse_degree = degree.clamp_(min=1).reciprocal_()

    def _views(self, maps: PaddedMaps) -> list[Tensor]:
        return [maps.cells, *(maps.shifted(shift) for shift in self.shifts)]

    def _product(self, views: list[Tensor], out: Tensor) -> Tensor:
        """``A x`` into ``out``, self affinity included."""
        out.copy_(views[0])
        for plane, view in zip(self.planes, views[1:], strict=True):
            out.addcmul_(plane, view)
        return out

    def power(self, scores: Tensor, num_steps: int) -> Tensor:
        """``P^num_steps x`` step by step."""
        maps = PaddedMaps(scores, self.radius)
        views, total = self._views(maps), torch.empty_like(maps.cells)
        for _ in range(num_steps):
            torch.mul(self._product(views, total), self.inverse_degree, out=maps.cells)
        return maps.unpad(maps.cells)

    def chebyshev(self, scores: Tensor, coefficients: tuple[float, ...]) -> Tensor:
        """``sum_j coefficients[j] T_j(P) x`` by the three-term recurrence of the polynomials."""
        current, previous = PaddedMaps(scores, self.radius), PaddedMaps(torch.zeros_like(scores), self.radius)
        views, other_views = self._views(current), self._views(previous)
        total = torch.empty_like(current.cells)
        result = current.cells * coefficients[0]
        factor = self.inverse_degree
        for coefficient in coefficients[1:]:
            previous.cells.neg_().addcmul_(self._product(views, total), factor)
            current, previous, views, other_views = previous, current, other_views, views
            factor = 2 * self.inverse_degree if factor is self.inverse_degree else factor
            if coefficient:
                result.add_(current.cells, alpha=coefficient)
        return current.unpad(result)


def used_shifts(height: int, width: int, radius: int) -> list[tuple[int, int]]:
    """(index p, shift on the flattened grid) of the offsets that have pairs on a grid.

    Examples:
        >>> used_shifts(1, 4, radius=3)  # a row of 4 cells and 2 of padding; only offsets along the row have pairs
        [(0, 1), (1, 2)]
    """
    offsets = offset_list(radius)
    row = width + radius - 1
    return [(p, offsets[p][0] * row + offsets[p][1]) for p, _, _ in pair_windows(height, width, radius, 'full')]


def transition_matrix(weights: Tensor, radius: int) -> Tensor:
    """The dense transition ``P = D^-1 A`` (N, N) of one field of edge weights (P, H, W).

    Examples:
        >>> transition_matrix(torch.tensor([1.0, 0.0]).expand(4, 1, 2), radius=2).tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    height, width = weights.shape[1:]
    index = torch.arange(height * width, device=weights.device).view(height, width)
    matrix = torch.eye(height * width, dtype=weights.dtype, device=weights.device)
    for p, source, target in pair_windows(height, width, radius, 'full'):
        here, there = index[source].flatten(), index[target].flatten()
        matrix[here, there] = matrix[there, here] = weights[(p, *source)].flatten()
    return matrix / matrix.sum(1, keepdim=True)
