"""Losses of two views of an image and the correlation of its pixels: the formulas of SEAM.

A classifier is trained with an image and with a smaller copy of it. Its class maps should be the same in both
(equivariant regularization), and the same as those that spread among the pixels that look alike in the other one
(equivariant cross regularization). Small values of the maps are pushed to zero (min pooling).

Maps of K classes are (B, K, h, w). Where a background is in front, they are (B, 1 + K, h, w); it is no output of the
network, but what the best class leaves.

Source of the formulas: Wang, Zhang, Kan, Shan & Chen, *Self-supervised Equivariant Attention Mechanism for Weakly
Supervised Semantic Segmentation*, CVPR 2020, sections 3.2 to 3.4, and its released code.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .checks import check_float_map, describe, is_recorded
from .maps import resize_maps

EPS = 1e-5
# Share of the differences that cross regularization counts, the largest, and of the pixels of min pooling, the least.
HARD_SHARE = 0.2
LOW_SHARE = 0.25
# Columns of the N x N correlation that are computed together.
BLOCK = 4096


def stretch_maps(maps: Tensor) -> Tensor:
    """Brings each map to [0, 1]: ``relu(p - min p - 1e-5) / (max p - min p + 1e-5)`` of ``p = relu(map)``.

    Args:
        maps (Tensor): Floating-point (B, K, h, w).

    Returns:
        Tensor: (B, K, h, w) in [0, 1]; zeros where a map is constant. Differentiable, through peaks and floors too.

    Raises:
        ValueError: If ``maps`` has the wrong shape or dtype.

    Examples:
        >>> stretch_maps(torch.tensor([[[[1.0, 2.0, 5.0]]]])).round(decimals=3).tolist()
        [[[[0.0, 0.25, 1.0]]]]
    """
    check_float_map('maps', maps, 'K')
    positive = maps.relu()
    low, high = positive.amin((2, 3), keepdim=True), positive.amax((2, 3), keepdim=True)
    return (positive - low - EPS).relu() / (high - low + EPS)


def add_rest(maps: Tensor) -> Tensor:
    """Puts the background in front, ``1 - max_c maps_c``.

    Args:
        maps (Tensor): Floating-point (B, K, h, w) in [0, 1], K at least 1.

    Returns:
        Tensor: (B, 1 + K, h, w). Differentiable.

    Raises:
        ValueError: If ``maps`` has the wrong shape or dtype.

    Examples:
        >>> add_rest(torch.tensor([[[[0.25]], [[0.75]]]])).flatten().tolist()
        [0.25, 0.25, 0.75]
    """
    check_float_map('maps', maps, 'K')
    return torch.cat([1 - maps.amax(1, keepdim=True), maps], 1)


def keep_best_class(maps: Tensor) -> Tensor:
    """Sets each class of a cell to zero but the best ones, whose values stay. The background stays everywhere.

    Args:
        maps (Tensor): Floating-point (B, 1 + K, h, w), background first, K at least 1.

    Returns:
        Tensor: (B, 1 + K, h, w).

    Raises:
        ValueError: If ``maps`` has the wrong shape or dtype.

    Examples:
        >>> keep_best_class(torch.tensor([[[[0.5]], [[0.2]], [[0.4]]]])).flatten().round(decimals=1).tolist()
        [0.5, 0.0, 0.4000000059604645]
    """
    check_float_map('maps', maps, '1 + K')
    background, classes = maps[:, :1], maps[:, 1:]
    best = classes.amax(1, keepdim=True)
    return torch.cat([background, torch.where(classes < best, classes.new_zeros(()), classes)], 1)


def correlation_input(raw_maps: Tensor) -> Tensor:
    """What is spread among correlated cells: maps divided by their peaks, with a background, the best class alone.

    ``n_c = relu(relu(raw_c) - 1e-5) / (max relu(raw_c) + 1e-5)`` for each class, then :func:`add_rest` and
    :func:`keep_best_class`. Image-level labels play no part.

    Args:
        raw_maps (Tensor): Class scores of the cells, floating-point (B, K, h, w), K at least 1.

    Returns:
        Tensor: (B, 1 + K, h, w) in [0, 1].

    Raises:
        ValueError: If ``raw_maps`` has the wrong shape or dtype.

    Examples:
        >>> correlation_input(torch.tensor([[[[-1.0, 2.0, 4.0]], [[3.0, 0.0, 1.0]]]])).round(decimals=2).tolist()
        [[[[0.0, 0.5, 0.0]], [[0.0, 0.5, 1.0]], [[1.0, 0.0, 0.0]]]]
    """
    check_float_map('raw_maps', raw_maps, 'K')
    positive = raw_maps.relu()
    peak = positive.amax((2, 3), keepdim=True) + EPS
    return keep_best_class(add_rest((positive - EPS).relu() / peak))


def spread_by_correlation(maps: Tensor, features: Tensor) -> Tensor:
    """Gives each cell the mean of the maps of all cells, weighted by ``relu(cos)`` of their features and its own.

    The result is that of :func:`mmwsss.ops.spread_by_cosine` with power 1, without its limit of the grid: the
    correlation of many cells is computed in blocks.

    Args:
        maps (Tensor): Floating-point (B, K, h, w).
        features (Tensor): Floating-point (B, D, h, w) of the same grid.

    Returns:
        Tensor: (B, K, h, w), dtype of ``maps``. Differentiable.

    Raises:
        ValueError: If an argument has the wrong shape or dtype.

    Examples:
        >>> features = torch.tensor([[[[2.0, 0.0, 3.0]], [[0.0, 1.0, 0.0]]]])
        >>> spread_by_correlation(torch.tensor([[[[1.0, 0.5, 0.0]]]]), features).round(decimals=3).tolist()
        [[[[0.5, 0.5, 0.5]]]]
    """
    check_float_map('maps', maps, 'K')
    check_float_map('features', features, 'D')
    if (maps.shape[0], *maps.shape[2:]) != (features.shape[0], *features.shape[2:]):
        raise ValueError(
            f'maps and features must be of the same images and grid, got {tuple(maps.shape)} and '
            f'{tuple(features.shape)}'
        )
    unit = (features / (features.norm(dim=1, keepdim=True) + EPS)).flatten(2)
    flat = maps.flatten(2)
    parts = []
    # While operations are recorded, other sizes have other blocks.
    for block in [unit] if is_recorded() else unit.split(BLOCK, dim=2):
        correlation = (unit.transpose(1, 2) @ block).relu().to(maps.dtype)
        parts.append(flat @ correlation / (correlation.sum(1, keepdim=True) + EPS))
    return torch.cat(parts, 2).view(maps.shape)


def equivariance_loss(first: Tensor, second: Tensor) -> Tensor:
    """Mean absolute difference of the maps of two views (ER).

    Args:
        first (Tensor): Floating-point (B, K, h, w) in [0, 1], zero in classes that an image lacks.
        second (Tensor): The same of the other view, at the same size.

    Returns:
        Tensor: Scalar; absent classes count as zeros.

    Raises:
        ValueError: If an argument has the wrong shape or dtype.

    Examples:
        >>> equivariance_loss(torch.tensor([[[[1.0, 0.5]]]]), torch.tensor([[[[0.5, 0.5]]]])).item()
        0.25
    """
    _check_pair(first, second)
    return (first - second).abs().mean()


def cross_regularization_loss(target: Tensor, output: Tensor) -> Tensor:
    """Mean of the largest fifth of the differences between maps of one view and spread maps of the other (ECR).

    Args:
        target (Tensor): Floating-point (B, 1 + K, h, w) of one view, background first; it gets no gradient, and
            only its best class of each cell counts.
        output (Tensor): The spread maps of the other view, of the same shape.

    Returns:
        Tensor: Scalar.

    Raises:
        ValueError: If an argument has the wrong shape or dtype.

    Examples:
        >>> target = torch.tensor([[[[0.0, 1.0]], [[1.0, 0.0]]]])
        >>> cross_regularization_loss(target, torch.tensor([[[[0.0, 0.5]], [[0.75, 0.0]]]])).item()
        0.5
    """
    _check_pair(target, output)
    differences = (keep_best_class(target.detach()) - output).abs().flatten(1)
    return differences.topk(max(int(differences.shape[1] * HARD_SHARE), 1), dim=1).values.mean()


def min_pooling_loss(maps: Tensor) -> Tensor:
    """Mean of the smallest quarter of the best class's values, which pushes what is background to zero.

    Args:
        maps (Tensor): Spread maps, floating-point (B, K, H, W), zero in classes that an image lacks.

    Returns:
        Tensor: Scalar; negative values count as zeros.

    Raises:
        ValueError: If ``maps`` has the wrong shape or dtype.

    Examples:
        >>> min_pooling_loss(torch.tensor([[[[0.5, 0.25, 1.0, 1.0]], [[0.0, 0.75, 0.0, 0.0]]]])).item()
        0.5
    """
    check_float_map('maps', maps, 'K')
    best = maps.amax(1).flatten(1)
    return best.topk(max(int(best.shape[1] * LOW_SHARE), 1), dim=1, largest=False).values.relu().mean()


def seam_losses(maps: tuple[Tensor, Tensor], spread: tuple[Tensor, Tensor], labels: Tensor) -> dict[str, Tensor]:
    """The four losses of SEAM, whose sum is minimized.

    Classification and ER have gradients in ``maps`` alone, ECR and min pooling in ``spread`` alone.

    Args:
        maps (tuple[Tensor, Tensor]): Class scores (B, K, H, W) and (B, K, h, w) of the image and of its small copy, at
            the size of each.
        spread (tuple[Tensor, Tensor]): Spread maps (B, 1 + K, H, W) and (B, 1 + K, h, w), background first.
        labels (Tensor): Multi-hot floating-point (B, K).

    Returns:
        dict[str, Tensor]: Scalars ``loss_cls``, ``loss_min``, ``loss_er`` and ``loss_ecr``; the first two are means
        over the views, the last is the sum of both directions.

    Raises:
        ValueError: If an argument has the wrong shape or dtype.

    Examples:
        >>> large, small = torch.rand(2, 3, 10, 10), torch.rand(2, 3, 3, 3)
        >>> spread = torch.rand(2, 4, 10, 10), torch.rand(2, 4, 3, 3)
        >>> sorted(seam_losses((large, small), spread, torch.ones(2, 3)))
        ['loss_cls', 'loss_ecr', 'loss_er', 'loss_min']
    """
    for one, other in zip(maps, spread, strict=True):
        check_float_map('each of maps', one, 'K')
        if labels.shape != one.shape[:2]:
            raise ValueError(f'labels must be (B, K) = {tuple(one.shape[:2])}, got {describe(labels)}')
        if other.shape != (len(one), one.shape[1] + 1, *one.shape[2:]):
            raise ValueError(
                f'spread must have the shape of maps and one channel more, got {tuple(one.shape)} and '
                f'{tuple(other.shape)}'
            )
    size = maps[1].shape[2:]
    gate = labels[:, :, None, None].to(maps[0].dtype)
    # The background is in every image.
    gate_all = F.pad(gate, (0, 0, 0, 0, 1, 0), value=1.0)
    classes = [resize_maps(stretch_maps(one), size, align_corners=True) * gate for one in maps]
    outputs = [resize_maps(stretch_maps(one), size, align_corners=True) * gate_all for one in spread]
    scores = [F.multilabel_soft_margin_loss(one.mean((2, 3)), labels.to(one.dtype)) for one in maps]
    lows = [min_pooling_loss(one[:, 1:] * gate) for one in spread]
    targets = [add_rest(one.detach()) for one in classes]
    return dict(
        loss_cls=(scores[0] + scores[1]) / 2,
        loss_min=(lows[0] + lows[1]) / 2,
        loss_er=equivariance_loss(classes[0], classes[1]),
        loss_ecr=cross_regularization_loss(targets[1], outputs[0]) + cross_regularization_loss(targets[0], outputs[1]),
    )


def _check_pair(first: Tensor, second: Tensor) -> None:
    check_float_map('maps', first, 'K')
    check_float_map('maps', second, 'K')
    if first.shape != second.shape:
        raise ValueError(f'maps of the two views must have one shape, got {tuple(first.shape)}, {tuple(second.shape)}')
