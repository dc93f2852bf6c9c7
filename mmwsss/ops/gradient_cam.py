"""Class activation maps of any layer, by the gradient of a class score at it.

With A the activation of a layer and G the gradient of a class's logit (before softmax or sigmoid) with respect to A,
a map is ``relu(sum_k w_k A_k)`` over the channels k; the methods differ in the weights. Maps are not normalized: those
of several scales and mirror images are added first, and scaled once.

Half precision is computed in float32. All functions can be differentiated.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .checks import describe
from .maps import resize_maps

XGRAD_EPS = 1e-7
PLUS_PLUS_EPS = 1e-6
LAYER_CAM_GAIN = 2.0


def _check(activation: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    for name, value in (('activation', activation), ('gradient', gradient)):
        if not isinstance(value, Tensor) or value.dim() < 3 or not value.is_floating_point():
            raise ValueError(f'{name} must be a floating-point tensor (..., C, h, w), got {describe(value)}')
    if activation.shape[-3:] != gradient.shape[-3:]:
        raise ValueError(
            f'gradient must have the channels and grid of activation {tuple(activation.shape)}, '
            f'got {tuple(gradient.shape)}'
        )
    dtype = torch.promote_types(torch.promote_types(activation.dtype, gradient.dtype), torch.float32)
    return activation.to(dtype), gradient.to(dtype)


def _weighted_sum(weights: Tensor, activation: Tensor) -> Tensor:
    return (weights[..., None, None] * activation).sum(-3).relu()


def grad_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM: a channel weighs as much as its mean gradient.

    ``relu(sum_k mean(G_k) A_k)``. Where only global average pooling and a linear layer follow, this is the CAM divided
    by the number of cells. Source: Selvaraju et al., *Grad-CAM*, ICCV 2017.

    Args:
        activation (Tensor): Floating-point (..., C, h, w), usually (B, C, h, w).
        gradient (Tensor): As ``activation``; leading axes are broadcast, as where one activation has the gradients of
            several classes.

    Returns:
        Tensor: (..., h, w), not negative, not normalized; float32, or float64 where an argument is.

    Raises:
        ValueError: If an argument has the wrong shape or dtype.

    Examples:
        >>> activation = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
        >>> gradient = torch.tensor([[[1.0, 0.0]], [[-1.0, -1.0]]])
        >>> grad_cam(activation, gradient).tolist()
        [[0.5, 0.0]]
    """
    activation, gradient = _check(activation, gradient)
    return _weighted_sum(gradient.mean((-2, -1)), activation)


def xgrad_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """XGrad-CAM: gradients are averaged with the activation as weight.

    ``relu(sum_k w_k A_k)`` with ``w = sum(G A) / (sum(A) + 1e-7)``. Source: Fu et al., *Axiom-based Grad-CAM*, BMVC
    2020.

    Args:
        activation (Tensor): As of :func:`grad_cam`.
        gradient (Tensor): As of :func:`grad_cam`.

    Returns:
        Tensor: (..., h, w), as of :func:`grad_cam`.

    Raises:
        ValueError: If an argument has the wrong shape or dtype.

    Examples:
        >>> activation = torch.tensor([[[3.0, 1.0]]])
        >>> gradient = torch.tensor([[[1.0, 0.0]]])
        >>> [round(value, 3) for value in xgrad_cam(activation, gradient)[0].tolist()]
        [2.25, 0.75]
    """
    activation, gradient = _check(activation, gradient)
    weights = (gradient * activation).sum((-2, -1)) / (activation.sum((-2, -1)) + XGRAD_EPS)
    return _weighted_sum(weights, activation)


def grad_cam_plus_plus(activation: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM++: positive gradients are summed, each with a weight of its cell.

    ``relu(sum_k w_k A_k)`` with ``w = sum(a relu(G))`` and ``a = G^2 / (2 G^2 + sum(A) G^3 + 1e-6)``. Source:
    Chattopadhay et al., *Grad-CAM++*, WACV 2018, in the form of pytorch-grad-cam, which takes the class score to be
    the exponential of the logit.

    Args:
        activation (Tensor): As of :func:`grad_cam`.
        gradient (Tensor): As of :func:`grad_cam`.

    Returns:
        Tensor: (..., h, w), as of :func:`grad_cam`.

    Raises:
        ValueError: If an argument has the wrong shape or dtype.

    Examples:
        >>> activation = torch.tensor([[[2.0, 0.0]]])
        >>> gradient = torch.tensor([[[1.0, -1.0]]])
        >>> [round(value, 3) for value in grad_cam_plus_plus(activation, gradient)[0].tolist()]
        [0.5, 0.0]
    """
    activation, gradient = _check(activation, gradient)
    squared = gradient.square()
    # Where the gradient is 0, so is the share: the denominator is 1e-6.
    shares = squared / (2 * squared + activation.sum((-2, -1), keepdim=True) * squared * gradient + PLUS_PLUS_EPS)
    return _weighted_sum((shares * gradient.relu()).sum((-2, -1)), activation)


def layer_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """LayerCAM: every cell of a channel has a weight of its own, its positive gradient.

    ``relu(sum_k relu(G_k) A_k)``. Made for layers of fine grids, where one weight a channel is too coarse. Source:
    Jiang et al., *LayerCAM*, IEEE TIP 2021.

    Args:
        activation (Tensor): As of :func:`grad_cam`.
        gradient (Tensor): As of :func:`grad_cam`.

    Returns:
        Tensor: (..., h, w), as of :func:`grad_cam`.

    Raises:
        ValueError: If an argument has the wrong shape or dtype.

    Examples:
        >>> activation = torch.tensor([[[1.0, 2.0]], [[1.0, 1.0]]])
        >>> gradient = torch.tensor([[[1.0, -1.0]], [[0.5, 3.0]]])
        >>> layer_cam(activation, gradient).tolist()
        [[1.5, 3.0]]
    """
    activation, gradient = _check(activation, gradient)
    return (gradient.relu() * activation).sum(-3).relu()


def fuse_layers(maps: Sequence[Tensor], size: Sequence[int] | None = None, gain: float | None = None) -> Tensor:
    """The largest of the maps of several layers, at one size, as torch-cam fuses them.

    Args:
        maps (Sequence[Tensor]): Floating-point maps (..., h, w), each of its own grid, scaled alike, such as to [0, 1].
        size (Sequence[int], optional): Target (H, W). By default the largest height and the largest width.
        gain (float, optional): Maps become ``tanh(gain * map)`` first, which lifts the weak maps of early layers.
            LayerCAM takes 2 (``LAYER_CAM_GAIN``) for maps in [0, 1].

    Returns:
        Tensor: (..., H, W).

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> fuse_layers([torch.tensor([[0.5]]), torch.tensor([[0.0, 1.0]])]).tolist()
        [[0.5, 1.0]]
    """
    if len(maps) == 0:
        raise ValueError('maps must be at least one')
    for part in maps:
        if not isinstance(part, Tensor) or part.dim() < 2 or not part.is_floating_point():
            raise ValueError(f'maps must be floating-point tensors (..., h, w), got {describe(part)}')
        if part.shape[:-2] != maps[0].shape[:-2]:
            raise ValueError(f'maps must have the same leading axes, got {[tuple(part.shape) for part in maps]}')
    if gain is not None and not gain > 0:
        raise ValueError(f'gain must be positive, got {gain!r}')
    if size is None:
        size = max(part.shape[-2] for part in maps), max(part.shape[-1] for part in maps)
    scaled = maps if gain is None else [torch.tanh(gain * part) for part in maps]
    return torch.stack([resize_maps(part[None], size)[0] for part in scaled]).amax(0)
