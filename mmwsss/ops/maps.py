"""Score maps on grids and on images: resizing, cells, the background, and labels.

Maps have the axes (..., K, H, W), where K counts the classes and may be 0.
"""

from collections.abc import Sequence
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from .affinity import IGNORE_INDEX
from .checks import check_integer, describe

SUM_FLOOR = 1e-8


def _check_maps(maps: Tensor, axes: str = '(..., K, H, W)') -> None:
    if not isinstance(maps, Tensor) or maps.dim() < 3 or not maps.is_floating_point():
        raise ValueError(f'maps must be a floating-point tensor {axes}, got {describe(maps)}')


def _check_size(name: str, size: Sequence[int]) -> tuple[int, int]:
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f'{name} must be two positive integers (rows, columns), got {size!r}')
    # Sizes that are recorded, for images of other sizes, must not become numbers.
    recorded = torch.jit.is_tracing() or any(isinstance(side, torch.SymInt) for side in size)
    return (size[0], size[1]) if recorded else (int(size[0]), int(size[1]))


def resize_maps(maps: Tensor, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """Resize maps bilinearly.

    Args:
        maps (Tensor): Floating-point (..., K, h, w); K and the batch may be 0.
        size (Sequence[int]): Height H and width W.
        align_corners (bool): Whether the centers of the corner cells, not their corners, stay where they are.

    Returns:
        Tensor: (..., K, H, W); ``maps`` itself where it has this size.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> resize_maps(torch.tensor([[[0.0, 1.0]]]), (1, 4)).tolist()
        [[[0.0, 0.25, 0.75, 1.0]]]
    """
    _check_maps(maps, '(..., K, h, w)')
    size = _check_size('size', size)
    if tuple(maps.shape[-2:]) == size:
        return maps
    if 0 in maps.shape[:-2]:
        return maps.new_zeros(*maps.shape[:-2], *size)
    flat = maps[None] if maps.dim() == 3 else maps.flatten(0, -4)
    resized = F.interpolate(flat, size=size, mode='bilinear', align_corners=align_corners)
    return resized.view(*maps.shape[:-2], *size)


def crop_to_covered(maps: Tensor, covered: Sequence[int], stride: int) -> Tensor:
    """Bring maps on the grid of a network to the pixels of its input.

    The cells of a padded input reach beyond it: the maps are enlarged to ``stride`` pixels a cell, and what lies
    beyond the input is cut off.

    Args:
        maps (Tensor): Floating-point (..., K, h, w).
        covered (Sequence[int]): Height H and width W in pixels of the input before padding.
        stride (int): Pixels a cell.

    Returns:
        Tensor: (..., K, H, W), possibly a view.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value, or the grid is too small for ``covered``.

    Examples:
        >>> crop_to_covered(torch.tensor([[[0.0, 1.0]]]), (1, 3), 2).tolist()
        [[[0.0, 0.25, 0.75]]]
    """
    _check_maps(maps, '(..., K, h, w)')
    height, width = _check_size('covered', covered)
    stride = check_integer('stride', stride, least=1)
    rows, columns = maps.shape[-2] * stride, maps.shape[-1] * stride
    if height > rows or width > columns:
        raise ValueError(f'covered must be at most {(rows, columns)}, which the cells reach, got {(height, width)}')
    return resize_maps(maps, (rows, columns), align_corners=False)[..., :height, :width]


def pool_to_cells(maps: Tensor, cells: Sequence[int], stride: int) -> Tensor:
    """Average maps over the cells of a grid; zeros fill the cells that reach beyond.

    Args:
        maps (Tensor): Floating-point (..., K, H, W); K and the batch may be 0.
        cells (Sequence[int]): Rows h and columns w of the grid, enough to cover the maps.
        stride (int): Pixels a cell.

    Returns:
        Tensor: (..., K, h, w).

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value, or the grid is too small for the maps.

    Examples:
        >>> pool_to_cells(torch.ones(1, 2, 3), (1, 2), 2).tolist()
        [[[1.0, 0.5]]]
    """
    _check_maps(maps)
    cells = _check_size('cells', cells)
    stride = check_integer('stride', stride, least=1)
    down, right = cells[0] * stride - maps.shape[-2], cells[1] * stride - maps.shape[-1]
    if min(down, right) < 0:
        raise ValueError(
            f'cells {cells} of {stride} pixels must cover the maps, which are {tuple(maps.shape[-2:])} pixels'
        )
    if 0 in maps.shape[:-2]:
        return maps.new_zeros(*maps.shape[:-2], *cells)
    flat = maps if maps.dim() == 3 else maps.flatten(0, -4)
    return F.avg_pool2d(F.pad(flat, (0, right, 0, down)), stride).view(*maps.shape[:-2], *cells)


def background_score(cams: Tensor, alpha: float) -> Tensor:
    """Score of the background: ``(1 - max_k cams_k)^alpha`` (Ahn & Kwak, CVPR 2018, eq. 2).

    Args:
        cams (Tensor): Floating-point (..., K, H, W) in [0, 1]; K may be 0.
        alpha (float): Exponent, positive; the larger, the less background.

    Returns:
        Tensor: (..., 1, H, W), dtype of ``cams``; ones where K = 0.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> background_score(torch.tensor([[[0.0, 0.5, 1.0]]]), alpha=2).tolist()
        [[[1.0, 0.25, 0.0]]]
    """
    if not isinstance(cams, Tensor) or cams.dim() < 3 or not cams.is_floating_point():
        raise ValueError(f'cams must be a floating-point tensor (..., K, H, W), got {describe(cams)}')
    if not alpha > 0:
        raise ValueError(f'alpha must be positive, got {alpha!r}')
    if cams.shape[-3] == 0:
        return cams.new_ones(*cams.shape[:-3], 1, *cams.shape[-2:])
    return (1 - cams.amax(-3, keepdim=True)).clamp_(min=0) ** alpha


def add_background(maps: Tensor, alpha: float | None = None, score: float | None = None) -> Tensor:
    """Put a map of the background in front.

    Args:
        maps (Tensor): Floating-point (..., K, H, W) in [0, 1]; K may be 0.
        alpha (float, optional): Exponent of :func:`background_score`.
        score (float, optional): Constant score of the background in [0, 1], in place of ``alpha``.

    Returns:
        Tensor: (..., 1 + K, H, W), dtype of ``maps``.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value, or not exactly one of ``alpha`` and ``score`` is
            given.

    Examples:
        >>> maps = torch.tensor([[[0.0, 0.5, 1.0]]])
        >>> add_background(maps, alpha=2).tolist()
        [[[1.0, 0.25, 0.0]], [[0.0, 0.5, 1.0]]]
        >>> add_background(maps, score=0.25).tolist()
        [[[0.25, 0.25, 0.25]], [[0.0, 0.5, 1.0]]]
    """
    _check_maps(maps)
    if alpha is not None and score is None:
        return torch.cat([background_score(maps, alpha), maps], -3)
    if score is None or alpha is not None:
        raise ValueError(f'exactly one of alpha and score must be given, got alpha {alpha!r} and score {score!r}')
    if not 0 <= score <= 1:
        raise ValueError(f'score must be in [0, 1], got {score!r}')
    background = maps.new_full((*maps.shape[:-3], 1, *maps.shape[-2:]), score)
    return torch.cat([background, maps], -3)


@torch.no_grad()
def label_of_scores(maps: Tensor, class_ids: Sequence[int] | Tensor, ignore_index: int = IGNORE_INDEX) -> Tensor:
    """Class of the best score of every pixel; the first of several that are best.

    Args:
        maps (Tensor): Floating-point (K, H, W), or (B, K, H, W).
        class_ids (Sequence[int] | Tensor): Class index of each map, (K,) or (B, K), in [0, 254]; -1 marks maps of a
            batch that only fill up an image with fewer classes: they never win.
        ignore_index (int): Value of all pixels of an image without maps.

    Returns:
        Tensor: uint8 (H, W), or (B, H, W).

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> maps = torch.tensor([[[0.1, 0.8]], [[0.9, 0.2]]])
        >>> label_of_scores(maps, [0, 7]).tolist()
        [[7, 0]]
        >>> label_of_scores(maps[:0], []).tolist()
        [[255, 255]]
    """
    if not isinstance(maps, Tensor) or maps.dim() not in (3, 4) or not maps.is_floating_point():
        raise ValueError(f'maps must be a floating-point tensor (K, H, W) or (B, K, H, W), got {describe(maps)}')
    class_ids = torch.as_tensor(class_ids, device=maps.device).long()
    if class_ids.shape != maps.shape[:-2]:
        raise ValueError(
            f'class_ids must name each map, of shape {tuple(maps.shape[:-2])}, got shape {tuple(class_ids.shape)}'
        )
    if ((class_ids < -1) | (class_ids > 254)).any():
        raise ValueError(f'class_ids must be in [0, 254], or -1, got {class_ids.tolist()}')
    if maps.shape[-3] == 0:
        return maps.new_full((*maps.shape[:-3], *maps.shape[-2:]), ignore_index, dtype=torch.uint8)
    absent = class_ids == -1
    if absent.any():
        maps = maps.masked_fill(absent[..., None, None], float('-inf'))
    values = class_ids.masked_fill(absent, ignore_index).to(torch.uint8)[..., None, None].unbind(-3)
    # One comparison a map: argmax over the outermost axis takes ten times as long on a CPU.
    planes = maps.unbind(-3)
    best, labels = planes[0], values[0].expand_as(planes[0])
    for plane, value in zip(planes[1:], values[1:], strict=True):
        labels = torch.where(plane > best, value, labels)
        best = torch.maximum(best, plane)
    return labels.contiguous()


@torch.no_grad()
def score_margin(maps: Tensor) -> Tensor:
    """By how much the best score of every pixel exceeds the second, where the scores of a pixel sum to 1.

    Args:
        maps (Tensor): Floating-point (..., K, H, W), not negative. The sum of a pixel's scores is taken as at least
            1e-8.

    Returns:
        Tensor: (..., H, W) in [0, 1], dtype of ``maps``. With fewer than two maps it is 1.

    Raises:
        ValueError: If the maps have the wrong shape or dtype.

    Examples:
        >>> score_margin(torch.tensor([[[3.0, 2.0]], [[1.0, 2.0]]])).tolist()
        [[0.5, 0.0]]
    """
    _check_maps(maps)
    if maps.shape[-3] < 2:
        return maps.new_ones(*maps.shape[:-3], *maps.shape[-2:])
    planes = maps.unbind(-3)
    best, second = torch.maximum(*planes[:2]), torch.minimum(*planes[:2])
    for plane in planes[2:]:
        second = torch.maximum(second, torch.minimum(best, plane))
        best = torch.maximum(best, plane)
    # One after the other: torch and numpy sum many maps in different orders.
    total = reduce(torch.add, planes).clamp_(min=SUM_FLOOR)
    return best / total - second / total


@torch.no_grad()
def unsure_pixels(maps: Tensor, margin: float) -> Tensor:
    """Pixels whose best score exceeds the second by less than a margin, where the scores of a pixel sum to 1.

    Args:
        maps (Tensor): Floating-point (..., K, H, W), not negative. The sum of a pixel's scores is taken as at least
            1e-8.
        margin (float): In [0, 1).

    Returns:
        Tensor: bool (..., H, W). With fewer than two maps, no pixel is unsure.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> maps = torch.tensor([[[3.0, 3.0]], [[1.0, 2.5]]])
        >>> unsure_pixels(maps, margin=0.2).tolist()
        [[False, True]]
    """
    if not 0 <= margin < 1:
        raise ValueError(f'margin must be in [0, 1), got {margin!r}')
    return score_margin(maps) < margin


@torch.no_grad()
def weight_of_margin(maps: Tensor, full_margin: float) -> Tensor:
    """How much each pixel counts: its margin as a share of one that is enough, at most 1.

    Args:
        maps (Tensor): As of :func:`score_margin`.
        full_margin (float): Margin from which on a pixel counts fully, in (0, 1].

    Returns:
        Tensor: (..., H, W) in [0, 1], dtype of ``maps``. With fewer than two maps it is 1.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> weight_of_margin(torch.tensor([[[3.0, 2.5]], [[1.0, 1.5]]]), full_margin=0.5).tolist()
        [[1.0, 0.5]]
    """
    if not 0 < full_margin <= 1:
        raise ValueError(f'full_margin must be in (0, 1], got {full_margin!r}')
    return (score_margin(maps) / full_margin).clamp_(max=1)


@torch.no_grad()
def share_of_agreement(labels: Sequence[Tensor]) -> Tensor:
    """Share of label maps that say of every pixel what the first one says, itself included.

    Args:
        labels (Sequence[Tensor]): Label maps of one integer dtype and one shape (..., H, W), one at least.

    Returns:
        Tensor: float32 (..., H, W) in (0, 1]; 1 where all agree.

    Raises:
        ValueError: If there is none, or they differ in shape.

    Examples:
        >>> share_of_agreement([torch.tensor([[1, 2]]), torch.tensor([[1, 0]])]).tolist()
        [[1.0, 0.5]]
    """
    if not labels or any(one.shape != labels[0].shape for one in labels):
        raise ValueError(f'labels must be label maps of one shape, got {[tuple(one.shape) for one in labels]}')
    same = torch.stack([one == labels[0] for one in labels])
    return same.sum(0) / len(labels)


@torch.no_grad()
def label_of_two_scores(
    maps: Tensor, class_ids: Sequence[int] | Tensor, high: float, low: float, with_background: bool = True
) -> Tensor:
    """Class of every pixel where a high and a low score of the background lead to the same one, 255 elsewhere.

    A pixel whose best score exceeds ``high`` has that class; one without a score above ``low`` is background.

    Args:
        maps (Tensor): Floating-point (K, H, W) of the foreground; K may be 0.
        class_ids (Sequence[int] | Tensor): Class index of each map, (K,), in [0, 254].
        high (float): Score of a strong background.
        low (float): Score of a weak background, at most ``high``.
        with_background (bool): Whether class 0 is a background; without one, a pixel without a score above ``low`` is
            255, too. Defaults to True.

    Returns:
        Tensor: uint8 (H, W).

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Source: Ru, Zhan, Yu & Du, CVPR 2022 (AFA), whose constants of 0.7 and 0.25 in place of 0.55 and 0.35 are those of
    CoSA's teacher.

    Examples:
        >>> label_of_two_scores(torch.tensor([[[0.9, 0.5, 0.1]]]), [7], high=0.7, low=0.25).tolist()
        [[7, 255, 0]]
    """
    if not 0 <= low <= high:
        raise ValueError(f'low and high must be scores with 0 <= low <= high, got {low!r} and {high!r}')
    best = label_of_scores(maps, class_ids)
    if maps.dim() != 3:
        raise ValueError(f'maps must be those of one image, (K, H, W), got {describe(maps)}')
    top = maps.amax(0) if len(maps) else maps.new_zeros(maps.shape[1:])
    labels = best.masked_fill(top <= high, IGNORE_INDEX)
    return labels.masked_fill(top <= low, 0) if with_background else labels
