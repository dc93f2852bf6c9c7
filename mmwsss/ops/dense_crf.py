"""Fully connected CRF on arrays (Kraehenbuehl & Koltun, NeurIPS 2011)."""

from collections.abc import Sequence

import numpy as np
import torch

SCORE_FLOOR = 1e-5


def _check_image(image) -> np.ndarray:
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f'image must be a uint8 RGB array (H, W, 3), got {image.dtype} {image.shape}')
    return np.ascontiguousarray(image)


def _check_scores(scores, size: tuple[int, int]) -> np.ndarray:
    if isinstance(scores, torch.Tensor):
        scores = scores.detach().float().cpu().numpy()
    scores = np.asarray(scores)
    if scores.ndim != 3 or scores.shape[0] == 0 or scores.shape[1:] != size:
        raise ValueError(f'scores must be (K, H, W) with K >= 1 at the image size {size}, got {scores.shape}')
    return scores.astype(np.float32, copy=False)


def _unary(scores: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(
        -np.log(np.clip(scores, SCORE_FLOOR, 1)).reshape(len(scores), -1), dtype=np.float32
    )


def dense_crf_stack(
    image,
    score_list: Sequence,
    num_iters: int = 10,
    gaussian: tuple[float, float] = (3, 3),
    bilateral: tuple[float, float, float] = (80, 13, 10),
) -> list[np.ndarray]:
    """:func:`dense_crf` for several score maps of one image; the filters of the image are built once.

    Args:
        image (ndarray): uint8 RGB (H, W, 3).
        score_list (Sequence): Score maps (K, H, W), all with the same K.
        num_iters (int): Mean-field iterations.
        gaussian (tuple): (sxy, weight) of the smoothness kernel.
        bilateral (tuple): (sxy, srgb, weight) of the appearance kernel.

    Returns:
        list[ndarray]: float32 (K, H, W) of each.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.
    """
    import pydensecrf.densecrf as densecrf

    image = _check_image(image)
    height, width = image.shape[:2]
    score_list = [_check_scores(scores, (height, width)) for scores in score_list]
    num_classes = len(score_list[0])
    if any(len(scores) != num_classes for scores in score_list):
        raise ValueError('score_list must hold score maps with the same number of classes')
    if isinstance(num_iters, bool) or not isinstance(num_iters, int) or num_iters < 0:
        raise ValueError(f'num_iters must be a non-negative integer, got {num_iters!r}')
    if len(gaussian) != 2 or min(gaussian) <= 0:
        raise ValueError(f'gaussian must be positive numbers (sxy, weight), got {gaussian!r}')
    if len(bilateral) != 3 or min(bilateral) <= 0:
        raise ValueError(f'bilateral must be positive numbers (sxy, srgb, weight), got {bilateral!r}')
    crf = densecrf.DenseCRF2D(width, height, num_classes)
    crf.addPairwiseGaussian(sxy=gaussian[0], compat=gaussian[1])
    crf.addPairwiseBilateral(sxy=bilateral[0], srgb=bilateral[1], rgbim=image, compat=bilateral[2])
    results = []
    for scores in score_list:
        crf.setUnaryEnergy(_unary(scores))
        results.append(np.array(crf.inference(num_iters), dtype=np.float32).reshape(scores.shape))
    return results


def dense_crf(
    image,
    scores,
    num_iters: int = 10,
    gaussian: tuple[float, float] = (3, 3),
    bilateral: tuple[float, float, float] = (80, 13, 10),
) -> np.ndarray:
    """Class probabilities refined by a fully connected CRF with a Gaussian and a bilateral kernel.

    The unary energy is ``-log(clip(scores, 1e-5, 1))``; scores need not sum to 1. The defaults are
    AffinityNet's.

    Args:
        image (ndarray): uint8 RGB (H, W, 3).
        scores (ndarray | Tensor): (K, H, W), K >= 1.
        num_iters (int): Mean-field iterations.
        gaussian (tuple): (sxy, weight) of the smoothness kernel; sxy in pixels.
        bilateral (tuple): (sxy, srgb, weight) of the appearance kernel; srgb in grey levels.

    Returns:
        ndarray: float32 (K, H, W); sums to 1 over the classes.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.
    """
    return dense_crf_stack(image, [scores], num_iters, gaussian, bilateral)[0]
