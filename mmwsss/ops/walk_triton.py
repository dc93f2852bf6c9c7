"""The Chebyshev walk on CUDA: one fused Triton kernel a product, for the whole batch."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from .stencil import PaddedMaps, used_shifts

BLOCK_CELLS = 128
BLOCK_MAPS = 4


@triton.jit(do_not_specialize=['j'])
def _step(
    weights,
    shifts,
    inverse_degree,
    current,
    previous,
    result,
    coefficients,
    j,
    count,
    length,
    margin,
    num_shifts,
    BLOCK_MAPS: tl.constexpr,
    BLOCK_CELLS: tl.constexpr,
):
    """``T_j`` into ``previous`` (which holds ``T_{j-2}``) from ``T_{j-1}`` in ``current``; adds its term to
    ``result``."""
    sample = tl.program_id(0).to(tl.int64)
    plane = length + 2 * margin
    cells = tl.program_id(1) * BLOCK_CELLS + tl.arange(0, BLOCK_CELLS)
    maps = tl.program_id(2) * BLOCK_MAPS + tl.arange(0, BLOCK_MAPS)
    valid = cells < length
    both = (maps < count)[:, None] & valid[None, :]
    at = ((sample * count + maps) * plane)[:, None] + (margin + cells)[None, :]
    to = sample * num_shifts * plane + margin + cells

    total = tl.load(current + at, mask=both, other=0.0)
    for p in range(num_shifts):
        shift = tl.load(shifts + p)
        ahead = tl.load(weights + to, mask=valid, other=0.0)
        behind = tl.load(weights + to - shift, mask=valid, other=0.0)
        total += ahead[None, :] * tl.load(current + at + shift, mask=both, other=0.0)
        total += behind[None, :] * tl.load(current + at - shift, mask=both, other=0.0)
        to += plane

    inverse = tl.load(inverse_degree + sample * length + cells, mask=valid, other=0.0)
    value = total * inverse[None, :]
    if j > 1:
        value = 2 * value - tl.load(previous + at, mask=both, other=0.0)
    tl.store(previous + at, value, mask=both)
    coefficient = tl.load(coefficients + j)
    out = result + ((sample * count + maps) * length)[:, None] + cells[None, :]
    tl.store(out, tl.load(out, mask=both, other=0.0) + coefficient * value, mask=both)


def walk(weights: Tensor, scores: Tensor, coefficients: tuple[float, ...], radius: int) -> Tensor:
    """Walks every map of a batch.

    Args:
        weights (Tensor): float32 or float64 (B, P, H, W) on a CUDA device, as of ``edge_weights``.
        scores (Tensor): (B, K, H, W) of the same dtype and device.
        coefficients (tuple[float, ...]): As of ``walk_coefficients``.
        radius (int): Strict radius of the stencil.

    Returns:
        Tensor: (B, K, H, W).
    """
    batch, count, height, width = scores.shape
    used = used_shifts(height, width, radius)
    shifts = torch.tensor([shift for _, shift in used], dtype=torch.int64, device=scores.device)
    field = PaddedMaps(weights[:, [p for p, _ in used]], radius).flat
    current, previous = PaddedMaps(scores, radius), PaddedMaps(torch.zeros_like(scores), radius)
    length, margin = current.length, current.margin

    def step(maps: PaddedMaps, target: PaddedMaps, result: Tensor, inverse: Tensor, terms: Tensor, j: int) -> None:
        number = maps.flat.shape[1]
        grid = batch, triton.cdiv(length, BLOCK_CELLS), triton.cdiv(number, BLOCK_MAPS)
        _step[grid](field, shifts, inverse, maps.flat, target.flat, result, terms, j, number, length, margin,
                    len(used), BLOCK_MAPS, BLOCK_CELLS)  # fmt: skip

    def degree() -> Tensor:
        ones = PaddedMaps(torch.ones_like(scores[:, :1]), radius)
        sums = PaddedMaps(torch.zeros_like(scores[:, :1]), radius)
        unit = torch.ones_like(ones.cells)
        step(
            ones,
            sums,
            torch.zeros_like(unit),
            unit,
            torch.zeros(2, dtype=scores.dtype, device=scores.device),
            1,
        )
        return sums.cells

    inverse_degree = degree().clamp(min=1).reciprocal()
    terms = torch.tensor(coefficients, dtype=scores.dtype, device=scores.device)
    result = current.cells * coefficients[0]
    for j in range(1, len(coefficients)):
        step(current, previous, result, inverse_degree, terms, j)
        current, previous = previous, current
    return current.unpad(result)
