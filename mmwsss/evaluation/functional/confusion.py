"""Counting of pixels: confusion matrices and what is read off them."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from mmwsss.fileio import DataError, class_of_index, read_class_mask, size_reduction

IGNORE_INDEX = 255


def classes_of_ground_truth(sample: Mapping[str, Any]) -> Mapping[int, int] | None:
    """What the indices in the ground truth of a sample mean, for :func:`read_ground_truth`."""
    return class_of_index(sample.get('label_map'), sample.get('reduce_zero_label', False))


def read_ground_truth(
    path: str, size: tuple[int, int], num_classes: int, label_map: Mapping[int, int] | None = None
) -> np.ndarray:
    """Read a mask in the indices of the configured classes.

    Where the image is so large that :func:`read_image` reduces it, so is the mask.

    Args:
        path (str): Mask file.
        size (tuple[int, int]): Expected height and width.
        num_classes (int): Number of configured classes.
        label_map (dict, optional): Stored index to class index. By default, they are the same.

    Returns:
        ndarray: uint8 (H, W), 255 where there is no truth.

    Raises:
        DataError: If the mask is unreadable, of another size, or has an index that is no class.
    """
    truth = read_class_mask(path, num_classes, label_map)
    reduction = size_reduction(truth.shape)
    if reduction > 1 and all(abs(full / reduction - small) < 1 for full, small in zip(truth.shape, size)):
        truth = cv2.resize(truth, tuple(size)[::-1], interpolation=cv2.INTER_NEAREST)
    if truth.shape != tuple(size):
        raise DataError(f'{path}: expected a mask of {tuple(size)} pixels like its image, got {truth.shape}')
    return truth


def confusion_matrix(truth: np.ndarray, prediction: np.ndarray, num_classes: int) -> np.ndarray:
    """Count pixels by true and predicted class, without those that have no truth.

    Args:
        truth (ndarray): uint8 (H, W); 255 is not counted.
        prediction (ndarray): uint8 (H, W); 255, no prediction, goes to the last column.
        num_classes (int): Number of classes.

    Returns:
        ndarray: int64 (num_classes, num_classes + 1).

    Raises:
        ValueError: If the ground truth has an index that is no class.
    """
    valid = truth != IGNORE_INDEX
    true, predicted = truth[valid].astype(np.int64), prediction[valid].astype(np.int64)
    if true.size and true.max() >= num_classes:
        raise ValueError(f'truth has class index {true.max()}, but there are {num_classes} classes')
    columns = num_classes + 1
    counts = np.bincount(true * columns + np.minimum(predicted, num_classes), minlength=num_classes * columns)
    return counts.reshape(num_classes, columns)


def class_ious(confusion: np.ndarray) -> np.ndarray:
    """Intersection over union in percent of each class; NaN for a class in neither truth nor prediction.

    Args:
        confusion (ndarray): (..., C, C) or (..., C, C + 1), rows are the ground truth.
    """
    num_classes = confusion.shape[-2]
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    union = confusion.sum(-1) + confusion[..., :num_classes].sum(-2) - hits
    return 100 * np.divide(hits, union, out=np.full(hits.shape, np.nan), where=union > 0)


def mean_iou(confusion: np.ndarray) -> np.ndarray:
    """Mean of :func:`class_ious` over the classes that occur in truth or prediction; NaN if none does."""
    ious = class_ious(confusion)
    counted = np.isfinite(ious)
    total = np.where(counted, ious, 0).sum(-1)
    return np.divide(total, counted.sum(-1), out=np.full(total.shape, np.nan), where=counted.any(-1))


def class_figures(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """What is read off a confusion matrix for each class.

    Over-activation is FP / TP, area predicted too much, and under-activation FN / TP, area missed, both as shares of
    the area that is right (the terms of Wang et al., CVPR 2020, SEAM).

    Args:
        confusion (ndarray): (C, C) or (C, C + 1), rows are the ground truth.

    Returns:
        dict[str, ndarray]: float (C,) each: ``iou``, ``precision`` and ``recall`` in percent, ``over_activation`` and
        ``under_activation`` as ratios. NaN where a figure divides nothing by nothing, infinite where only its divisor
        is 0.
    """
    hits = np.diagonal(confusion).astype(float)
    predicted, true = confusion[:, : len(confusion)].sum(0), confusion.sum(1)
    with np.errstate(invalid='ignore', divide='ignore'):
        return dict(
            iou=class_ious(confusion),
            precision=100 * hits / predicted,
            recall=100 * hits / true,
            over_activation=(predicted - hits) / hits,
            under_activation=(true - hits) / hits,
        )


def class_table(confusion: np.ndarray, classes: Sequence[str]) -> str:
    """A printed table of the :func:`class_figures` of each class."""
    columns = class_figures(confusion).values()
    width = max(len(name) for name in classes)
    lines = [f'{"class":{width}}    IoU  precision  recall  FP/TP  FN/TP']
    for name, iou, precision, recall, over, under in zip(classes, *columns):
        lines.append(f'{name:{width}} {iou:6.2f} {precision:10.2f} {recall:7.2f} {over:6.2f} {under:6.2f}')
    return '\n'.join(lines)
