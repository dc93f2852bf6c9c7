"""The Chebyshev walk compiled for the CPU by numba, several times faster than torch operations on small
grids."""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import torch
from torch import Tensor

from .stencil import PaddedMaps, used_shifts

# Sums may be reordered and fused; infinities and NaN keep their meaning.
COMPILE = dict(nogil=True, fastmath={'reassoc', 'contract', 'nsz', 'arcp'})
THREADED_OPERATIONS = 2**26


def _compile(function):
    """Compiles with an on-disk cache where there is a place for one."""
    try:
        return numba.njit(cache=True, **COMPILE)(function)
    except RuntimeError:
        return numba.njit(**COMPILE)(function)


@_compile
def _product(weights, shifts, maps, margin, out):
    """``A x``, self affinity included; two offsets a pass, so that ``out`` is read and written half as
    often."""
    length = len(out)
    end = margin + length
    out[:] = maps[margin:end]
    last = len(shifts) - 1
    for p in range(0, last + 1, 2):
        q = min(p + 1, last)
        s, r = shifts[p], shifts[q]
        s_to, s_from = weights[p, margin:end], weights[p, margin - s : end - s]
        s_next, s_before = maps[margin + s : end + s], maps[margin - s : end - s]
        if p == q:
            for i in range(length):
                out[i] += s_to[i] * s_next[i] + s_from[i] * s_before[i]
        else:
            r_to, r_from = weights[q, margin:end], weights[q, margin - r : end - r]
            r_next, r_before = maps[margin + r : end + r], maps[margin - r : end - r]
            for i in range(length):
                out[i] += (s_to[i] * s_next[i] + s_from[i] * s_before[i]) + (
                    r_to[i] * r_next[i] + r_from[i] * r_before[i]
                )


@_compile
def _inverse_degree(weights, shifts, ones, margin):
    degree = np.empty(len(ones) - 2 * margin, weights.dtype)
    _product(weights, shifts, ones, margin, degree)
    for i in range(len(degree)):
        degree[i] = 1 / max(degree[i], 1)
    return degree


@_compile
def _walk(weights, shifts, inverse_degree, current, margin, coefficients, result):
    """``sum_j coefficients[j] T_j(P) x`` of one flattened map ``current``, which is overwritten."""
    end = len(current) - margin
    total = np.empty_like(inverse_degree)
    previous = np.zeros_like(current)
    result[:] = coefficients[0] * current[margin:end]
    for j in range(1, len(coefficients)):
        _product(weights, shifts, current, margin, total)
        factor = coefficients.dtype.type(1 if j == 1 else 2)
        coefficient, target = coefficients[j], previous[margin:end]
        for i in range(len(total)):
            value = factor * total[i] * inverse_degree[i] - target[i]
            target[i] = value
            result[i] += coefficient * value
        current, previous = previous, current


def walk(weights: Tensor, scores: Tensor, coefficients: tuple[float, ...], radius: int) -> Tensor:
    """Walks every map of a batch.

    Args:
        weights (Tensor): float32 or float64 (B, P, H, W) on the CPU, as of ``edge_weights``.
        scores (Tensor): (B, K, H, W) of the same dtype.
        coefficients (tuple[float, ...]): As of ``walk_coefficients``.
        radius (int): Strict radius of the stencil.

    Returns:
        Tensor: (B, K, H, W).
    """
    batch, count, height, width = scores.shape
    used = used_shifts(height, width, radius)
    shifts = np.array([shift for _, shift in used], dtype=np.int64)
    maps = PaddedMaps(scores, radius)
    flat, margin = maps.flat.numpy(), maps.margin
    terms = np.array(coefficients, dtype=flat.dtype)
    result = torch.empty_like(maps.cells)
    walked = result.numpy()
    ones = PaddedMaps(torch.ones_like(scores[:1, :1]), radius).flat[0, 0].numpy()

    def walk_sample(b: int, pool: ThreadPoolExecutor | None) -> None:
        field = PaddedMaps(weights[b : b + 1, [p for p, _ in used]], radius).flat[0].numpy()
        inverse_degree = _inverse_degree(field, shifts, ones, margin)

        def walk_map(k: int) -> None:
            _walk(field, shifts, inverse_degree, flat[b, k], margin, terms, walked[b, k])

        list(map(walk_map, range(count)) if pool is None else pool.map(walk_map, range(count)))

    threads = min(torch.get_num_threads(), count)
    if threads > 1 and count * maps.length * len(shifts) * len(terms) > THREADED_OPERATIONS:
        with ThreadPoolExecutor(threads) as pool:
            for b in range(batch):
                walk_sample(b, pool)
    else:
        for b in range(batch):
            walk_sample(b, None)
    return maps.unpad(result)
