"""Refinement of score maps by the colors of near pixels: PAR and PAMR.

Each pixel takes, several times, a weighted mean of the scores of 48 pixels around it: those in eight directions at
six distances. A neighbor weighs the more, the closer its color is to that of the pixel, compared with how much
colors differ around there. No network, and no weights that are learned, is needed.

Pixels beyond the image are those at its border, repeated, for colors and scores alike.

Source of the formulas: PAR (pixel-adaptive refinement) is of Ru, Zhan, Yu & Du, *Learning Affinity from Attention*,
CVPR 2022 (AFA), and its released code; PAMR (pixel-adaptive mask refinement) of Araslanov & Roth,
*Single-Stage Semantic Segmentation from Image Labels*, CVPR 2020, and its released code.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .checks import check_float_map, check_integer, describe
from .maps import resize_maps

DILATIONS = (1, 2, 4, 8, 12, 24)
NUM_ITERS = 10
DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
STD_FLOOR = 1e-8
PAR_BANDWIDTH = 0.3
PAR_POSITION_WEIGHT = 0.01
PAMR_BANDWIDTH = 0.1


def _check_dilations(dilations: Sequence[int]) -> tuple[int, ...]:
    if len(dilations) == 0:
        raise ValueError('dilations must be at least one')
    return tuple(check_integer('each of dilations', dilation, least=1) for dilation in dilations)


def _check_images(images: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """The images in the type the kernel is computed in."""
    if not isinstance(images, Tensor) or images.dim() != 4 or 0 in images.shape[1:] or images.is_complex():
        raise ValueError(f'images must be a tensor (B, C, H, W), not empty, got {describe(images)}')
    if dtype is None:
        dtype = torch.float64 if images.dtype == torch.float64 else torch.float32
    if not torch.isfinite(images).all():
        raise ValueError('images must be finite')
    return images.to(dtype)


def _padded(maps: Tensor, margin: int) -> Tensor:
    return F.pad(maps, (margin,) * 4, mode='replicate')


def _neighbors(padded: Tensor, dilations: Sequence[int]) -> list[Tensor]:
    """Views (B, C, H, W) of the neighbors in each direction at each dilation, the dilations outermost."""
    margin = max(dilations)
    height, width = padded.shape[2] - 2 * margin, padded.shape[3] - 2 * margin
    starts = [(margin + d * dy, margin + d * dx) for d in dilations for dy, dx in DIRECTIONS]
    return [padded[:, :, top : top + height, left : left + width] for top, left in starts]


def _standard_deviation(neighbors: list[Tensor], center: Tensor, centers: int) -> Tensor:
    """Unbiased, over the neighbors and so many times the center. In two passes, as colors are far from 0."""
    count = len(neighbors) + centers
    mean = center * centers
    for neighbor in neighbors:
        mean.add_(neighbor)
    mean.div_(count)
    squares = (center - mean).square_().mul_(centers)
    difference = torch.empty_like(center)
    for neighbor in neighbors:
        torch.sub(neighbor, mean, out=difference)
        squares.addcmul_(difference, difference)
    return squares.div_(count - 1).sqrt_()


def _softmax_of_distances(
    neighbors: list[Tensor], center: Tensor, scale: Tensor, power: Callable[[Tensor], Tensor]
) -> Tensor:
    """Softmax over the neighbors of ``-sum_c power(|I_p - I| * scale)``: (B, P, H, W)."""
    batch, _, height, width = center.shape
    kernel = center.new_empty(batch, len(neighbors), height, width)
    difference = torch.empty_like(center)
    for p, neighbor in enumerate(neighbors):
        torch.sub(neighbor, center, out=difference)
        torch.sum(power(difference.mul_(scale)), 1, out=kernel[:, p])
    kernel.sub_(kernel.amin(1, keepdim=True)).neg_().exp_()
    return kernel.div_(kernel.sum(1, keepdim=True))


def position_kernel(dilations: Sequence[int] = DILATIONS) -> Tensor:
    """What PAR adds to its kernel for the distances of the neighbors alone, before it is weighted.

    With q_p the distance of neighbor p in pixels and s their unbiased standard deviation, the softmax over p of
    ``-(q_p / (s + 1e-8) / 0.3)^2``.

    Args:
        dilations (Sequence[int]): Distances in pixels along rows and columns.

    Returns:
        Tensor: float64 (P,), summing to 1.

    Raises:
        ValueError: If a dilation is not a positive integer.

    Examples:
        >>> kernel = position_kernel((1, 2))
        >>> kernel.shape, kernel.sum().round(decimals=6).item()
        (torch.Size([16]), 1.0)
        >>> bool(kernel[1] > kernel[0] > kernel[9])  # at distance 1, sqrt(2) and 2
        True
    """
    distances = [d * math.hypot(dy, dx) for d in _check_dilations(dilations) for dy, dx in DIRECTIONS]
    q = torch.tensor(distances, dtype=torch.float64)
    return (-(q / (q.std() + STD_FLOOR) / PAR_BANDWIDTH).square()).softmax(0)


@torch.no_grad()
def par_kernel(images: Tensor, dilations: Sequence[int] = DILATIONS) -> Tensor:
    """Weights of the neighbors of every pixel in :func:`par`.

    ``k_p = softmax_p(-mean_c (|I_p - I| / (s_c + 1e-8) / 0.3)^2) + 0.01 b_p``, with s_c the unbiased standard
    deviation of color channel c over the P neighbors, and b of :func:`position_kernel`. They sum to 1.01, as in the
    released code.

    Args:
        images (Tensor): (B, C, H, W) of any real type and scale; scale and offset of a channel cancel out.
        dilations (Sequence[int]): Distances of the neighbors in pixels along rows and columns.

    Returns:
        Tensor: (B, P, H, W), P = 8 a dilation: the directions (-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1),
        (1, 0), (1, 1) of the first dilation, then of the next. float64 where the images are, else float32.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> kernel = par_kernel(torch.rand(1, 3, 5, 6), dilations=(1, 2))
        >>> kernel.shape
        torch.Size([1, 16, 5, 6])
        >>> kernel.sum(1).allclose(torch.tensor(1.01))
        True
    """
    dilations = _check_dilations(dilations)
    images = _check_images(images)
    neighbors = _neighbors(_padded(images, max(dilations)), dilations)
    deviation = _standard_deviation(neighbors, images, centers=0)
    scale = deviation.add_(STD_FLOOR).mul_(PAR_BANDWIDTH * math.sqrt(images.shape[1])).reciprocal_()
    kernel = _softmax_of_distances(neighbors, images, scale, Tensor.square_)
    position = PAR_POSITION_WEIGHT * position_kernel(dilations)
    return kernel.add_(position.to(kernel)[:, None, None])


@torch.no_grad()
def pamr_kernel(images: Tensor, dilations: Sequence[int] = DILATIONS) -> Tensor:
    """Weights of the neighbors of every pixel in :func:`pamr`.

    ``k_p = softmax_p(-mean_c |I_p - I| / (1e-8 + 0.1 s_c))``, with s_c the unbiased standard deviation of color
    channel c over the neighbors and, once a dilation, the pixel itself. They sum to 1.

    Args:
        images (Tensor): As of :func:`par_kernel`.
        dilations (Sequence[int]): As of :func:`par_kernel`.

    Returns:
        Tensor: (B, P, H, W), as of :func:`par_kernel`.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> image = torch.zeros(1, 1, 1, 5)
        >>> image[..., 2:] = 1
        >>> kernel = pamr_kernel(image, dilations=(1,))
        >>> [round(value, 3) for value in kernel[0, 3:5, 0, 2].tolist()]  # to the left, over the edge, and to the right
        [0.0, 0.2]
    """
    dilations = _check_dilations(dilations)
    images = _check_images(images)
    neighbors = _neighbors(_padded(images, max(dilations)), dilations)
    deviation = _standard_deviation(neighbors, images, centers=len(dilations))
    scale = deviation.mul_(PAMR_BANDWIDTH).add_(STD_FLOOR).mul_(images.shape[1]).reciprocal_()
    return _softmax_of_distances(neighbors, images, scale, Tensor.abs_)


def _propagate(maps: Tensor, kernel: Tensor, dilations: Sequence[int], num_iters: int) -> Tensor:
    """``m <- sum_p k_p m_p``, so many times."""
    margin = max(dilations)
    height, width = maps.shape[2:]
    rows, columns = slice(margin, margin + height), slice(margin, margin + width)
    current = _padded(maps, margin)
    following = torch.empty_like(current)
    weights = kernel[:, :, None].unbind(1)
    for _ in range(num_iters):
        inside = following[:, :, rows, columns]
        for p, neighbor in enumerate(_neighbors(current, dilations)):
            if p == 0:
                torch.mul(neighbor, weights[p], out=inside)
            else:
                inside.addcmul_(neighbor, weights[p])
        following[:, :, rows, :margin] = inside[..., :1]
        following[:, :, rows, margin + width :] = inside[..., -1:]
        following[:, :, :margin] = following[:, :, margin : margin + 1]
        following[:, :, margin + height :] = following[:, :, margin + height - 1 : margin + height]
        current, following = following, current
    return current[:, :, rows, columns]


def _refine(
    kernel_of: Callable[[Tensor, Sequence[int]], Tensor],
    maps: Tensor,
    images: Tensor,
    dilations: Sequence[int],
    num_iters: int,
) -> Tensor:
    check_float_map('maps', maps, 'K')
    dtype = torch.float64 if maps.dtype == torch.float64 else torch.float32
    dilations = _check_dilations(dilations)
    images = _check_images(images, dtype)
    if len(images) != len(maps) or images.device != maps.device:
        raise ValueError(
            f'images must be {len(maps)}, one for each of maps, on their device ({maps.device}), '
            f'got {len(images)} on {images.device}'
        )
    num_iters = check_integer('num_iters', num_iters, least=0)
    if not torch.isfinite(maps).all():
        raise ValueError('maps must be finite')
    refined = resize_maps(maps.to(dtype), images.shape[2:], align_corners=True)
    if num_iters == 0 or refined.numel() == 0:
        return refined.to(maps.dtype, copy=True)
    # A kernel is large. A CPU holds that of one image at a time; a GPU is faster with all of them at once.
    samples = 1 if maps.device.type == 'cpu' else len(maps)
    parts = [
        _propagate(part, kernel_of(image, dilations), dilations, num_iters)
        for part, image in zip(refined.split(samples), images.split(samples), strict=True)
    ]
    return torch.cat(parts).to(maps.dtype)


@torch.no_grad()
def par(maps: Tensor, images: Tensor, dilations: Sequence[int] = DILATIONS, num_iters: int = NUM_ITERS) -> Tensor:
    """Pixel-adaptive refinement: scores spread among near pixels of similar color (AFA, CVPR 2022).

    ``m <- sum_p k_p m_p`` over the neighbors p, ``num_iters`` times, with k of :func:`par_kernel`. As k sums to
    1.01, scores grow by 1.01 an iteration (1.105 after 10), as in the released code: that changes no ranking of
    classes, but a threshold. No gradient is recorded.

    Cost: 8 multiply-adds for each dilation, map, pixel and iteration. Memory: the kernel has 4 bytes for each of the P
    neighbors of a pixel (8 in float64), 36 MB at 375 x 500 with the default dilations; of one image at a time on the
    CPU, of the whole batch on another device. Beside it, two padded copies of the maps and five of the image.

    Args:
        maps (Tensor): Floating-point (B, K, h, w); K may be 0. They are first resized to the size of the images, with
            their corners aligned.
        images (Tensor): (B, C, H, W) of any real type and scale, on the device of the maps.
        dilations (Sequence[int]): Distances of the neighbors in pixels along rows and columns; they may exceed the
            image. The default is AFA's.
        num_iters (int): Iterations. AFA takes 10 for VOC, 15 for COCO.

    Returns:
        Tensor: (B, K, H, W), dtype of ``maps``. The sums are in float32, or float64 where the maps are.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> image = torch.zeros(1, 3, 1, 6)
        >>> image[..., 3:] = 255
        >>> maps = torch.tensor([0.9, 0.2, 0.7, 0.1, 0.0, 0.1]).view(1, 1, 1, 6)
        >>> (par(maps, image, dilations=(1,)) > 0.3).int().tolist()
        [[[[1, 1, 1, 0, 0, 0]]]]
    """
    return _refine(par_kernel, maps, images, dilations, num_iters)


@torch.no_grad()
def pamr(maps: Tensor, images: Tensor, dilations: Sequence[int] = DILATIONS, num_iters: int = NUM_ITERS) -> Tensor:
    """Pixel-adaptive mask refinement (Araslanov & Roth, CVPR 2020).

    ``m <- sum_p k_p m_p`` over the neighbors p, ``num_iters`` times, with k of :func:`pamr_kernel`. No gradient is
    recorded. Cost and memory are those of :func:`par`.

    Args:
        maps (Tensor): As of :func:`par`.
        images (Tensor): As of :func:`par`.
        dilations (Sequence[int]): As of :func:`par`.
        num_iters (int): Iterations.

    Returns:
        Tensor: (B, K, H, W), dtype of ``maps``, each map within the range of its scores, up to rounding.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> image = torch.zeros(1, 3, 1, 6)
        >>> image[..., 3:] = 255
        >>> maps = torch.tensor([0.9, 0.2, 0.7, 0.1, 0.0, 0.1]).view(1, 1, 1, 6)
        >>> (pamr(maps, image, dilations=(1,)) > 0.3).int().tolist()
        [[[[1, 1, 1, 0, 0, 0]]]]
    """
    return _refine(pamr_kernel, maps, images, dilations, num_iters)
