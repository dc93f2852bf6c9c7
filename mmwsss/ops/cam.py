"""Class activation maps: fusion over scales and flips, confident labels.

Source of the formulas: Ahn & Kwak, CVPR 2018 (AffinityNet), sections 3.1 and 3.3, and its released code.
"""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from .affinity import IGNORE_INDEX
from .dense_crf import BILATERAL, GAUSSIAN, NUM_ITERS, dense_crf_stack
from .maps import add_background, resize_maps

NORM_EPS = 1e-5
# Exponents of the background score that affinity labels are made with.
ALPHA_LOW = 4.0
ALPHA_HIGH = 32.0
# Scores of the background, and the dense CRF, that IRNet's labels are made with.
FOREGROUND_THRESHOLD = 0.3
BACKGROUND_THRESHOLD = 0.05
LABEL_PROBABILITY = 0.7
LABEL_BILATERAL = (50.0, 5.0, 10.0)


def fuse_cams(
    cams: Sequence[Tensor],
    size: tuple[int, int],
    flips: Sequence[bool],
    peak_quantile: float = 1.0,
    weights: Sequence[float] | None = None,
) -> Tensor:
    """Sum the activation maps of several scales and flips at one size and normalize each class to [0, 1].

    ``M_c = S_c / (max S_c + 1e-5)``, where S is the weighted sum of the maps, resized bilinearly and un-flipped. With a
    ``peak_quantile`` below 1 that quantile takes the place of the maximum, yet never less than half the maximum, and
    what exceeds it becomes 1: a single strong cell then doesn't make the rest of an object weak.

    Args:
        cams (Sequence[Tensor]): Non-negative floating-point maps (K, h, w), each of its own size.
        size (tuple[int, int]): Target (H, W).
        flips (Sequence[bool]): Whether each map is of the horizontally flipped image.
        peak_quantile (float): In (0, 1]; 1 is the published normalization.
        weights (Sequence[float], optional): Positive weight of each map. By default all weigh the same.

    Returns:
        Tensor: (K, H, W).

    Raises:
        ValueError: If an argument has the wrong shape or length.

    Examples:
        >>> small, mirrored = torch.tensor([[[0.0, 2.0]]]), torch.tensor([[[2.0, 2.0, 0.0, 0.0]]])
        >>> fused = fuse_cams([small, mirrored], size=(1, 4), flips=[False, True])
        >>> fused.round(decimals=3).tolist()
        [[[0.0, 0.125, 0.875, 1.0]]]
    """
    if len(cams) == 0 or len(cams) != len(flips):
        raise ValueError(f'cams and flips must be of one length, at least 1, got {len(cams)} and {len(flips)}')
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f'size must be (H, W), got {size!r}')
    if not 0 < peak_quantile <= 1:
        raise ValueError(f'peak_quantile must be in (0, 1], got {peak_quantile!r}')
    if weights is None:
        weights = [1.0] * len(cams)
    if len(weights) != len(cams) or not min(weights) > 0:
        raise ValueError(f'weights must be {len(cams)} positive numbers, one for each map, got {weights!r}')
    for cam in cams:
        if cam.dim() != 3 or cam.shape[0] != cams[0].shape[0] or not cam.is_floating_point():
            raise ValueError(f'cams must be floating-point maps (K, h, w) with one K, got {tuple(cam.shape)}')
    total = cams[0].new_zeros(len(cams[0]), *size)
    if len(total) == 0:
        return total
    for cam, flip, weight in zip(cams, flips, weights, strict=True):
        resized = resize_maps(cam, size)
        total = total + (resized.flip(-1) if flip else resized) * weight
    peak = total.amax((1, 2), keepdim=True)
    if peak_quantile < 1:
        rank = math.ceil(peak_quantile * size[0] * size[1])
        peak = torch.maximum(total.flatten(1).kthvalue(rank, 1).values[:, None, None], peak / 2)
    return (total / (peak + NORM_EPS)).clamp_(max=1)


def confident_label_map(
    low_scores: ArrayLike, high_scores: ArrayLike, class_ids: Sequence[int], ignore_index: int = IGNORE_INDEX
) -> np.ndarray:
    """Merge two score maps, of a weak and of a strong foreground, to the labels both are sure of.

    Background where the background wins although its score is small (``high_scores``); a class where it wins
    although the score of the background is large (``low_scores``); neutral elsewhere.

    Args:
        low_scores (ndarray): (1 + K, H, W), background first, made with the small exponent.
        high_scores (ndarray): (1 + K, H, W), made with the large exponent.
        class_ids (Sequence[int]): Class index of each of the K maps.
        ignore_index (int): Value of neutral pixels.

    Returns:
        ndarray: uint8 (H, W).

    Examples:
        >>> low = np.array([[[0.1, 0.9, 0.9]], [[0.9, 0.1, 0.1]]])
        >>> high = np.array([[[0.1, 0.1, 0.9]], [[0.9, 0.9, 0.1]]])
        >>> confident_label_map(low, high, class_ids=[7]).tolist()
        [[7, 255, 0]]
    """
    values = np.array([ignore_index, *class_ids], dtype=np.uint8)
    labels = values[np.asarray(low_scores).argmax(0)]
    labels[np.asarray(high_scores).argmax(0) == 0] = 0
    return labels


def affinity_label_map(
    image: np.ndarray,
    cams: np.ndarray | Tensor,
    class_ids: Sequence[int],
    alpha_low: float = ALPHA_LOW,
    alpha_high: float = ALPHA_HIGH,
    num_iters: int = NUM_ITERS,
    gaussian: Sequence[float] = GAUSSIAN,
    bilateral: Sequence[float] = BILATERAL,
    with_background: bool = True,
    margin: float = 0.5,
    ignore_index: int = IGNORE_INDEX,
    backend: str = 'auto',
) -> np.ndarray:
    """Labels to train affinities with: the pixels that two dense CRFs of the CAMs are sure of.

    The background scores with ``alpha_low`` and with ``alpha_high`` are put before the CAMs, each stack is
    refined by a dense CRF, and :func:`confident_label_map` merges the two.

    Args:
        image (ndarray): uint8 RGB (H, W, 3).
        cams (ndarray | Tensor): (K, H, W) in [0, 1] at the image size.
        class_ids (Sequence[int]): Class index of each map, in [0, 254]; from 1 where there is a background.
        alpha_low (float): Exponent that makes much background: what stays foreground is confident.
        alpha_high (float): Exponent that makes little background: what stays background is confident.
        num_iters (int): Mean-field iterations.
        gaussian (tuple): (sxy, weight) of the smoothness kernel.
        bilateral (tuple): (sxy, srgb, weight) of the appearance kernel.
        with_background (bool): Whether class 0 is the background. Where classes cover the image, the CAMs
            alone are refined by one CRF.
        margin (float): Without background only: a pixel is confident where the probability of its best class
            exceeds that of the second by at least this much, in [0, 1].
        ignore_index (int): Value of neutral pixels.
        backend (str): As in ``dense_crf``.

    Returns:
        ndarray: uint8 (H, W): 0 confident background, a class index, or ``ignore_index``. Without any class
        all is background, or neutral where there is no background.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> image = np.zeros((20, 30, 3), np.uint8)
        >>> image[:, 15:] = 255
        >>> cams = np.zeros((1, 20, 30), np.float32)
        >>> cams[:, 5:15, 18:27] = 0.9
        >>> labels = affinity_label_map(image, cams, class_ids=[7])
        >>> labels[10, 5].item(), labels[10, 22].item()
        (0, 7)
    """
    cams, class_ids, size = _checked_maps(image, cams, class_ids, with_background)
    if not 0 <= margin <= 1:
        raise ValueError(f'margin must be in [0, 1], got {margin!r}')
    refine = partial(
        dense_crf_stack, image, num_iters=num_iters, gaussian=gaussian, bilateral=bilateral, backend=backend
    )
    if not class_ids:
        return np.full(size, 0 if with_background else ignore_index, dtype=np.uint8)
    if with_background:
        stacks = [add_background(cams, alpha=alpha) for alpha in (alpha_low, alpha_high)]
        low, high = refine(stacks)
        return confident_label_map(low, high, class_ids, ignore_index)
    labels = np.array(class_ids, dtype=np.uint8)
    if len(class_ids) == 1:
        return np.full(size, class_ids[0], dtype=np.uint8)
    (probabilities,) = refine([cams])
    second, best = np.partition(probabilities, -2, axis=0)[-2:]
    return np.where(best - second >= margin, labels[probabilities.argmax(0)], np.uint8(ignore_index))


def threshold_label_map(
    image: np.ndarray,
    cams: np.ndarray | Tensor,
    class_ids: Sequence[int],
    foreground: float = FOREGROUND_THRESHOLD,
    background: float = BACKGROUND_THRESHOLD,
    num_iters: int = NUM_ITERS,
    gaussian: Sequence[float] = GAUSSIAN,
    bilateral: Sequence[float] = LABEL_BILATERAL,
    label_probability: float = LABEL_PROBABILITY,
    with_background: bool = True,
    ignore_index: int = IGNORE_INDEX,
    backend: str = 'auto',
) -> np.ndarray:
    """Labels to train affinities with: what two constant scores of the background leave, after dense CRFs of labels.

    With a high score of the background, what stays foreground is confident, and with a low one, what stays background.
    The CRFs refine the labels and not the CAMs: a label has the probability 0.7 and the others share the rest.

    Args:
        image (ndarray): uint8 RGB (H, W, 3).
        cams (ndarray | Tensor): (K, H, W) in [0, 1] at the image size.
        class_ids (Sequence[int]): Class index of each map, in [0, 254]; from 1 where there is a background.
        foreground (float): The high score. Defaults to 0.3.
        background (float): The low score. Defaults to 0.05.
        num_iters (int): Mean-field iterations. Defaults to 10.
        gaussian (tuple): (sxy, weight) of the smoothness kernel.
        bilateral (tuple): (sxy, srgb, weight) of the appearance kernel.
        label_probability (float): In (0, 1). Defaults to 0.7.
        with_background (bool): Whether class 0 is the background; without, no pixel is one, and those below the high
            score are neutral. Defaults to True.
        ignore_index (int): Value of neutral pixels.
        backend (str): As in ``dense_crf``.

    Returns:
        ndarray: uint8 (H, W): 0 confident background, a class index, or ``ignore_index``. Without any class all is
        background, or neutral where there is no background.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Source: Ahn, Cho & Kwak, CVPR 2019 (IRNet), section 5.1, and its released code.

    Examples:
        >>> image = np.zeros((20, 30, 3), np.uint8)
        >>> image[:, 15:] = 255
        >>> cams = np.zeros((1, 20, 30), np.float32)
        >>> cams[:, :, 15:] = 0.9
        >>> labels = threshold_label_map(image, cams, class_ids=[7])
        >>> labels[10, 5].item(), labels[10, 22].item()
        (0, 7)
    """
    cams, class_ids, size = _checked_maps(image, cams, class_ids, with_background)
    if not 0 <= background <= foreground <= 1:
        raise ValueError(f'expected 0 <= background <= foreground <= 1, got {background!r} and {foreground!r}')
    if not 0 < label_probability < 1:
        raise ValueError(f'label_probability must be in (0, 1), got {label_probability!r}')
    if not class_ids:
        return np.full(size, 0 if with_background else ignore_index, dtype=np.uint8)
    rest = (1 - label_probability) / len(class_ids)
    stacks = []
    for score in (foreground, background):
        hard = add_background(cams, score=score).argmax(0, keepdim=True)
        stack = cams.new_full((1 + len(class_ids), *size), rest)
        stacks.append(stack.scatter_(0, hard, label_probability))
    refine = partial(
        dense_crf_stack, image, num_iters=num_iters, gaussian=gaussian, bilateral=bilateral, backend=backend
    )
    high, low = (scores.argmax(0) for scores in refine(stacks))
    labels = np.array([ignore_index, *class_ids], dtype=np.uint8)[high]
    if with_background:
        labels[(high == 0) & (low == 0)] = 0
    return labels


def _checked_maps(
    image: np.ndarray, cams: np.ndarray | Tensor, class_ids: Sequence[int], with_background: bool
) -> tuple[Tensor, list[int], tuple[int, ...]]:
    """Maps in float32 on the CPU, class indices and the size of the image; ValueError where they do not fit."""
    cams = torch.as_tensor(cams).detach().float().cpu()
    class_ids = [int(class_id) for class_id in class_ids]
    size = tuple(np.asarray(image).shape[:2])
    if cams.dim() != 3 or tuple(cams.shape[1:]) != size:
        raise ValueError(f'cams must be (K, H, W) at the image size {size}, got {tuple(cams.shape)}')
    if not torch.isfinite(cams).all():
        raise ValueError('cams must be finite')
    if len(class_ids) != cams.shape[0]:
        raise ValueError(f'class_ids must name each of the {cams.shape[0]} maps of cams, got {class_ids}')
    lowest = 1 if with_background else 0
    if any(not lowest <= class_id <= 254 for class_id in class_ids):
        raise ValueError(f'class_ids must be in [{lowest}, 254], got {class_ids}')
    return cams, class_ids, size
