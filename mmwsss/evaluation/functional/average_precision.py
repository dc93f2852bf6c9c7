"""How well objects are found: matches with those of the ground truth, and average precision."""

import numpy as np


def match_instances(masks: np.ndarray, scores: np.ndarray, truths: np.ndarray, iou_threshold: float) -> np.ndarray:
    """Which of the found objects of one class in one image are right.

    From the highest score to the lowest, each object goes to the true object with the largest intersection over union.
    It is right where that is at least the threshold, and no object before it went there.

    Args:
        masks (ndarray): bool (N, H, W), found objects.
        scores (ndarray): Float (N,); of equal ones, the first goes first.
        truths (ndarray): bool (M, H, W), true objects.
        iou_threshold (float): In (0, 1].

    Returns:
        ndarray: bool (N,).

    Examples:
        >>> found = np.array([[[1, 1, 0]], [[1, 0, 0]], [[0, 0, 1]]], bool)
        >>> match_instances(found, np.array([0.5, 0.9, 0.7]), np.array([[[1, 1, 0]]], bool), 0.5).tolist()
        [False, True, False]
    """
    correct, taken = np.zeros(len(masks), bool), np.zeros(len(truths), bool)
    if not len(truths):
        return correct
    pixels = truths[0].size
    found, true = (one.reshape(len(one), pixels).astype(np.float32) for one in (masks, truths))
    common = found @ true.T
    iou = common / np.maximum(found.sum(1)[:, None] + true.sum(1) - common, 1)
    for index in np.argsort(-np.asarray(scores), kind='stable'):
        best = iou[index].argmax()
        correct[index] = iou[index, best] >= iou_threshold and not taken[best]
        taken[best] |= correct[index]
    return correct


def average_precision(scores: np.ndarray, correct: np.ndarray, num_truths: int) -> float:
    """Area under the curve of precision over recall, where a precision counts for all lower recalls.

    Objects of one score count together, so that their order does not matter.

    Args:
        scores (ndarray): Float (N,), of the objects of one class in all images.
        correct (ndarray): bool (N,), which of them are right.
        num_truths (int): Number of true objects.

    Returns:
        float: In [0, 1]; NaN where there is no true object.

    Source: Everingham et al., *The PASCAL Visual Object Classes Challenge*, as of 2010.

    Examples:
        >>> average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), num_truths=2)
        0.8333333333333333
        >>> average_precision(np.array([0.9, 0.9]), np.array([True, False]), num_truths=1)
        0.5
    """
    if num_truths == 0:
        return float('nan')
    if not len(scores):
        return 0.0
    order = np.argsort(-scores, kind='stable')
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    right = np.cumsum(correct[order])[ends]
    precision = np.maximum.accumulate((right / (ends + 1))[::-1])[::-1]
    gained = np.diff(right, prepend=0) / num_truths
    return float((gained * precision).sum())
