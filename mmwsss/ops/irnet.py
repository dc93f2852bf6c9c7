"""Losses of IRNet: class boundaries and displacements, learned from pairs of near cells.

Fields of pairs are stencils as those of :mod:`mmwsss.ops.affinity`. At inference, boundaries become affinities by
:func:`mmwsss.ops.edge_to_affinity`.

Source: Ahn, Cho & Kwak, *Weakly Supervised Learning of Instance Segmentation with Inter-pixel Relations*, CVPR 2019.
"""

from typing import Any

import torch
from torch import Tensor

from .affinity import (
    BACKGROUND_PAIR,
    FOREGROUND_PAIR,
    LOSS_EPS,
    offset_list,
    pair_windows,
    path_cells,
    radius_of,
)
from .checks import check_float_map

# Strict radius in cells of the pairs that IRNet is trained with.
TRAINING_RADIUS = 10


class _PathAffinity(torch.autograd.Function):
    """1 - the strongest boundary on the way, one offset at a time; stores one byte a pair for the backward pass."""

    @staticmethod
    def forward(ctx: Any, edge: Tensor, radius: int) -> Tensor:
        batch, _, height, width = edge.shape
        offsets, plane = offset_list(radius), edge[:, 0]
        field = edge.new_zeros(batch, len(offsets), height, width)
        places = torch.zeros(field.shape, dtype=torch.uint8, device=edge.device)
        for p, (ys, xs), _ in pair_windows(height, width, radius, 'full'):
            cells = path_cells(*offsets[p])
            path = [plane[:, ys.start + y : ys.stop + y, xs.start + x : xs.stop + x] for y, x in cells]
            strongest, place = torch.stack(path).max(0)
            field[:, p, ys, xs] = 1 - strongest
            places[:, p, ys, xs] = place.to(torch.uint8)
        ctx.save_for_backward(places)
        ctx.radius = radius
        return field

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor, None]:
        (places,) = ctx.saved_tensors
        batch, _, height, width = places.shape
        offsets = offset_list(ctx.radius)
        grad = grad_out.new_zeros(batch, height, width)
        for p, (ys, xs), _ in pair_windows(height, width, ctx.radius, 'full'):
            coming, place = grad_out[:, p, ys, xs], places[:, p, ys, xs]
            for index, (y, x) in enumerate(path_cells(*offsets[p])):
                cell = grad[:, ys.start + y : ys.stop + y, xs.start + x : xs.stop + x]
                cell.sub_(torch.where(place == index, coming, 0))
        return grad[:, None], None


def path_affinity(edge: Tensor, radius: int = TRAINING_RADIUS) -> Tensor:
    """The values of :func:`mmwsss.ops.edge_to_affinity`, to be trained through.

    ``a_ij = 1 - max_k edge_k`` over the cells k of the path from i to j, both ends included (eq. 3). The gradient
    of a pair goes to the strongest cell of its path, of several equally strong ones to a single one. Beside the
    result, one byte a pair is stored; the cost is that of ``edge_to_affinity`` in both passes.

    Args:
        edge (Tensor): Floating-point (B, 1, H, W) in [0, 1], the probability of a boundary.
        radius (int): Strict radius in cells. Defaults to 10, that of IRNet's training.

    Returns:
        Tensor: (B, P, H, W) in [0, 1] in the order of :func:`mmwsss.ops.neighbor_offsets`, 0 where there is no pair.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> edge = torch.tensor([0.0, 0.75, 0.5]).view(1, 1, 1, 3).requires_grad_()
        >>> affinity = path_affinity(edge, radius=3)
        >>> affinity[0, 1, 0].tolist()  # to the second cell on the right
        [0.25, 0.0, 0.0]
        >>> affinity[0, 1, 0, 0].backward()
        >>> edge.grad.flatten().tolist()
        [0.0, -1.0, 0.0]
    """
    check_float_map('edge', edge, '1')
    if edge.shape[1] != 1:
        raise ValueError(f'edge must have one channel, got {edge.shape[1]}')
    return _PathAffinity.apply(edge, radius)


def displacement_loss(displacement: Tensor, pair_labels: Tensor) -> dict[str, Tensor]:
    """How far displacements of near cells are from meeting in one point, of foreground and of background pairs.

    Of a foreground pair (i, j), ``D_i - D_j`` should be ``x_j - x_i``, so that both cells point to one center; of a
    background pair, 0. ``loss_displacement_fg`` and ``loss_displacement_bg`` are the means of the absolute differences
    over pairs and both channels (eqs. 8 and 9), each over the whole batch, with 1e-5 added to its denominator, so that
    a kind that does not occur contributes 0.

    Args:
        displacement (Tensor): Floating-point (B, 2, H, W), (dy, dx) in cells.
        pair_labels (Tensor): uint8 (B, P, H, W), as of :func:`mmwsss.ops.pair_labels`.

    Returns:
        dict[str, Tensor]: ``loss_displacement_bg`` and ``loss_displacement_fg``, scalars (float32 at least).

    Raises:
        ValueError: If an argument has the wrong shape or dtype.

    Examples:
        >>> displacement = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]).view(1, 2, 1, 3)
        >>> labels = torch.full((1, 4, 1, 3), 255, dtype=torch.uint8)
        >>> labels[0, 0, 0, :2] = 1  # neighbors in a row are of one class; the first two agree on a center
        >>> {name: round(value.item(), 2) for name, value in displacement_loss(displacement, labels).items()}
        {'loss_displacement_bg': 0.0, 'loss_displacement_fg': 0.25}
    """
    check_float_map('displacement', displacement, '2')
    batch, channels, height, width = displacement.shape
    if channels != 2:
        raise ValueError(f'displacement must have two channels, got {channels}')
    if (
        not isinstance(pair_labels, Tensor)
        or pair_labels.is_floating_point()
        or pair_labels.dim() != 4
        or (pair_labels.shape[0], *pair_labels.shape[2:]) != (batch, height, width)
    ):
        raise ValueError(f'pair_labels must be an integer tensor ({batch}, P, {height}, {width})')
    radius = radius_of(pair_labels.shape[1])
    if displacement.dtype in (torch.float16, torch.bfloat16):
        displacement = displacement.float()
    offsets = torch.tensor(offset_list(radius), dtype=displacement.dtype, device=displacement.device)
    background, foreground = displacement.new_zeros(()), displacement.new_zeros(())
    for p, (rows, columns), target in pair_windows(height, width, radius, 'full'):
        labels = pair_labels[:, p, rows, columns]
        difference = displacement[:, :, rows, columns] - displacement[(slice(None), slice(None), *target)]
        parted = (difference - offsets[p].view(2, 1, 1)).abs().sum(1)
        background = background + torch.where(labels == BACKGROUND_PAIR, difference.abs().sum(1), 0).sum()
        foreground = foreground + torch.where(labels == FOREGROUND_PAIR, parted, 0).sum()

    def mean_of(total: Tensor, kind: int) -> Tensor:
        return total / (2 * (pair_labels == kind).sum().to(total.dtype) + LOSS_EPS)

    return dict(
        loss_displacement_bg=mean_of(background, BACKGROUND_PAIR),
        loss_displacement_fg=mean_of(foreground, FOREGROUND_PAIR),
    )
