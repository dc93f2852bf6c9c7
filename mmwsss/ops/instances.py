"""Instance masks of IRNet: which cells point to one center, and what the class maps of each center become.

Source: Ahn, Cho & Kwak, *Weakly Supervised Learning of Instance Segmentation with Inter-pixel Relations*, CVPR 2019,
section 5.2, and its released code.
"""

from collections.abc import Iterator

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from .checks import check_float_map, describe

NUM_SHIFTS = 300
# A displacement shorter than this many cells is that of a center.
CENTER_LENGTH = 2.5
BACKGROUND_SCORE = 0.25
# Parts that cover less than this share of an image are noise.
SMALLEST_SHARE = 0.01


def _check_displacement(displacement: Tensor) -> Tensor:
    """The displacements in float32 at least."""
    check_float_map('displacement', displacement, '2')
    if displacement.shape[1] != 2:
        raise ValueError(f'displacement must have two channels, got {displacement.shape[1]}')
    return displacement.float() if displacement.dtype in (torch.float16, torch.bfloat16) else displacement


@torch.no_grad()
def displacement_centroids(displacement: Tensor, num_iters: int = NUM_SHIFTS) -> Tensor:
    """Cells that cells end at, each of which follows the displacements of where it is: mean shift.

    A position between cells moves by the bilinear mean of the displacements around it and stays on the grid. At the
    end, it is rounded to a cell, halves to the even one.

    Args:
        displacement (Tensor): Floating-point (B, 2, H, W), (dy, dx) in cells.
        num_iters (int): How often each position moves. Defaults to 300.

    Returns:
        Tensor: int64 (B, 2, H, W), row and column of the cell that each cell ends at.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> displacement = torch.tensor([[0.0, 0.0, 0.0], [2.0, 1.0, 0.0]]).view(1, 2, 1, 3)
        >>> displacement_centroids(displacement)[0, 1].tolist()
        [[2, 2, 2]]
    """
    displacement = _check_displacement(displacement)
    if num_iters < 0:
        raise ValueError(f'num_iters must be at least 0, got {num_iters}')
    batch, _, height, width = displacement.shape
    values = displacement.flatten(2)
    axes = (torch.arange(side, dtype=values.dtype, device=values.device) for side in (height, width))
    position = torch.stack(torch.meshgrid(*axes, indexing='ij')).expand(batch, 2, height, width).flatten(2)
    last = position.new_tensor([height - 1, width - 1]).view(1, 2, 1)

    def moved(row: Tensor, column: Tensor) -> Tensor:
        return values.gather(2, (row * width + column)[:, None].expand(-1, 2, -1))

    for _ in range(num_iters):
        (top, left), (bottom, right) = (one.long().unbind(1) for one in (position.floor(), position.ceil()))
        down, aside = (position - position.floor()).unsqueeze(2).unbind(1)
        upper = moved(top, left) * (1 - aside) + moved(top, right) * aside
        lower = moved(bottom, left) * (1 - aside) + moved(bottom, right) * aside
        position = position + upper * (1 - down) + lower * down
        position = torch.minimum(position.clamp(min=0), last)
    return position.round().long().view(batch, 2, height, width)


@torch.no_grad()
def displacement_clusters(
    displacement: Tensor, centroids: Tensor | None = None, center_length: float = CENTER_LENGTH
) -> Tensor:
    """Numbers of the centers that cells point to.

    Centers are the 4-connected areas of displacements shorter than ``center_length``. A cell has the number of the
    area that its centroid lies in. All cells whose centroid lies in none are one cluster, too.

    Args:
        displacement (Tensor): Floating-point (B, 2, H, W), (dy, dx) in cells.
        centroids (Tensor, optional): int64 (B, 2, H, W) of :func:`displacement_centroids`. Defaults to None: they are
            computed.
        center_length (float): In cells. Defaults to 2.5.

    Returns:
        Tensor: int64 (B, H, W), from 0 in each image without a gap; cells without a center come first, then areas in
        the raster order of their first cells.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> displacement = torch.tensor([[0.0] * 5, [3.0, 0.0, -9.0, 0.0, -3.0]]).view(1, 2, 1, 5)
        >>> displacement_clusters(displacement).tolist()
        [[[1, 0, 1, 1, 0]]]
    """
    displacement = _check_displacement(displacement)
    centroids = displacement_centroids(displacement) if centroids is None else centroids
    if centroids.shape != displacement.shape or centroids.is_floating_point():
        raise ValueError(f'centroids must be integer {tuple(displacement.shape)}, got {describe(centroids)}')
    short = displacement.square().sum(1).sqrt() < center_length
    clusters = []
    for area, (rows, columns) in zip(short.cpu().numpy(), centroids.cpu().numpy(), strict=True):
        numbers, _ = ndimage.label(area)
        _, inverse = np.unique(numbers[rows, columns], return_inverse=True)
        clusters.append(torch.from_numpy(inverse.reshape(rows.shape).astype(np.int64)))
    return torch.stack(clusters).to(displacement.device)


def split_by_cluster(maps: Tensor, clusters: Tensor) -> Tensor:
    """Each map, one cluster of cells at a time.

    Args:
        maps (Tensor): Floating-point (K, H, W).
        clusters (Tensor): int64 (H, W), from 0, of one image of :func:`displacement_clusters`.

    Returns:
        Tensor: (K * I, H, W) for I clusters, those of the first map first; 0 outside of their clusters.

    Raises:
        ValueError: If an argument has the wrong shape or dtype.

    Examples:
        >>> maps = torch.tensor([[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]])
        >>> split_by_cluster(maps, torch.tensor([[0, 1, 0]])).flatten(1).tolist()
        [[1.0, 0.0, 3.0], [0.0, 2.0, 0.0], [4.0, 0.0, 6.0], [0.0, 5.0, 0.0]]
    """
    if maps.dim() != 3 or not maps.is_floating_point():
        raise ValueError(f'maps must be floating-point (K, H, W), got {describe(maps)}')
    if clusters.shape != maps.shape[1:] or clusters.is_floating_point():
        raise ValueError(f'clusters must be integer {tuple(maps.shape[1:])}, got {describe(clusters)}')
    numbers = torch.arange(int(clusters.max()) + 1, device=clusters.device)
    return (maps[:, None] * (clusters == numbers.view(-1, 1, 1))).flatten(0, 1)


@torch.no_grad()
def best_channel(maps: Tensor, background_score: float | None = BACKGROUND_SCORE) -> tuple[Tensor, Tensor]:
    """The best map of every pixel, of maps that are divided by the one peak of all.

    Args:
        maps (Tensor): Floating-point, non-negative (K, H, W).
        background_score (float, optional): Score of the background in [0, 1]; None has none, so that every pixel with
            any score is that of a map. Defaults to 0.25.

    Returns:
        tuple[Tensor, Tensor]: The divided maps (K, H, W), and int64 (H, W), the number of the best map from 1, the
        first of several that are best, or 0 where the background is as good, or where all maps are 0.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> scaled, best = best_channel(torch.tensor([[[0.0, 0.2, 0.1]], [[0.0, 0.3, 0.8]]]))
        >>> scaled.flatten(1).tolist(), best.tolist()
        ([[0.0, 0.25, 0.125], [0.0, 0.375, 1.0]], [[0, 2, 2]])
    """
    if maps.dim() != 3 or not maps.is_floating_point():
        raise ValueError(f'maps must be floating-point (K, H, W), got {describe(maps)}')
    if background_score is not None and not 0 <= background_score <= 1:
        raise ValueError(f'background_score must be in [0, 1] or None, got {background_score!r}')
    peak = maps.max() if maps.numel() else maps.new_zeros(())
    scaled = maps / torch.where(peak > 0, peak, 1)
    background = maps.new_full((1, *maps.shape[1:]), background_score or 0)
    return scaled, torch.cat([background, scaled]).argmax(0)


@torch.no_grad()
def connected_parts(
    maps: Tensor, channels: Tensor, smallest_share: float = SMALLEST_SHARE
) -> tuple[Tensor, Tensor, Tensor]:
    """The 4-connected parts of the pixels of each map, and how high their map is in them.

    Args:
        maps (Tensor): Floating-point (K, H, W), as of :func:`best_channel`.
        channels (Tensor): int64 (H, W), the number of a map from 1, or 0.
        smallest_share (float): Parts of less than this share of all pixels have the score 0. Defaults to 0.01.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Of N parts, in the order of the maps and of their first pixels, bool (N, H, W)
        masks, int64 (N,) numbers of the maps from 0, and the highest value of the map in each, (N,).

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> maps = torch.tensor([[[0.5, 0.2, 0.9]], [[0.1, 0.3, 0.4]]])
        >>> masks, numbers, scores = connected_parts(maps, torch.tensor([[1, 2, 1]]))
        >>> masks.flatten(1).tolist()
        [[True, False, False], [False, False, True], [False, True, False]]
        >>> numbers.tolist(), [round(score, 1) for score in scores.tolist()]
        ([0, 0, 1], [0.5, 0.9, 0.3])
    """
    if maps.dim() != 3 or not maps.is_floating_point():
        raise ValueError(f'maps must be floating-point (K, H, W), got {describe(maps)}')
    if channels.shape != maps.shape[1:] or channels.is_floating_point():
        raise ValueError(f'channels must be integer {tuple(maps.shape[1:])}, got {describe(channels)}')
    if not 0 <= smallest_share <= 1:
        raise ValueError(f'smallest_share must be in [0, 1], got {smallest_share!r}')
    found = list(_parts_of(channels.cpu().numpy()))
    masks = torch.from_numpy(np.array([mask for _, mask in found], bool).reshape(-1, *channels.shape)).to(maps.device)
    numbers = torch.tensor([number for number, _ in found], dtype=torch.int64, device=maps.device)
    inside = torch.where(masks, maps[numbers], 0)
    scores = inside.flatten(1).amax(1) if found else maps.new_zeros(0)
    small = masks.flatten(1).sum(1) < smallest_share * channels.numel()
    return masks, numbers, torch.where(small, 0, scores)


def _parts_of(channels: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Number of the map, from 0, and pixels of each part."""
    for channel in np.unique(channels[channels > 0]):
        numbers, count = ndimage.label(channels == channel)
        for number in range(1, count + 1):
            yield int(channel) - 1, numbers == number
