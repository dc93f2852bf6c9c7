"""The Chebyshev walk on CUDA: one fused Triton kernel a product, for the whole batch."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from .affinity import offset_list
from .chebyshev import Product
from .stencil import PaddedMaps, inverse_degree

BLOCK_CELLS = 128
BLOCK_MAPS = 4


@triton.jit(do_not_specialize=['j'])
def _step(
    weights,
    shifts,
    inverse_degree,
    current,
    following,
    change,
    walked,
    schedule,
    j,
    count,
    length,
    margin,
    num_shifts,
    BLOCK_MAPS: tl.constexpr,
    BLOCK_CELLS: tl.constexpr,
):
    """Product j of a schedule (S, 3): the maps in ``current`` after it into ``following``, and its part of the result
    added to ``walked``."""
    sample = tl.program_id(0).to(tl.int64)
    plane = length + 2 * margin
    cells = tl.program_id(1) * BLOCK_CELLS + tl.arange(0, BLOCK_CELLS)
    maps = tl.program_id(2) * BLOCK_MAPS + tl.arange(0, BLOCK_MAPS)
    valid = cells < length
    both = (maps < count)[:, None] & valid[None, :]
    at = ((sample * count + maps) * plane)[:, None] + (margin + cells)[None, :]
    to = sample * num_shifts * plane + margin + cells

    here = tl.load(current + at, mask=both, other=0.0)
    total = tl.zeros_like(here)
    for p in range(num_shifts):
        shift = tl.load(shifts + p)
        ahead = tl.load(weights + to, mask=valid, other=0.0)
        behind = tl.load(weights + to - shift, mask=valid, other=0.0)
        total += ahead[None, :] * (tl.load(current + at + shift, mask=both, other=0.0) - here)
        total += behind[None, :] * (tl.load(current + at - shift, mask=both, other=0.0) - here)
        to += plane

    inverse = tl.load(inverse_degree + sample * length + cells, mask=valid, other=0.0)
    keep, factor, tail = tl.load(schedule + 3 * j), tl.load(schedule + 3 * j + 1), tl.load(schedule + 3 * j + 2)
    out = ((sample * count + maps) * length)[:, None] + cells[None, :]
    value = keep * tl.load(change + out, mask=both, other=0.0) + factor * (total * inverse[None, :])
    tl.store(change + out, value, mask=both)
    tl.store(following + at, here + value, mask=both)
    tl.store(walked + out, tl.load(walked + out, mask=both, other=0.0) + tail * value, mask=both)


def walk(weights: Tensor, scores: Tensor, schedule: tuple[Product, ...], radius: int) -> Tensor:
    """Walks every map of a batch.

    Args:
        weights (Tensor): float32 or float64 (B, P, H, W) on a CUDA device, as of ``edge_weights``.
        scores (Tensor): (B, K, H, W) of the same dtype and device.
        schedule (tuple[Product, ...]): As of ``walk_schedule``.
        radius (int): Strict radius of the stencil.

    Returns:
        Tensor: (B, K, H, W).
    """
    batch, count, _, width = scores.shape
    row = width + radius - 1
    shifts = torch.tensor([dy * row + dx for dy, dx in offset_list(radius)], dtype=torch.int64, device=scores.device)
    field = PaddedMaps(weights, radius)
    inverse = inverse_degree(field, radius).contiguous()
    products = torch.tensor(schedule, dtype=scores.dtype, device=scores.device)
    current, following = PaddedMaps(scores, radius), PaddedMaps(torch.zeros_like(scores), radius)
    change, walked = torch.zeros_like(current.cells), torch.zeros_like(current.cells)
    grid = batch, triton.cdiv(current.length, BLOCK_CELLS), triton.cdiv(count, BLOCK_MAPS)
    for j in range(len(schedule)):
        _step[grid](field.flat, shifts, inverse, current.flat, following.flat, change, walked, products, j, count,
                    current.length, current.margin, len(shifts), BLOCK_MAPS, BLOCK_CELLS)  # fmt: skip
        current, following = following, current
    return scores + current.unpad(walked)
