"""The Chebyshev walk compiled for the CPU by numba, several times faster than torch operations on small
grids."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from .chebyshev import Product
from .compiled import compiled
from .stencil import PaddedMaps, used_shifts

# Products and sums may be fused. They keep their order: a difference must not be taken apart.
_compile = compiled(nogil=True, fastmath={'contract', 'nsz', 'arcp'})
THREADED_OPERATIONS = 2**26
TILE_CELLS = 2**11


@_compile
def _differences(weights: np.ndarray, shifts: np.ndarray, flat: np.ndarray, first: int, out: np.ndarray) -> None:
    """``sum_j w_ij (x_j - x_i)`` of the cells from index ``first`` of a flattened map.

    Two offsets a pass, so that ``out`` is read and written half as often.
    """
    length = len(out)
    end = first + length
    here = flat[first:end]
    out[:] = 0
    last = len(shifts) - 1
    for p in range(0, last + 1, 2):
        q = min(p + 1, last)
        s, r = shifts[p], shifts[q]
        s_to, s_from = weights[p, first:end], weights[p, first - s : end - s]
        s_next, s_before = flat[first + s : end + s], flat[first - s : end - s]
        if p == q:
            for i in range(length):
                out[i] += s_to[i] * (s_next[i] - here[i]) + s_from[i] * (s_before[i] - here[i])
        else:
            r_to, r_from = weights[q, first:end], weights[q, first - r : end - r]
            r_next, r_before = flat[first + r : end + r], flat[first - r : end - r]
            for i in range(length):
                out[i] += (s_to[i] * (s_next[i] - here[i]) + s_from[i] * (s_before[i] - here[i])) + (
                    r_to[i] * (r_next[i] - here[i]) + r_from[i] * (r_before[i] - here[i])
                )


@_compile
def _inverse_degree(weights: np.ndarray, shifts: np.ndarray, margin: int, out: np.ndarray) -> None:
    """``1 / (1 + sum_j w_ij)`` of every cell, the sum in float64."""
    length = len(out)
    degree = np.ones(length)
    for p in range(len(shifts)):
        s_to, s_from = weights[p, margin : margin + length], weights[p, margin - shifts[p] :]
        for i in range(length):
            degree[i] += np.float64(s_to[i]) + np.float64(s_from[i])
    for i in range(length):
        out[i] = 1 / degree[i]


@_compile
def _walk(
    weights: np.ndarray,
    shifts: np.ndarray,
    inverse_degree: np.ndarray,
    current: np.ndarray,
    margin: int,
    schedule: np.ndarray,
    tile: int,
    walked: np.ndarray,
) -> None:
    """Adds to ``walked`` what a schedule (S, 3) makes of flattened maps ``current`` (K, M), which are overwritten.

    A tile of cells is done for all maps before the next, so that its weights are read from the cache.
    """
    count, length = walked.shape
    following, change = np.zeros_like(current), np.zeros_like(walked)
    total = np.empty(min(tile, length), weights.dtype)
    for keep, factor, tail in schedule:
        for start in range(0, length, tile):
            stop = min(start + tile, length)
            inverse = inverse_degree[start:stop]
            for k in range(count):
                sums = total[: stop - start]
                _differences(weights, shifts, current[k], margin + start, sums)
                here, there = current[k, margin + start : margin + stop], following[k, margin + start : margin + stop]
                step, partial = change[k, start:stop], walked[k, start:stop]
                for i in range(len(sums)):
                    value = keep * step[i] + factor * sums[i] * inverse[i]
                    step[i] = value
                    there[i] = here[i] + value
                    partial[i] += tail * value
        current, following = following, current


def walk(weights: Tensor, scores: Tensor, schedule: tuple[Product, ...], radius: int) -> Tensor:
    """Walks every map of a batch.

    Args:
        weights (Tensor): float32 or float64 (B, P, H, W) on the CPU, as of ``edge_weights``.
        scores (Tensor): (B, K, H, W) of the same dtype.
        schedule (tuple[Product, ...]): As of ``walk_schedule``.
        radius (int): Strict radius of the stencil.

    Returns:
        Tensor: (B, K, H, W).

    Examples:
        >>> weights, scores = torch.tensor([1.0, 0.0]).expand(1, 4, 1, 2), torch.tensor([[[[1.0, 0.0]]]])
        >>> plain_step = Product(keep=0.0, factor=1.0, tail=1.0)
        >>> walk(weights, scores, (plain_step,), radius=2).tolist()
        [[[[0.5, 0.5]]]]
    """
    batch, count, height, width = scores.shape
    used = used_shifts(height, width, radius)
    shifts = np.array([shift for _, shift in used], dtype=np.int64)
    maps = PaddedMaps(scores, radius)
    flat, margin = maps.flat.numpy(), maps.margin
    products = np.array(schedule, dtype=flat.dtype).reshape(-1, 3)
    result = torch.zeros_like(maps.cells)
    walked = result.numpy()

    operations = count * maps.length * len(shifts) * len(products)
    threads = min(torch.get_num_threads(), count) if operations > THREADED_OPERATIONS else 1
    groups = [slice(count * i // threads, count * (i + 1) // threads) for i in range(threads)]

    def walk_sample(b: int, pool: ThreadPoolExecutor) -> None:
        field = PaddedMaps(weights[b : b + 1, [p for p, _ in used]], radius).flat[0].numpy()
        inverse_degree = np.empty(maps.length, field.dtype)
        _inverse_degree(field, shifts, margin, inverse_degree)

        def walk_group(group: slice) -> None:
            _walk(field, shifts, inverse_degree, flat[b, group], margin, products, TILE_CELLS, walked[b, group])

        list(pool.map(walk_group, groups) if threads > 1 else map(walk_group, groups))

    with ThreadPoolExecutor(threads) as pool:
        for b in range(batch):
            walk_sample(b, pool)
    return scores + maps.unpad(result)
