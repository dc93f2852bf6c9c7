"""The affinity field as a stencil on padded, flattened grids: what every way of walking has in common."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from .affinity import offset_list, pair_mask, pair_windows
from .chebyshev import Product

# Numbers that are computed before they are added up: those that a core's cache holds, and a bound on other devices.
CACHED_NUMBERS, UNCACHED_NUMBERS = 2**18, 2**26


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


def used_shifts(height: int, width: int, radius: int) -> list[tuple[int, int]]:
    """(index p, shift on the flattened grid) of the offsets that have pairs on a grid.

    Examples:
        >>> used_shifts(1, 4, radius=3)  # a row of 4 cells and 2 of padding; only offsets along the row have pairs
        [(0, 1), (1, 2)]
    """
    offsets = offset_list(radius)
    row = width + radius - 1
    return [(p, offsets[p][0] * row + offsets[p][1]) for p, _, _ in pair_windows(height, width, radius, 'full')]


def shift_runs(height: int, width: int, radius: int) -> list[tuple[int, int, int]]:
    """The offsets of :func:`used_shifts` in runs of shifts that grow by 1, as those of a row of neighbors do.

    Args:
        height (int): Rows of the grid.
        width (int): Columns of the grid.
        radius (int): Strict radius of the stencil.

    Returns:
        list[tuple[int, int, int]]: Index p and shift of the first offset of each run, and the number of its offsets.

    Examples:
        >>> shift_runs(2, 4, radius=2)  # one cell to the right; three cells of the next row
        [(0, 1, 1), (1, 4, 3)]
    """
    runs: list[tuple[int, int, int]] = []
    for p, shift in used_shifts(height, width, radius):
        if runs and (p, shift) == (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]):
            runs[-1] = *runs[-1][:2], runs[-1][2] + 1
        else:
            runs.append((p, shift, 1))
    return runs


def inverse_degree(padded: PaddedMaps, radius: int) -> Tensor:
    """``1 / (1 + sum_j w_ij)`` of every cell, the sum in float64.

    Args:
        padded (PaddedMaps): Weights (B, P, H, W) of :func:`edge_weights`, all P of them.
        radius (int): Strict radius of the stencil.

    Returns:
        Tensor: (B, 1, length), dtype of the weights.

    Examples:
        >>> padded = PaddedMaps(torch.tensor([1.0, 0.0]).expand(1, 4, 1, 2), radius=2)
        >>> padded.unpad(inverse_degree(padded, radius=2)).tolist()
        [[[[0.5, 0.5]]]]
    """
    flat = padded.flat
    degree = torch.ones(len(flat), padded.length, dtype=torch.float64, device=flat.device)
    for p, shift, count in shift_runs(padded.height, padded.width, radius):
        first = flat[:, p:]
        behind = first.as_strided(
            (len(flat), count, padded.length),
            (flat.stride(0), flat.stride(1) - 1, 1),
            first.storage_offset() + padded.margin - shift,
        )
        degree += padded.cells[:, p : p + count].sum(1, dtype=torch.float64) + behind.sum(1, dtype=torch.float64)
    return degree.reciprocal_().to(flat.dtype)[:, None]


class _Part(NamedTuple):
    """A block of cells of some maps of an image, and the offsets of a run, as views of the tensors that hold them.

    Attributes:
        weight (Tensor): Of each pair, (count, maps, cells).
        ahead (Tensor): The cells that the offsets lead to, of the same shape.
        here (Tensor): The cells that they start from, of the same shape.
        flow (Tensor): Where ``2 w (ahead - here)`` goes, of the same shape.
        at_start (Tensor): The same numbers (maps, count, cells), each at the cell that it is added to.
        at_end (Tensor): The same numbers (maps, count, cells + count - 1), each at the cell it is subtracted from.
        ones (Tensor): (maps, 1, count).
        start (Tensor): The sums of the cells of ``at_start``, (maps, 1, cells).
        end (Tensor): The sums of the cells of ``at_end``.
    """

    weight: Tensor
    ahead: Tensor
    here: Tensor
    flow: Tensor
    at_start: Tensor
    at_end: Tensor
    ones: Tensor
    start: Tensor
    end: Tensor


class _Differences:
    """``2 sum_j w_ij (x_j - x_i)`` of a set of padded maps, as they are at each call.

    The difference of a pair is computed once, for all pairs of a run of offsets in one operation, then added to one
    cell and subtracted from the other. On a CPU, so few cells and maps are taken at once that their differences fit its
    cache.
    """

    def __init__(self, weights: PaddedMaps, maps: PaddedMaps, radius: int):
        self.weights, self.maps = weights, maps
        self.runs = shift_runs(maps.height, maps.width, radius)
        batch, channels = maps.cells.shape[:2]
        # Behind the cells of the grid are those that pairs of no weight end at.
        self.sums = maps.flat.new_zeros(batch, channels, maps.length + maps.margin)
        self.total = self.sums[..., : maps.length]
        longest = max((count for *_, count in self.runs), default=1)
        numbers = CACHED_NUMBERS if maps.flat.device.type == 'cpu' else UNCACHED_NUMBERS
        cells = min(maps.length, max(1, numbers // longest))
        most = min(max(channels, 1), max(1, numbers // (longest * cells)))
        blocks = [(first, min(cells, maps.length - first)) for first in range(0, maps.length, cells)]
        # Numbers in front of and behind those of a block, which belong to no pair, stay zero.
        flows = {size: maps.flat.new_zeros(longest, most, size + 2 * (longest - 1)) for _, size in blocks}
        self.parts = [
            part
            for b in range(batch)
            for first_map in range(0, channels, most)
            for first, size in blocks
            for part in self._parts(b, slice(first_map, first_map + most), first, size, flows[size])
        ]
        self.add = _add_by_products if _products_are_exact() else _add_by_sums

    def _parts(self, b: int, taken: slice, first: int, size: int, flows: Tensor) -> Iterator[_Part]:
        """The runs of a block of ``size`` cells from the index ``first``, of the maps taken of an image."""
        pad = len(flows) - 1
        here, sums = self.maps.cells[b, taken, first : first + size], self.sums[b, taken, None]
        for p, shift, count in self.runs:
            shape, ends = (count, *here.shape), size + count - 1
            flow = flows[:count, : len(here), pad : pad + size]
            by_map = flow.stride(1), flow.stride(0)
            yield _Part(
                weight=self.weights.cells[b, p : p + count, None, first : first + size].expand(shape),
                ahead=here.as_strided(shape, (1, *here.stride()), here.storage_offset() + shift),
                here=here.expand(shape),
                flow=flow,
                at_start=flow.transpose(0, 1),
                at_end=flow.as_strided((len(here), count, ends), (by_map[0], by_map[1] - 1, 1)),
                ones=here.new_ones(len(here), 1, count),
                start=sums[..., first : first + size],
                end=sums[..., first + shift : first + shift + ends],
            )

    def __call__(self) -> Tensor:
        self.sums.zero_()
        for part in self.parts:
            # 2 w (a - b) in one operation; there is no other one of the kind.
            torch.ops.aten.mse_loss_backward.grad_input(part.weight, part.ahead, part.here, 0, grad_input=part.flow)
            self.add(part)
        return self.total


def _products_are_exact() -> bool:
    """Whether torch multiplies matrices of float32 as they are; users may allow TF32 or bfloat16 in them."""
    try:
        return torch.get_float32_matmul_precision() == 'highest'
    except RuntimeError:  # It was set by the other of torch's two ways, to something else.
        return False


def _add_by_products(part: _Part) -> None:
    part.start.baddbmm_(part.ones, part.at_start)
    part.end.baddbmm_(part.ones, part.at_end, alpha=-1)


def _add_by_sums(part: _Part) -> None:
    part.start.add_(part.at_start.sum(1, keepdim=True))
    part.end.sub_(part.at_end.sum(1, keepdim=True))


class StencilWalker:
    """The transition of a batch of fields, applied by torch operations on any device.

    A step adds ``(1 / d_i) sum_j w_ij (x_j - x_i)`` to each cell: constants stay what they are, and where scores are
    nearly constant, so are rounding errors small.

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
        self.weights = PaddedMaps(weights, radius)
        self.inverse_degree = inverse_degree(self.weights, radius)

    def power(self, scores: Tensor, num_steps: int) -> Tensor:
        """``P^num_steps x`` step by step."""
        maps = PaddedMaps(scores, self.radius)
        differences = _Differences(self.weights, maps, self.radius)
        half = self.inverse_degree / 2
        # Kahan's sum: many steps smaller than half a unit in the last place of a score would be lost one by one.
        lost, moved = torch.zeros_like(maps.cells), torch.empty_like(maps.cells)
        for _ in range(num_steps):
            change = differences().mul_(half).sub_(lost)
            torch.add(maps.cells, change, out=moved)
            torch.sub(moved, maps.cells, out=lost).sub_(change)
            maps.cells.copy_(moved)
        return maps.unpad(maps.cells)

    def walk(self, scores: Tensor, schedule: tuple[Product, ...]) -> Tensor:
        """What the products of a schedule make of maps (B, K, H, W)."""
        maps = PaddedMaps(scores, self.radius)
        differences = _Differences(self.weights, maps, self.radius)
        change, walked = torch.zeros_like(maps.cells), torch.zeros_like(maps.cells)
        factors = {factor: self.inverse_degree * (factor / 2) for factor in {product.factor for product in schedule}}
        for product in schedule:
            if product.keep != 1:
                change.mul_(product.keep)
            change.addcmul_(differences(), factors[product.factor])
            maps.cells.add_(change)
            walked.add_(change, alpha=product.tail)
        return scores + maps.unpad(walked)


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
