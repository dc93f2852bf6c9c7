"""Pairwise affinities between the cells of a grid, and the labels they are trained with.

An affinity field is a stencil of shape (B, P, H, W): entry ``[b, p, y, x]`` is the affinity between cell
(y, x) and cell (y + dy, x + dx), where (dy, dx) is row p of :func:`neighbor_offsets`. Every unordered pair of
cells closer than ``radius`` is stored once, a target outside the grid has the value 0, and the affinity of a
cell with itself is 1 and not stored.

Source of the formulas: Ahn & Kwak, *Learning Pixel-level Semantic Affinity with Image-level Supervision for
Weakly Supervised Semantic Segmentation*, CVPR 2018 (AffinityNet); for :func:`edge_to_affinity`, Ahn, Cho &
Kwak, *Weakly Supervised Learning of Instance Segmentation with Inter-pixel Relations*, CVPR 2019 (IRNet).
"""

from collections.abc import Iterator
from functools import lru_cache, reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .checks import check_float_map, check_integer, describe, is_recorded

BORDERS = ('full', 'reference')
BACKGROUND_PAIR, FOREGROUND_PAIR, NEGATIVE_PAIR, NO_PAIR = 0, 1, 2, 255
IGNORE_INDEX = 255
# Strict radius in cells, of AffinityNet's training and walk and of IRNet's walk.
RADIUS = 5
LOSS_EPS = 1e-5
Window = tuple[slice, slice]


@lru_cache(maxsize=32)
def offset_list(radius: int) -> tuple[tuple[int, int], ...]:
    """Rows (dy, dx) of :func:`neighbor_offsets` as plain integers.

    Examples:
        >>> offset_list(2)
        ((0, 1), (1, -1), (1, 0), (1, 1))
    """
    if not isinstance(radius, int) or radius < 2:
        raise ValueError(f'radius must be an integer of at least 2, got {radius!r}')
    offsets = [(0, dx) for dx in range(1, radius)]
    for dy in range(1, radius):
        offsets += [(dy, dx) for dx in range(1 - radius, radius) if dy * dy + dx * dx < radius * radius]
    return tuple(offsets)


def radius_of(num_offsets: int) -> int:
    """Radius whose half-plane disc has ``num_offsets`` offsets.

    Raises:
        ValueError: If no radius has that many offsets.

    Examples:
        >>> radius_of(34)
        5
    """
    radius = 2
    while len(offset_list(radius)) < num_offsets:
        radius += 1
    if len(offset_list(radius)) != num_offsets:
        raise ValueError(f'affinity has {num_offsets} offsets on axis 1, which is the half-plane disc of no radius')
    return radius


def neighbor_offsets(radius: int) -> Tensor:
    """Offsets of the half-plane disc: the neighbors closer than ``radius`` cells, each direction once.

    Args:
        radius (int): Strict radius in cells, at least 2. 5 gives 34 offsets, 10 gives 152.

    Returns:
        Tensor: int64 (P, 2), rows (dy, dx): first (0, 1..radius-1), then for each dy from 1 the dx in
            ascending order.

    Raises:
        ValueError: If ``radius`` is not an integer of at least 2.

    Examples:
        >>> neighbor_offsets(2).tolist()
        [[0, 1], [1, -1], [1, 0], [1, 1]]
        >>> len(neighbor_offsets(5))
        34
    """
    return torch.tensor(offset_list(radius), dtype=torch.long)


def source_window(height: int, width: int, dy: int, dx: int, radius: int, border: str) -> Window:
    """Rows and columns of the cells whose pair at (dy, dx) is stored; empty slices where there are none.

    Examples:
        >>> source_window(4, 6, dy=1, dx=-2, radius=3, border='full')
        (slice(0, 3, None), slice(2, 6, None))
        >>> source_window(4, 6, dy=1, dx=-2, radius=3, border='reference')
        (slice(0, 2, None), slice(2, 4, None))
    """
    if border == 'reference':
        top, bottom, left, right = 0, height - (radius - 1), radius - 1, width - (radius - 1)
    else:
        top, bottom, left, right = 0, height - dy, max(0, -dx), width - max(0, dx)
    return slice(top, max(top, bottom)), slice(left, max(left, right))


@lru_cache(maxsize=256)
def pair_windows(height: int, width: int, radius: int, border: str) -> tuple[tuple[int, Window, Window], ...]:
    """Offsets that have pairs on a grid: index p, source (rows, columns), target (rows, columns) of each.

    Examples:
        >>> for p, source, target in pair_windows(1, 3, radius=2, border='full'):
        ...     print(p, source, target)
        0 (slice(0, 1, None), slice(0, 2, None)) (slice(0, 1, None), slice(1, 3, None))
    """
    if border not in BORDERS:
        raise ValueError(f'border must be one of {BORDERS}, got {border!r}')
    windows = []
    for p, (dy, dx) in enumerate(offset_list(radius)):
        rows, cols = source_window(height, width, dy, dx, radius, border)
        if rows.start == rows.stop or cols.start == cols.stop:
            continue
        target = slice(rows.start + dy, rows.stop + dy), slice(cols.start + dx, cols.stop + dx)
        windows.append((p, (rows, cols), target))
    return tuple(windows)


def _check_label_map(label_map: Tensor) -> None:
    if not isinstance(label_map, Tensor) or label_map.dim() != 3 or label_map.is_floating_point():
        raise ValueError(f'label_map must be an integer tensor (B, H, W), got {describe(label_map)}')
    if label_map.numel() == 0:
        raise ValueError(f'label_map must not be empty, got {tuple(label_map.shape)}')


@lru_cache(maxsize=64)
def pair_mask(height: int, width: int, radius: int, border: str, device: torch.device) -> Tensor:
    """bool (P, H, W): which entries of a field are pairs.

    Examples:
        >>> pair_mask(1, 3, 2, 'full', torch.device('cpu'))[0].tolist()
        [[True, True, False]]
    """
    mask = torch.zeros(len(offset_list(radius)), height, width, dtype=torch.bool)
    for p, source, _ in pair_windows(height, width, radius, border):
        mask[(p, *source)] = True
    return mask.to(device)


class _PaddedBlocks:
    """Cuts features (B, C, H, W) into padded blocks that fit a cache, in which an offset is a 1-D shift.

    With radius - 1 zero columns on the right and more zero rows below, cell (y, x) has the flat index
    ``y * row + x``, and its neighbor at (dy, dx) lies ``dy * row + dx`` further, inside the grid or not.
    """

    BLOCK_CPU = 2**19
    BLOCK_CUDA = 2**26

    def __init__(self, features: Tensor, radius: int, border: str, dtype: torch.dtype):
        self.features = features
        batch, channels, self.height, self.width = features.shape
        self.row = self.width + radius - 1
        self.length = self.height * self.row
        budget = self.BLOCK_CPU if features.device.type == 'cpu' else self.BLOCK_CUDA
        self.channels = max(1, min(channels, budget // self.length))
        self.samples = max(1, min(batch, budget // (self.length * self.channels)))
        self.padded_size = self.height + radius, self.row
        self.dtype, self.device = dtype, features.device
        offsets = offset_list(radius)
        present = [p for p, _, _ in pair_windows(self.height, self.width, radius, border)]
        self.shifts = [(p, offsets[p][0] * self.row + offsets[p][1]) for p in present]

    def padded(self, samples: int, channels: int) -> Tensor:
        return torch.zeros(samples, channels, *self.padded_size, dtype=self.dtype, device=self.device)

    def __iter__(self) -> Iterator[tuple[slice, slice, Tensor]]:
        """Yields (sample slice, channel slice, padded features of those with the grid flattened)."""
        batch, channels = self.features.shape[:2]
        for first in range(0, batch, self.samples):
            rows = slice(first, min(batch, first + self.samples))
            for start in range(0, channels, self.channels):
                cols = slice(start, min(channels, start + self.channels))
                block = self.padded(rows.stop - rows.start, cols.stop - cols.start)
                block[:, :, : self.height, : self.width] = self.features[rows, cols]
                yield rows, cols, block.flatten(2)


class _PairwiseAffinity(torch.autograd.Function):
    """exp(-mean |f_i - f_j|) one offset at a time; the backward pass computes the differences again."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, radius: int, border: str) -> Tensor:
        batch, channels, height, width = features.shape
        dtype = torch.float32 if features.dtype in (torch.float16, torch.bfloat16) else features.dtype
        blocks = _PaddedBlocks(features, radius, border, dtype)
        distance = features.new_zeros(batch, len(offset_list(radius)), blocks.length, dtype=dtype)
        for rows, _, block in blocks:
            sources = block[:, :, : blocks.length]
            difference = torch.empty_like(sources)
            for p, shift in blocks.shifts:
                torch.sub(sources, block[:, :, shift : shift + blocks.length], out=difference)
                distance[rows, p] += difference.abs_().sum(1)
        mask = pair_mask(height, width, radius, border, features.device)
        grid = distance.unflatten(2, (height, blocks.row))[..., :width]
        out = torch.where(mask, torch.exp(grid * (-1 / channels)), 0)
        ctx.save_for_backward(features, out)
        ctx.radius, ctx.border = radius, border
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor, None, None]:
        features, out = ctx.saved_tensors
        channels, height, width = features.shape[1:]
        blocks = _PaddedBlocks(features, ctx.radius, ctx.border, out.dtype)
        weights = F.pad(grad_out * out * (-1 / channels), (0, ctx.radius - 1)).flatten(2)
        grad = torch.empty_like(features)
        for rows, cols, block in blocks:
            sources = block[:, :, : blocks.length]
            sign = torch.empty_like(sources)
            total = blocks.padded(*block.shape[:2])
            flat = total.flatten(2)
            for p, shift in blocks.shifts:
                torch.sub(sources, block[:, :, shift : shift + blocks.length], out=sign)
                sign.sign_()
                weight = weights[rows, p, None]
                flat[:, :, : blocks.length].addcmul_(sign, weight)
                flat[:, :, shift : shift + blocks.length].addcmul_(sign, weight, value=-1)
            grad[rows, cols] = total[:, :, :height, :width].to(grad.dtype)
        return grad, None, None


def pairwise_affinity(features: Tensor, radius: int = RADIUS, border: str = 'full') -> Tensor:
    """Affinity of every pair of near cells: ``exp(-mean_c |f_ic - f_jc|)``.

    Differentiable. Neither pass stores differences of all pairs: the peak is a few copies of ``features``,
    and the cost is P * B * C * H * W operations. float16 and bfloat16 features are accumulated and returned
    in float32.

    Args:
        features (Tensor): Floating-point (B, C, H, W).
        radius (int): Strict radius in cells; the result has P = len(neighbor_offsets(radius)) channels.
        border (str): 'full' uses every pair inside the grid. 'reference' keeps only the sources the released
            AffinityNet code keeps: not the last radius - 1 rows, nor radius - 1 columns on either side.

    Returns:
        Tensor: (B, P, H, W) in (0, 1], and 0 where there is no pair.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> features = torch.tensor([0.0, 0.0, 5.0]).view(1, 1, 1, 3)
        >>> to_the_right = pairwise_affinity(features, radius=2)[0, 0, 0]
        >>> [round(value, 3) for value in to_the_right.tolist()]
        [1.0, 0.007, 0.0]
    """
    check_float_map('features', features, 'C')
    if features.shape[1] == 0:
        raise ValueError('features must have at least one channel')
    if border not in BORDERS:
        raise ValueError(f'border must be one of {BORDERS}, got {border!r}')
    offset_list(radius)
    if is_recorded():
        return _recordable_affinity(features, radius, border)
    return _PairwiseAffinity.apply(features, radius, border)


def _recordable_affinity(features: Tensor, radius: int, border: str) -> Tensor:
    """:func:`pairwise_affinity` in operations that know no size; slower, and its backward pass stores more.

    Blocks that are cut to fit a cache, and buffers that are written to, would be those of the recorded size.
    """
    features = features.float() if features.dtype in (torch.float16, torch.bfloat16) else features
    height, width = features.shape[2:]
    sources = torch.ones_like(features[0, 0])
    targets = _Surroundings(sources, radius)
    if border == 'reference':
        rows, columns = (torch.arange(side, device=features.device) for side in (height, width))
        kept = (columns >= radius - 1) & (columns < width - (radius - 1))
        sources = sources * ((rows < height - (radius - 1))[:, None] & kept)
    others = _Surroundings(features, radius)
    fields = [
        torch.exp(-(features - others.at(*offset)).abs().mean(1)) * (sources * targets.at(*offset))
        for offset in offset_list(radius)
    ]
    return torch.stack(fields, 1)


class _Surroundings:
    """Maps (..., H, W) and what lies around each of their cells, zero outside the grid; knows no size.

    Args:
        maps (Tensor): (..., H, W).
        radius (int): Strict radius that offsets stay within.
    """

    def __init__(self, maps: Tensor, radius: int):
        self.height, self.width = maps.shape[-2:]
        self.reach = radius - 1
        self.padded = F.pad(maps, (self.reach, self.reach, 0, self.reach))

    def at(self, dy: int, dx: int) -> Tensor:
        """The cell at an offset of the half-plane, of each cell (..., H, W)."""
        left = self.reach + dx
        return self.padded[..., dy : dy + self.height, left : left + self.width]


def pair_labels(
    label_map: Tensor,
    radius: int = RADIUS,
    border: str = 'full',
    ignore_index: int = IGNORE_INDEX,
    with_background: bool = True,
) -> Tensor:
    """Label of every pair of near cells.

    Cost: a few operations for each of the B * P * H * W pairs. Source: Ahn & Kwak, CVPR 2018, section 3.3.

    Args:
        label_map (Tensor): Integer (B, H, W): 0 background, other values classes, ``ignore_index`` neutral.
        radius (int): Strict radius in cells.
        border (str): As in :func:`pairwise_affinity`.
        ignore_index (int): Value of neutral cells.
        with_background (bool): Whether class 0 is the background. Where it is not, a pair of equal cells of
            class 0 is a foreground pair like any other.

    Returns:
        Tensor: uint8 (B, P, H, W). 0: both background, 1: the same foreground class, 2: different classes,
        255: no valid pair (a neutral cell, or no cell).

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> label_map = torch.tensor([[[0, 0, 7, 7, 255]]])
        >>> pair_labels(label_map, radius=2)[0, 0].tolist()  # with the cell on the right
        [[0, 2, 1, 255, 255]]
    """
    _check_label_map(label_map)
    batch, height, width = label_map.shape
    windows = pair_windows(height, width, radius, border)
    labels = torch.full(
        (batch, len(offset_list(radius)), height, width), NO_PAIR, dtype=torch.uint8, device=label_map.device
    )
    valid = label_map != ignore_index
    kind = torch.full_like(label_map, FOREGROUND_PAIR, dtype=torch.uint8)
    if with_background:
        kind[label_map == 0] = BACKGROUND_PAIR
    for p, source, target in windows:
        here, there = label_map[(slice(None), *source)], label_map[(slice(None), *target)]
        label = torch.where(here == there, kind[(slice(None), *source)], NEGATIVE_PAIR)
        both = valid[(slice(None), *source)] & valid[(slice(None), *target)]
        labels[(slice(None), p, *source)] = torch.where(both, label, NO_PAIR).to(torch.uint8)
    return labels


def pool_label_map(label_map: Tensor, stride: int = 8, ignore_index: int = IGNORE_INDEX) -> Tensor:
    """Reduce a label map to the grid of the network: each cell takes the most frequent class of its block.

    A block of which more than half is neutral becomes neutral, and so does one where two classes tie. Where
    ``stride`` does not divide the size, the blocks of the last row and column are partial. Cost: a few
    operations a pixel for each class in the map.

    Args:
        label_map (Tensor): Integer (B, H, W), values in [0, 255].
        stride (int): Side of a block in pixels.
        ignore_index (int): Value of neutral pixels and cells.

    Returns:
        Tensor: (B, ceil(H / stride), ceil(W / stride)), dtype of ``label_map``.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> label_map = torch.tensor([[[3, 3, 0, 7], [3, 0, 0, 7]]])
        >>> pool_label_map(label_map, stride=2).tolist()  # the second block is a tie
        [[[3, 255]]]
    """
    _check_label_map(label_map)
    stride = check_integer('stride', stride, least=1)

    def block_sums(mask: Tensor) -> Tensor:
        return F.avg_pool2d(mask.float(), stride, ceil_mode=True, divisor_override=1)

    best = block_sums(torch.zeros_like(label_map))
    pooled = torch.full_like(best, ignore_index, dtype=label_map.dtype)
    for value in torch.unique(label_map).tolist():
        if value == ignore_index:
            continue
        votes = block_sums(label_map == value)
        pooled = torch.where(votes > best, value, torch.where(votes == best, ignore_index, pooled))
        best = torch.maximum(votes, best)
    neutral = block_sums(label_map == ignore_index)
    area = block_sums(torch.ones_like(label_map))
    return torch.where(neutral * 2 > area, ignore_index, pooled).to(label_map.dtype)


def affinity_loss(affinity: Tensor, pair_labels: Tensor) -> dict[str, Tensor]:
    """Cross entropy of the affinities with the labels of their pairs, each kind of pair on its own.

    ``loss_bg`` and ``loss_fg`` are the means of ``-log(a + 1e-5)`` over the background and foreground pairs,
    ``loss_neg`` is the mean of ``-log(1 + 1e-5 - a)`` over the pairs of different classes; each over the
    whole batch, its denominator increased by 1e-5, so that a kind that does not occur contributes 0.
    AffinityNet trains with ``loss_bg / 4 + loss_fg / 4 + loss_neg / 2`` (Ahn & Kwak, CVPR 2018, eq. 8).

    Args:
        affinity (Tensor): Floating-point (B, P, H, W) in [0, 1], as of :func:`pairwise_affinity`.
        pair_labels (Tensor): uint8 (B, P, H, W), as of :func:`pair_labels`.

    Returns:
        dict[str, Tensor]: ``loss_bg``, ``loss_fg`` and ``loss_neg``, scalars (float32 at least).

    Raises:
        ValueError: If an argument has the wrong shape or dtype.

    Examples:
        >>> affinity = torch.tensor([0.9, 0.9]).view(1, 1, 1, 2)
        >>> labels = torch.tensor([1, 2], dtype=torch.uint8).view(1, 1, 1, 2)
        >>> {name: round(value.item(), 2) for name, value in affinity_loss(affinity, labels).items()}
        {'loss_bg': 0.0, 'loss_fg': 0.11, 'loss_neg': 2.3}
    """
    check_float_map('affinity', affinity, 'P')
    if not isinstance(pair_labels, Tensor) or pair_labels.shape != affinity.shape or pair_labels.is_floating_point():
        raise ValueError(f'pair_labels must be an integer tensor of the shape of affinity {tuple(affinity.shape)}')
    if affinity.dtype in (torch.float16, torch.bfloat16):
        affinity = affinity.float()

    def mean_over(kind: int) -> Tensor:
        chosen = pair_labels == kind
        term = -torch.log(1 + LOSS_EPS - affinity if kind == NEGATIVE_PAIR else affinity + LOSS_EPS)
        return torch.where(chosen, term, 0).sum() / (chosen.sum() + LOSS_EPS)

    return dict(
        loss_bg=mean_over(BACKGROUND_PAIR),
        loss_fg=mean_over(FOREGROUND_PAIR),
        loss_neg=mean_over(NEGATIVE_PAIR),
    )


@lru_cache(maxsize=1024)
def path_cells(dy: int, dx: int) -> tuple[tuple[int, int], ...]:
    """Cells in the bounding box of the segment (0, 0)-(dy, dx) that are less than 1 from its line.

    Examples:
        >>> path_cells(0, 3)
        ((0, 0), (0, 1), (0, 2), (0, 3))
        >>> path_cells(1, 2)
        ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2))
    """
    squared = dy * dy + dx * dx
    ys, xs = range(min(0, dy), max(0, dy) + 1), range(min(0, dx), max(0, dx) + 1)
    return tuple((y, x) for y in ys for x in xs if (dy * x - dx * y) ** 2 < squared)


def edge_to_affinity(edge: Tensor, radius: int = RADIUS) -> Tensor:
    """Affinity of near cells from a map of class boundaries: 1 minus the strongest boundary on the way.

    ``a_ij = 1 - max_k edge_k`` over the cells k of the path from i to j, both ends included (Ahn, Cho & Kwak,
    CVPR 2019, eq. 3). Cost: B * H * W times the lengths of the P paths, 242 in all for radius 5. The field is
    a source of affinities for ``random_walk`` like that of AffinityNet.

    Args:
        edge (Tensor): Floating-point (B, 1, H, W) in [0, 1], the probability of a boundary.
        radius (int): Strict radius in cells.

    Returns:
        Tensor: (B, P, H, W) in [0, 1] in the order of :func:`neighbor_offsets`, 0 where there is no pair.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> edge = torch.tensor([0.0, 0.0, 1.0, 0.0]).view(1, 1, 1, 4)
        >>> edge_to_affinity(edge, radius=2)[0, 0].tolist()  # to the cell on the right
        [[1.0, 0.0, 0.0, 0.0]]
    """
    check_float_map('edge', edge, '1')
    if edge.shape[1] != 1:
        raise ValueError(f'edge must have one channel, got {edge.shape[1]}')
    batch, _, height, width = edge.shape
    plane = edge[:, 0]
    offsets = offset_list(radius)
    if is_recorded():
        edges, inside = _Surroundings(plane, radius), _Surroundings(torch.ones_like(plane), radius)
        strongest = [reduce(torch.maximum, (edges.at(*cell) for cell in path_cells(*offset))) for offset in offsets]
        return torch.stack([(1 - most) * inside.at(*offset) for most, offset in zip(strongest, offsets)], 1)
    out = edge.new_zeros(batch, len(offsets), height, width)
    for p, (ys, xs), _ in pair_windows(height, width, radius, 'full'):
        path = [plane[:, ys.start + y : ys.stop + y, xs.start + x : xs.stop + x] for y, x in path_cells(*offsets[p])]
        out[:, p, ys, xs] = 1 - reduce(torch.maximum, path)
    return out
