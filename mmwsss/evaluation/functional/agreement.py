"""How far two ways of labeling the same images agree, without ground truth."""

from collections.abc import Sequence

import numpy as np

from .activations import NUM_BINS, strongest_activation
from .confusion import IGNORE_INDEX, confusion_matrix

# Masks are compared on every fourth pixel of every fourth row.
STEP = 4


def count_agreement(first: np.ndarray, second: np.ndarray, num_classes: int) -> np.ndarray:
    """Count pixels by the class that each of two masks gives them; those that either is unsure of are left out.

    Args:
        first (ndarray): uint8 (H, W); 255 is unsure.
        second (ndarray): uint8 (H, W); 255 is unsure.
        num_classes (int): Number of classes C.

    Returns:
        ndarray: int64 (C, C), rows are the classes of the second mask.

    Examples:
        >>> count_agreement(np.array([[0, 1]], np.uint8), np.array([[0, 255]], np.uint8), 2).tolist()
        [[1, 0], [0, 0]]
    """
    # Masks of a few pixels are compared whole.
    step = STEP if min(first.shape) > STEP else 1
    return confusion_matrix(second[::step, ::step], first[::step, ::step], num_classes)[:, :num_classes]


def count_cam_agreement(
    mask: np.ndarray, cams: np.ndarray, class_ids: np.ndarray | Sequence[int], num_classes: int
) -> np.ndarray:
    """Count what :func:`cam_agreement` needs, for one image.

    Args:
        mask (ndarray): uint8 (H, W); 255 is unsure and not counted.
        cams (ndarray): float (K, h, w) in [0, 1], the class maps of the same image on any grid.
        class_ids (sequence[int]): Class index of each map.
        num_classes (int): Number of classes C.

    Returns:
        ndarray: int64 (3, C, 100), cells by the activation of their strongest class, in hundredths: those whose
        strongest class is that of the row, of these those that the mask gives this class, and all that the mask gives
        it. Zeros where there is no map.
    """
    counts = np.zeros((3, num_classes, NUM_BINS), np.int64)
    if not len(cams):
        return counts
    # What the mask says at the middle of each cell.
    rows, columns = (
        ((np.arange(cells) + 0.5) * pixels / cells).astype(int)
        for cells, pixels in zip(cams.shape[1:], mask.shape, strict=True)
    )
    small = mask[rows[:, None], columns]
    known = small != IGNORE_INDEX
    strongest, level = strongest_activation(np.nan_to_num(cams.astype(np.float32), nan=0, posinf=1, neginf=0))
    named = np.asarray(class_ids, np.intp)[strongest[known]]
    level, given = level[known], small[known].astype(np.intp)

    def histogram(classes: np.ndarray, levels: np.ndarray) -> np.ndarray:
        found = np.bincount(classes * NUM_BINS + levels, minlength=num_classes * NUM_BINS)
        return found.reshape(num_classes, NUM_BINS)

    agreed = named == given
    counts[:] = histogram(named, level), histogram(named[agreed], level[agreed]), histogram(given, level)
    return counts


def cam_agreement(counts: np.ndarray, with_background: bool) -> float | None:
    """mIoU in percent of class maps against masks, at the background score where the two agree best.

    Args:
        counts (ndarray): (3, C, 100), sums of :func:`count_cam_agreement`.
        with_background (bool): Whether class 0 is the background; else the strongest class counts, however weak.

    Returns:
        float | None: The mean is over the classes that occur in maps or masks; None where nothing was counted.
    """
    named, agreed, given = (np.flip(np.cumsum(np.flip(one, 1), 1), 1) for one in counts)
    if not given[:, 0].any():
        return None
    # At score t, columns t and above are foreground, but for cells of which a map of the background is the strongest.
    hits, predicted, true = agreed.copy(), named.copy(), np.repeat(given[:, :1], NUM_BINS, 1)
    if with_background:
        hits[0] = given[0, 0] - (given[0] - agreed[0])
        predicted[0] = named[:, 0].sum() - named[1:].sum(0)
    else:
        hits, predicted, true = hits[:, :1], predicted[:, :1], true[:, :1]
    union = predicted + true - hits
    ious = np.divide(hits, union, out=np.zeros(union.shape), where=union > 0)
    return float(100 * (ious.sum(0) / (union > 0).sum(0)).max())
