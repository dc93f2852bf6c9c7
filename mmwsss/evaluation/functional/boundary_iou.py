"""Boundary IoU: how well the outlines of predicted classes follow those of the ground truth.

Source: Cheng, Girshick, Dollar, Berg & Kirillov, *Boundary IoU: Improving Object-Centric Image Segmentation
Evaluation*, CVPR 2021. For a class with true pixels G and predicted ones P it is the IoU of G_d and P_d, the pixels of
each that are closer to its outline than d; beyond the image, there is nothing of any class.
"""

import math

import cv2
import numpy as np

from mmwsss.evaluation.functional.confusion import IGNORE_INDEX

DILATION_RATIO = 0.02


def boundary_distance(size: tuple[int, int], ratio: float = DILATION_RATIO) -> int:
    """The width d of a boundary in pixels: a share of the image's diagonal, at least 1.

    Args:
        size (tuple[int, int]): Height and width in pixels.
        ratio (float): Share, positive. Defaults to 0.02, that of the paper.
    """
    if not ratio > 0:
        raise ValueError(f'ratio must be positive, got {ratio!r}')
    return max(1, round(ratio * math.hypot(*size)))


def boundary_region(label_map: np.ndarray, distance: int) -> np.ndarray:
    """Pixels with another class, or the edge of the image, within a square of ``2 distance + 1`` pixels around them.

    Cost: a few operations a pixel for all classes together.

    Args:
        label_map (ndarray): uint8 (H, W).
        distance (int): At least 1.

    Returns:
        ndarray: bool (H, W). Together with ``label_map == c``, this is the boundary region of class c.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.
    """
    if label_map.dtype != np.uint8 or label_map.ndim != 2:
        raise ValueError(f'label_map must be uint8 (H, W), got {label_map.dtype} {label_map.shape}')
    if distance < 1:
        raise ValueError(f'distance must be at least 1, got {distance}')
    kernel = np.ones((2 * distance + 1, 2 * distance + 1), np.uint8)
    region = cv2.erode(label_map, kernel) != cv2.dilate(label_map, kernel)
    region[:distance] = region[-distance:] = region[:, :distance] = region[:, -distance:] = True
    return region


def boundary_counts(
    truth: np.ndarray, prediction: np.ndarray, num_classes: int, distance: int | None = None
) -> np.ndarray:
    """Count the pixels of the boundary regions of one image, to be added up over images.

    Pixels without truth belong to no class, and their predictions are dropped before the outlines are taken: else a
    void band around objects, as VOC has, would count against a perfect prediction.

    Args:
        truth (ndarray): uint8 (H, W), 255 where there is no truth.
        prediction (ndarray): uint8 (H, W), 255 where nothing is predicted.
        num_classes (int): Number of classes C.
        distance (int, optional): Width of the boundary. Defaults to :func:`boundary_distance` of the size.

    Returns:
        ndarray: int64 (3, C): right, predicted and true pixels of the boundary of each class.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.
    """
    if truth.shape != prediction.shape:
        raise ValueError(f'truth and prediction must be of one shape, got {truth.shape} and {prediction.shape}')
    distance = boundary_distance(truth.shape) if distance is None else distance
    prediction = np.where(truth == IGNORE_INDEX, np.uint8(IGNORE_INDEX), prediction)
    near_true, near_predicted = boundary_region(truth, distance), boundary_region(prediction, distance)
    chosen = (truth[near_true & near_predicted & (truth == prediction)], prediction[near_predicted], truth[near_true])
    return np.stack([np.bincount(values, minlength=256)[:num_classes] for values in chosen])


def iou_of_counts(counts: np.ndarray) -> np.ndarray:
    """IoU in percent (C,) from counts (3, C) of :func:`boundary_counts`; NaN for a class that does not occur."""
    hits, predicted, true = counts
    union = predicted + true - hits
    return 100 * np.divide(hits, union, out=np.full(hits.shape, np.nan), where=union > 0)
