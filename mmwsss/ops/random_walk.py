"""Propagation of class scores over an affinity field by a random walk.

With A the symmetric matrix of the field, 1 on its diagonal, raised to ``beta`` elementwise, and D the
diagonal of its row sums, one step is ``x <- P x`` with ``P = D^-1 A``: each cell takes the mean of its
neighbours, weighted by affinity. This is ``x T`` with the column-stochastic transition T of Ahn & Kwak, CVPR
2018, eq. 5-6. The published way squares the N x N matrix T eight times; here P is only ever applied, as
shifted multiply-adds of a stencil.

A walk of n steps needs far fewer than n products. In Chebyshev polynomials ``x^n = sum_j c_j T_j(x)``, where
c_j is twice (once for j = 0) the probability that n fair steps of +-1 end at j. The terms beyond about
``sqrt(2 n log(1 / e))`` sum to less than e, and every ``|T_j|`` is at most 1 on the spectrum of P, which is
that of the symmetric ``D^-1/2 A D^-1/2``. So 256 steps cost about 100 products.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from .affinity import check_float_map, offset_list, pair_mask, pair_windows, radius_of

METHODS = ('auto', 'chebyshev', 'stencil', 'dense')
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-7}
BLOCK_CELLS = 2**17


@lru_cache(maxsize=64)
def chebyshev_coefficients(num_steps: int, tail: float) -> dict[int, float]:
    """Leading coefficients of ``x^num_steps`` in Chebyshev polynomials of the first kind.

    Args:
        num_steps (int): The power, positive.
        tail (float): Bound of the sum of the coefficients left out.

    Returns:
        dict[int, float]: Coefficient of each degree, in ascending order; the degrees have the parity of
        ``num_steps``. The coefficients are positive and scaled to sum to 1.
    """
    degree = num_steps % 2
    below, above = (num_steps - degree) // 2, (num_steps + degree) // 2
    terms, value = [], 1.0
    while degree <= num_steps and value > 1e-30:
        terms.append((degree, value if degree else value / 2))
        value *= below / (above + 1)
        below, above, degree = below - 1, above + 1, degree + 2
    total, left = math.fsum(value for _, value in terms), 0.0
    while len(terms) > 1 and left + terms[-1][1] <= tail * total:
        left += terms.pop()[1]
    return {degree: value / (total - left) for degree, value in terms}


def truncation(num_steps: int, cells: int, radius: int, dtype: torch.dtype) -> dict[int, float]:
    """Coefficients that keep the result within ``TOLERANCE[dtype]`` of the exact one, relative to the scores.

    For a polynomial r, ``|r(P) x|`` is at most ``max |r| * sqrt(sum(D) / min(D)) * max |x|`` in each cell,
    and the root is at most that of the number of cells times the largest degree. Scaling the coefficients to
    sum to 1 doubles the error.
    """
    spread = math.sqrt(cells * (2 * len(offset_list(radius)) + 1))
    return chebyshev_coefficients(num_steps, TOLERANCE[dtype] / (2 * spread))


def _integer_power(base: Tensor, exponent: int) -> Tensor:
    result = None
    while exponent:
        if exponent & 1:
            result = base if result is None else result * base
        exponent >>= 1
        base = base * base if exponent else base
    return result


def edge_weights(affinity: Tensor, beta: float, dtype: torch.dtype, radius: int) -> Tensor:
    """``affinity^beta`` (B, P, H, W), zero where the target lies outside the grid."""
    mask = pair_mask(*affinity.shape[2:], radius, 'full', affinity.device)
    values = torch.where(mask, affinity.to(dtype), 0)
    if values.numel() > 0:
        lowest, highest = values.aminmax()
        if not (lowest >= 0 and highest <= 1):
            raise ValueError('affinity must be in [0, 1] wherever the target lies inside the grid')
    integer = float(beta).is_integer() and beta <= 64
    return _integer_power(values, int(beta)) if integer else values.pow_(beta)


class _Maps:
    """Maps (B, K, H, W) on a padded, flattened grid on which reaching a neighbour is a shift in 1-D.

    A row has radius - 1 cells more than the grid, which stay zero, and there are zeros before the first row
    and after the last: neither leaving the grid nor wrapping to the next row needs care. Weights of such
    targets are zero.
    """

    def __init__(self, shape: tuple[int, ...], radius: int, like: Tensor):
        batch, count, self.height, self.width = shape
        self.row = self.width + radius - 1
        self.length = self.height * self.row
        self.margin = radius * self.row
        self.flat = like.new_zeros(batch, count, self.length + 2 * self.margin)
        self.cells = self.shifted(0)

    def shifted(self, distance: int) -> Tensor:
        start = self.margin + distance
        return self.flat[..., start : start + self.length]

    @property
    def grid(self) -> Tensor:
        return self.cells.unflatten(-1, (self.height, self.row))[..., : self.width]


class _Walker:
    """The transition of a batch of fields and the ways of applying it."""

    def __init__(self, weights: Tensor, radius: int):
        self.weights, self.radius = weights, radius
        self.size = weights.shape[2:]
        padded = _Maps(weights.shape, radius, weights)
        padded.grid.copy_(weights)
        offsets = offset_list(radius)
        self.shifts, self.planes = [], []
        for p, _, _ in pair_windows(*self.size, radius, 'full'):
            shift = offsets[p][0] * padded.row + offsets[p][1]
            self.shifts += [shift, -shift]
            self.planes += [padded.shifted(0)[:, p, None], padded.shifted(-shift)[:, p, None]]
        ones = self.maps(weights.new_ones(len(weights), 1, *self.size))
        degree = self.product(self.views(ones), torch.empty_like(ones.cells))
        self.inverse_degree = degree.clamp_(min=1).reciprocal_()

    def maps(self, scores: Tensor) -> _Maps:
        maps = _Maps(scores.shape, self.radius, scores)
        maps.grid.copy_(scores)
        return maps

    def views(self, maps: _Maps) -> list[Tensor]:
        return [maps.cells, *(maps.shifted(shift) for shift in self.shifts)]

    def product(self, views: list[Tensor], out: Tensor) -> Tensor:
        """``A x`` into ``out``, self affinity included."""
        out.copy_(views[0])
        for plane, view in zip(self.planes, views[1:], strict=True):
            out.addcmul_(plane, view)
        return out

    def stencil(self, scores: Tensor, num_steps: int) -> Tensor:
        maps = self.maps(scores)
        views, total = self.views(maps), torch.empty_like(maps.cells)
        for _ in range(num_steps):
            torch.mul(self.product(views, total), self.inverse_degree, out=maps.cells)
        return maps.grid

    def chebyshev(self, scores: Tensor, num_steps: int) -> Tensor:
        terms = truncation(num_steps, self.size.numel(), self.radius, scores.dtype)
        degree = max(terms)
        if degree >= num_steps:
            return self.stencil(scores, num_steps)
        current, previous = self.maps(scores), self.maps(scores)
        views, other_views = self.views(current), self.views(previous)
        total = torch.empty_like(current.cells)
        result = current.cells * terms.get(0, 0)
        torch.mul(self.product(views, total), self.inverse_degree, out=current.cells)
        result.add_(current.cells, alpha=terms.get(1, 0))
        twice = 2 * self.inverse_degree
        for j in range(2, degree + 1):
            previous.cells.neg_().addcmul_(self.product(views, total), twice)
            current, previous, views, other_views = previous, current, other_views, views
            if j in terms:
                result.add_(current.cells, alpha=terms[j])
        return result.unflatten(-1, (current.height, current.row))[..., : current.width]


def transition_matrix(weights: Tensor, radius: int) -> Tensor:
    """The dense transition ``P = D^-1 A`` (N, N) of one field of edge weights (P, H, W)."""
    height, width = weights.shape[1:]
    index = torch.arange(height * width, device=weights.device).view(height, width)
    matrix = torch.eye(height * width, dtype=weights.dtype, device=weights.device)
    for p, source, target in pair_windows(height, width, radius, 'full'):
        here, there = index[source].flatten(), index[target].flatten()
        matrix[here, there] = matrix[there, here] = weights[(p, *source)].flatten()
    return matrix / matrix.sum(1, keepdim=True)


def _walk_dense(weights: Tensor, scores: Tensor, num_steps: int, radius: int) -> Tensor:
    walked = torch.empty_like(scores)
    for b in range(len(scores)):
        power = torch.linalg.matrix_power(transition_matrix(weights[b], radius), num_steps)
        walked[b] = (scores[b].flatten(1) @ power.T).view_as(scores[b])
    return walked


def _walk_blocks(weights: Tensor, scores: Tensor, num_steps: int, radius: int, method: str) -> Tensor:
    """Walks as many maps at a time as fit a cache; a CUDA device takes all of them at once."""
    on_cpu = scores.device.type == 'cpu'
    cells = scores.shape[2] * (scores.shape[3] + radius - 1)
    samples = 1 if on_cpu else len(scores)
    count = max(1, BLOCK_CELLS // cells) if on_cpu else scores.shape[1]
    walked = torch.empty_like(scores)
    for b in range(0, len(scores), samples):
        walker = _Walker(weights[b : b + samples], radius)
        for k in range(0, scores.shape[1], count):
            block = scores[b : b + samples, k : k + count]
            walked[b : b + samples, k : k + count] = getattr(walker, method)(block, num_steps)
    return walked


def _check(scores: Tensor, affinity: Tensor, beta: float, num_steps: int, method: str) -> int:
    check_float_map('scores', scores, 'K')
    check_float_map('affinity', affinity, 'P')
    if scores.shape[0] != affinity.shape[0] or scores.shape[2:] != affinity.shape[2:]:
        raise ValueError(
            'affinity must have the batch size and grid of scores, '
            f'got {tuple(affinity.shape)} for scores {tuple(scores.shape)}'
        )
    if scores.device != affinity.device:
        raise ValueError(f'affinity must be on the device of scores ({scores.device}), got {affinity.device}')
    if not beta > 0 or math.isinf(beta):
        raise ValueError(f'beta must be positive and finite, got {beta!r}')
    if isinstance(num_steps, bool) or not isinstance(num_steps, int) or num_steps < 0:
        raise ValueError(f'num_steps must be a non-negative integer, got {num_steps!r}')
    if method not in METHODS:
        raise ValueError(f'method must be one of {METHODS}, got {method!r}')
    return radius_of(affinity.shape[1])


@torch.no_grad()
def random_walk(
    scores: Tensor, affinity: Tensor, beta: float = 8.0, num_steps: int = 256, method: str = 'auto'
) -> Tensor:
    """Let every score map walk ``num_steps`` steps over the affinity field.

    The result is ``(D^-1 A)^num_steps x`` for every map x (Ahn & Kwak, CVPR 2018, eq. 5-6; see the top of
    this file): each cell becomes a convex combination of the cells its walk reaches. Only 'dense' builds an N
    x N matrix. The sums are in float32, or float64 where the scores are. No gradient is recorded.

    Args:
        scores (Tensor): Floating-point (B, K, H, W).
        affinity (Tensor): Floating-point (B, P, H, W) in [0, 1], as of ``pairwise_affinity`` or
            ``edge_to_affinity``. Values whose target lies outside the grid are not read.
        beta (float): Exponent of the affinities, positive.
        num_steps (int): Number of steps; 0 returns the scores.
        method (str): 'chebyshev' costs about ``5 sqrt(num_steps)`` products of the stencil and is within 2e-5
            (float64: 1e-7) of the exact result, relative to the largest score; 'stencil' makes ``num_steps``
            products; 'dense' raises the N x N matrix to the power, for comparison. 'auto' takes the fastest.

    Returns:
        Tensor: (B, K, H, W), dtype of ``scores``, each map within the range of its scores.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.
    """
    radius = _check(scores, affinity, beta, num_steps, method)
    if num_steps == 0 or scores.numel() == 0:
        return scores.clone()
    dtype = torch.float64 if scores.dtype == torch.float64 else torch.float32
    weights = edge_weights(affinity, beta, dtype, radius)
    maps = scores.to(dtype)
    if method == 'dense':
        walked = _walk_dense(weights, maps, num_steps, radius)
    else:
        walked = _walk_blocks(weights, maps, num_steps, radius, 'chebyshev' if method == 'auto' else method)
    lowest, highest = maps.amin((2, 3), keepdim=True), maps.amax((2, 3), keepdim=True)
    return walked.clamp_(lowest, highest).to(scores.dtype)
