"""Affinities of the cells of a grid by the angle between their features, which nothing is learned for.

The affinity of two cells is ``max(0, cos)^power`` of their features. All pairs of a grid are compared: an object is
often in two parts, and its far ends look alike. Where a grid has too many cells for that, only near ones are.

Scores spread once along the affinities: each cell takes the mean of the scores of all cells, weighted by their
affinity to it.

Source of the formula: the pixel correlation module of Wang, Zhang, Kan, Shan & Chen, *Self-supervised Equivariant
Attention Mechanism*, CVPR 2020 (SEAM), and its released code, where the power is 1 and the features are learned.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from .affinity import describe, neighbor_offsets
from .random_walk import random_walk

# N x N affinities of more cells take more than 400 MB an image.
MAX_CELLS = 10_000
POWER = 3.0
EPS = 1e-5


def cosine_affinity(features: Tensor, power: float = POWER) -> Tensor:
    """Affinity of all pairs of cells.

    Args:
        features (Tensor): Floating-point (B, D, h, w).
        power (float): Exponent, at least 1; the larger, the fewer cells are alike. Defaults to 3.

    Returns:
        Tensor: (B, h * w, h * w) in [0, 1], symmetric, cells in the order of rows. Differentiable.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value, or there are more than 10,000 cells.

    Examples:
        >>> features = torch.tensor([[[[2.0, 1.0, -3.0]], [[0.0, 1.0, 0.0]]]])
        >>> cosine_affinity(features, power=2).round(decimals=3).tolist()
        [[[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]]
    """
    _check(features, power)
    cells = features.shape[2] * features.shape[3]
    if cells > MAX_CELLS:
        raise ValueError(
            f'the affinity of all pairs takes at most {MAX_CELLS} cells, got {cells}; compare near cells alone, by a '
            'radius, or take coarser features'
        )
    unit = _unit(features).flatten(2)
    return (unit.transpose(1, 2) @ unit).clamp(0, 1) ** power


def cosine_stencil(features: Tensor, radius: int, power: float = POWER) -> Tensor:
    """Affinity of near cells.

    Args:
        features (Tensor): Floating-point (B, D, h, w).
        radius (int): Pairs are closer than this many cells; at least 2.
        power (float): As in :func:`cosine_affinity`. Defaults to 3.

    Returns:
        Tensor: Field (B, P, h, w) in [0, 1] over the pairs of :func:`neighbor_offsets`; 0 where the other cell lies
        outside the grid.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> features = torch.tensor([[[[2.0, 1.0, -3.0]], [[0.0, 1.0, 0.0]]]])
        >>> cosine_stencil(features, radius=2, power=2)[0, 0].round(decimals=3).tolist()
        [[0.5, 0.0, 0.0]]
    """
    _check(features, power)
    unit = _unit(features)
    rows, columns = unit.shape[2:]
    field = []
    for dy, dx in neighbor_offsets(radius).tolist():
        # An offset of the half-plane goes down, or right in its own row.
        left, right = max(0, -dx), max(0, dx)
        pair = unit.new_zeros(len(unit), rows, columns)
        if dy < rows and left + right < columns:
            source = unit[:, :, : rows - dy, left : columns - right]
            target = unit[:, :, dy:, left + dx : columns - right + dx]
            pair[:, : rows - dy, left : columns - right] = (source * target).sum(1)
        field.append(pair)
    return torch.stack(field, 1).clamp(0, 1) ** power


def spread_by_cosine(
    maps: Tensor,
    features: Tensor,
    power: float = POWER,
    num_steps: int = 1,
    radius: int | None = None,
    own_share: float = 0.0,
) -> Tensor:
    """Spread score maps among cells of similar features.

    Args:
        maps (Tensor): Floating-point (B, K, h, w); K may be 0.
        features (Tensor): Floating-point (B, D, h, w) of the same grid.
        power (float): As in :func:`cosine_affinity`. Defaults to 3.
        num_steps (int): How often. Defaults to 1, as in SEAM.
        radius (int, optional): Compare cells that are closer than this many. Defaults to None: all of them.
        own_share (float): Share of its score that a cell keeps in each step, in [0, 1); it takes the rest from all
            cells. For maps that are sharp already. Defaults to 0, as in SEAM.

    Returns:
        Tensor: (B, K, h, w), dtype of ``maps``. Each score is a mean of those of the map. Differentiable.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value, or there are too many cells for all pairs.

    Examples:
        >>> features = torch.tensor([[[[2.0, 1.0, -3.0]], [[0.0, 1.0, 0.0]]]])
        >>> spread_by_cosine(torch.tensor([[[[3.0, 0.0, 0.0]]]]), features, power=2).round(decimals=3).tolist()
        [[[[2.0, 1.0, 0.0]]]]
    """
    if not isinstance(maps, Tensor) or maps.dim() != 4 or not maps.is_floating_point():
        raise ValueError(f'maps must be a floating-point tensor (B, K, h, w), got {describe(maps)}')
    _check(features, power)
    if (len(maps), *maps.shape[2:]) != (len(features), *features.shape[2:]):
        raise ValueError(
            f'maps and features must be of the same images and grid, got {tuple(maps.shape)} and '
            f'{tuple(features.shape)}'
        )
    if isinstance(num_steps, bool) or not isinstance(num_steps, int) or num_steps < 0:
        raise ValueError(f'num_steps must be an integer of at least 0, got {num_steps!r}')
    if not 0 <= own_share < 1:
        raise ValueError(f'own_share must be in [0, 1), got {own_share!r}')
    step = _step_of_all(features, power, maps.dtype) if radius is None else _step_of_near(features, power, radius)
    for _ in range(num_steps):
        maps = torch.lerp(step(maps), maps, own_share) if own_share else step(maps)
    return maps


def _step_of_all(features: Tensor, power: float, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    affinity = cosine_affinity(features, power).to(dtype)
    transition = affinity / (affinity.sum(1, keepdim=True) + EPS)
    return lambda maps: (maps.flatten(2) @ transition).view(maps.shape)


def _step_of_near(features: Tensor, power: float, radius: int) -> Callable[[Tensor], Tensor]:
    field = cosine_stencil(features, radius, power)
    return lambda maps: random_walk(maps, field.to(maps.dtype), num_steps=1, beta=1)


def _unit(features: Tensor) -> Tensor:
    return features / (features.norm(dim=1, keepdim=True) + EPS)


def _check(features: Tensor, power: float) -> None:
    if not isinstance(features, Tensor) or features.dim() != 4 or not features.is_floating_point():
        raise ValueError(f'features must be a floating-point tensor (B, D, h, w), got {describe(features)}')
    if not power >= 1:
        raise ValueError(f'power must be at least 1, got {power!r}')
