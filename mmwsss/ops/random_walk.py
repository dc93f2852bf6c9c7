"""Propagation of class scores over an affinity field by a random walk.

With A the symmetric matrix of the field, 1 on its diagonal, raised to ``beta`` elementwise, and D the
diagonal of its row sums, one step is ``x <- P x`` with ``P = D^-1 A``: each cell takes the mean of its
neighbors, weighted by affinity. This is ``x T`` with the column-stochastic transition T of Ahn & Kwak, CVPR
2018, eq. 5-6. The published way squares the N x N matrix T eight times; here P is only ever applied, as a
stencil, and a walk of n steps takes about ``6 sqrt(n)`` products (see ``chebyshev.py``).

P is applied in difference form, ``x_i += (1 / d_i) sum_j w_ij (x_j - x_i)``. A sum of 69 terms of the size of a score
loses half a unit in the last place with each, always in the same direction where scores are nearly constant, which
256 steps carry to 1e-3 of the largest score in float32. Sums of differences are small there, and constants are kept
exactly.
"""

import importlib
import math
from functools import cache
from types import ModuleType

import torch
from torch import Tensor

from .affinity import offset_list, radius_of
from .chebyshev import Product, walk_schedule
from .checks import check_float_map, check_integer
from .stencil import StencilWalker, edge_weights, transition_matrix

METHODS = ('auto', 'chebyshev', 'stencil', 'dense', 'numba', 'triton')
COMPILED = {'cpu': 'numba', 'cuda': 'triton'}
# Cells of all maps that are walked at once: what a product needs should fit the cache, or not fill a GPU.
BLOCK_CELLS = 2**17
BLOCK_CELLS_GPU = 2**22
# Ahn & Kwak, CVPR 2018, as released for VOC 2012.
BETA = 8.0
NUM_STEPS = 256


def _kernels(method: str) -> ModuleType:
    """The module of a compiled walk."""
    return importlib.import_module(f'.walk_{method}', __package__)


@cache
def _is_installed(method: str) -> bool:
    """Whether the compiler of a compiled walk is installed."""
    try:
        _kernels(method)
    except ImportError:
        return False
    return True


def resolve_method(method: str, device: torch.device) -> str:
    """The method that 'auto' stands for on a device; any other method as it is, once it is known to run
    there.

    Raises:
        ValueError: If the method is unknown or made for another device.
        ImportError: If it needs a package that is not installed.

    Examples:
        >>> resolve_method('stencil', torch.device('cpu'))
        'stencil'
        >>> resolve_method('auto', torch.device('meta'))
        'chebyshev'
    """
    if method not in METHODS:
        raise ValueError(f'method must be one of {METHODS}, got {method!r}')
    compiled = COMPILED.get(device.type)
    if method == 'auto':
        return compiled if compiled and _is_installed(compiled) else 'chebyshev'
    if method in COMPILED.values():
        if method != compiled:
            raise ValueError(f'method {method!r} does not run on device {device}')
        if not _is_installed(method):
            raise ImportError(f'method {method!r} of random_walk needs the package {method}')
    return method


def _walk_dense(weights: Tensor, scores: Tensor, num_steps: int, radius: int) -> Tensor:
    """In float64, as it is what the others are compared with."""
    walked = torch.empty_like(scores)
    for b in range(len(scores)):
        power = torch.linalg.matrix_power(transition_matrix(weights[b].double(), radius), num_steps)
        walked[b] = (scores[b].double().flatten(1) @ power.T).view_as(scores[b])
    return walked


def _walk_torch(
    weights: Tensor, scores: Tensor, num_steps: int, radius: int, schedule: tuple[Product, ...] | None
) -> Tensor:
    """Walks in blocks of maps, on the CPU sample by sample; another device takes the whole batch at once."""
    on_cpu = scores.device.type == 'cpu'
    samples = 1 if on_cpu else len(scores)
    count = max(1, (BLOCK_CELLS if on_cpu else BLOCK_CELLS_GPU) // (samples * scores[0, 0].numel()))
    walked = torch.empty_like(scores)
    for b in range(0, len(scores), samples):
        walker = StencilWalker(weights[b : b + samples], radius)
        for k in range(0, scores.shape[1], count):
            block = slice(b, b + samples), slice(k, k + count)
            if schedule is None:
                walked[block] = walker.power(scores[block], num_steps)
            else:
                walked[block] = walker.walk(scores[block], schedule)
    return walked


def _walk(weights: Tensor, scores: Tensor, num_steps: int, radius: int, method: str) -> Tensor:
    if method == 'dense':
        return _walk_dense(weights, scores, num_steps, radius)
    if method == 'stencil':
        return _walk_torch(weights, scores, num_steps, radius, None)
    neighbors = 2 * len(offset_list(radius))
    schedule = walk_schedule(num_steps, scores[0, 0].numel(), neighbors, scores.dtype)
    if method == 'chebyshev':
        return _walk_torch(weights, scores, num_steps, radius, schedule)
    return _kernels(method).walk(weights, scores, schedule, radius)


def _range_of(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest and largest score (B, K, 1, 1) of every map."""
    lowest, highest = maps.amin((2, 3), keepdim=True), maps.amax((2, 3), keepdim=True)
    finite = (lowest.isfinite() & highest.isfinite())[..., 0, 0]
    if not finite.all():
        sample, index = (~finite).nonzero()[0].tolist()
        raise ValueError(f'scores must be finite, but map {index} of sample {sample} is not')
    return lowest, highest


def _check(scores: Tensor, affinity: Tensor, beta: float) -> int:
    """The radius of the field."""
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
    return radius_of(affinity.shape[1])


@torch.no_grad()
def random_walk(
    scores: Tensor, affinity: Tensor, beta: float = BETA, num_steps: int = NUM_STEPS, method: str = 'auto'
) -> Tensor:
    """Let every score map walk ``num_steps`` steps over the affinity field.

    The result is ``(D^-1 A)^num_steps x`` for every map x (Ahn & Kwak, CVPR 2018, eq. 5-6; see the top of
    this file): each cell becomes a convex combination of the cells its walk reaches. A product costs 2 * P *
    B * K * H * W multiply-adds; only 'dense' builds an N x N matrix. The sums are in float32, or float64
    where the scores are. No gradient is recorded.

    Relative to the largest score, results are within 2e-5 of the exact ones in float32 and within 1e-9 in float64,
    for any affinities and up to 4,096 steps; the worst that a search over thousands of fields found is 6e-6 and 1e-10.
    Where all cells that a walk can reach have one score, it is kept exactly.

    Args:
        scores (Tensor): Floating-point (B, K, H, W), finite.
        affinity (Tensor): Floating-point (B, P, H, W) in [0, 1], as of ``pairwise_affinity`` or
            ``edge_to_affinity``. Values whose target lies outside the grid are not read.
        beta (float): Exponent of the affinities, positive.
        num_steps (int): Number of steps, of any integer type; 0 returns the scores.
        method (str): 'chebyshev' takes about ``6 sqrt(num_steps)`` products. 'numba' (CPU) and 'triton' (CUDA) are
            the same, compiled. 'stencil' takes ``num_steps`` products. 'dense' raises the N x N matrix to the
            power, in float64, for comparison. 'auto' takes the compiled one of the device where its package is
            installed, else 'chebyshev'.

    Returns:
        Tensor: (B, K, H, W), dtype of ``scores``, each map within the range of its scores.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value; of a score that is not finite, it names the map.
        ImportError: If ``method`` needs a package that is not installed.

    Examples:
        >>> edge = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0]).view(1, 1, 1, 5)  # a wall in the middle
        >>> scores = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0]).view(1, 1, 1, 5)
        >>> random_walk(scores, edge_to_affinity(edge, radius=2)).round(decimals=3).tolist()
        [[[[0.5, 0.5, 0.0, 0.0, 0.0]]]]
    """
    radius = _check(scores, affinity, beta)
    num_steps = check_integer('num_steps', num_steps, least=0)
    method = resolve_method(method, scores.device)
    if scores.numel() == 0:
        return scores.clone()
    dtype = torch.float64 if scores.dtype == torch.float64 else torch.float32
    maps = scores.to(dtype)
    lowest, highest = _range_of(maps)
    if num_steps == 0:
        return scores.clone()
    weights = edge_weights(affinity, beta, dtype, radius)
    walked = _walk(weights, maps, num_steps, radius, method)
    return walked.clamp_(lowest, highest).to(scores.dtype)
