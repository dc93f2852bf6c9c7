"""Comparison of two folders of masks, whoever made them."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mmwsss.evaluation.functional.boundary_iou import DILATION_RATIO, boundary_counts, boundary_distance, iou_of_counts
from mmwsss.evaluation.functional.confusion import (
    IGNORE_INDEX,
    class_figures,
    class_ious,
    confusion_matrix,
    mean_iou,
)
from mmwsss.fileio import DataError, atomic_write, atomic_write_json, read_class_mask
from mmwsss.fileio.white_masks import missing_classes
from mmwsss.processes import worker_pool
from mmwsss.visualization.progress_bar import track

_MAX_LISTED = 5
_FIGURES = ('iou', 'precision', 'recall', 'over_activation', 'under_activation')


@dataclass(frozen=True)
class ImageCounts:
    """What two masks of one image have in common.

    Attributes:
        image_id (str): Name of the masks without suffix.
        confusion (ndarray): int64 (C, C + 1), rows are the ground truth; the last column where nothing is predicted.
        boundary (ndarray): int64 (3, C) of :func:`boundary_counts`.
        ignored (int): Pixels without ground truth.
    """

    image_id: str
    confusion: np.ndarray
    boundary: np.ndarray
    ignored: int = 0


def find_pairs(
    pred_dir: str | Path,
    gt_dir: str | Path,
    ids: Sequence[str] | None = None,
    pred_suffix: str = '.png',
    gt_suffix: str = '.png',
    common: bool = False,
) -> list[tuple[str, Path, Path]]:
    """Find the masks of the same images in two folders and their sub-folders.

    Args:
        pred_dir (str | Path): Folder of predicted masks.
        gt_dir (str | Path): Folder of ground truth.
        ids (sequence[str], optional): Images to compare. Defaults to None: all, and both folders must have the same.
        pred_suffix (str): End of the names of predicted masks. Defaults to ``'.png'``.
        gt_suffix (str): End of the names of ground truth. Defaults to ``'.png'``.
        common (bool): Compare only the images that both folders have. Defaults to False.

    Returns:
        list: Image id, predicted and ground truth of each, in the order of ids.

    Raises:
        DataError: If a folder or a mask is missing, or there are none.
    """
    pred_dir, gt_dir = Path(pred_dir), Path(gt_dir)
    predicted, true = _masks_of(pred_dir, pred_suffix), _masks_of(gt_dir, gt_suffix)
    wanted = sorted(predicted.keys() | true.keys()) if ids is None else list(ids)
    if common:
        wanted = [image_id for image_id in wanted if image_id in predicted and image_id in true]
    for folder, found, suffix in ((pred_dir, predicted, pred_suffix), (gt_dir, true, gt_suffix)):
        missing = [image_id + suffix for image_id in wanted if image_id not in found]
        if missing:
            more = ', ...' if len(missing) > _MAX_LISTED else ''
            raise DataError(
                f'{folder}: {len(missing)} of {len(wanted)} masks are missing: {", ".join(missing[:_MAX_LISTED])}{more}'
            )
    if not wanted:
        raise DataError(f'{pred_dir} and {gt_dir}: no image has a mask in both (*{pred_suffix}, *{gt_suffix})')
    return [(image_id, predicted[image_id], true[image_id]) for image_id in wanted]


def _masks_of(folder: Path, suffix: str) -> dict[str, Path]:
    if not folder.is_dir():
        raise DataError(f'{folder}: expected a folder of masks')
    paths = sorted(folder.rglob(f'*{suffix}'))
    return {path.relative_to(folder).as_posix().removesuffix(suffix): path for path in paths}


def compare_masks(
    pair: tuple[str, Path, Path],
    num_classes: int,
    dilation_ratio: float = DILATION_RATIO,
    class_of_true_index: Mapping[int, int] | None = None,
) -> ImageCounts:
    """Count what two masks of one image have in common.

    Args:
        pair (tuple): Image id, predicted and ground truth, palette or gray PNG of class indices. 255 is no truth in the
            true one, and a pixel that is missed in the predicted one.
        num_classes (int): Number of classes.
        dilation_ratio (float): Width of boundaries as a share of the diagonal. Defaults to 0.02.
        class_of_true_index (dict, optional): Class of each index in the ground truth. By default, they are the same.

    Raises:
        DataError: If a mask is unreadable, of another size than the other, or has an index that is no class.
    """
    image_id, pred_path, gt_path = pair
    prediction = read_class_mask(pred_path, num_classes)
    truth = read_class_mask(gt_path, num_classes, class_of_true_index)
    if prediction.shape != truth.shape:
        raise DataError(f'{pred_path}: expected {truth.shape} pixels like {gt_path}, got {prediction.shape}')
    distance = boundary_distance(truth.shape, dilation_ratio)
    return ImageCounts(
        image_id,
        confusion_matrix(truth, prediction, num_classes),
        boundary_counts(truth, prediction, num_classes, distance),
        int((truth == IGNORE_INDEX).sum()),
    )


def compare_folders(
    pairs: Sequence[tuple[str, Path, Path]],
    num_classes: int,
    num_workers: int = 0,
    dilation_ratio: float = DILATION_RATIO,
    class_of_true_index: Mapping[int, int] | None = None,
) -> Iterator[ImageCounts]:
    """Apply :func:`compare_masks` to every pair under a progress bar with the time left, in order.

    Args:
        pairs (sequence): As of :func:`find_pairs`.
        num_classes (int): Number of classes.
        num_workers (int): Processes; 0 works in this one. Defaults to 0.
        dilation_ratio (float): As in :func:`compare_masks`.
        class_of_true_index (dict, optional): As in :func:`compare_masks`.

    Yields:
        ImageCounts: Those of each pair.

    Raises:
        DataError: The first one of any image.
    """
    compare = partial(
        compare_masks,
        num_classes=num_classes,
        dilation_ratio=dilation_ratio,
        class_of_true_index=class_of_true_index,
    )
    if num_workers == 0:
        yield from track(map(compare, pairs), len(pairs))
        return
    with worker_pool(num_workers) as pool:
        try:
            yield from track(pool.map(compare, pairs, chunksize=16), len(pairs))
        finally:
            pool.shutdown(cancel_futures=True)


class FolderComparison:
    """Figures over all images, in total, by class, and by image and class.

    A mean is over the classes that occur in truth or prediction. The rows of images go to memory-lean tuples, a few
    numbers for each class in an image.

    Args:
        classes (sequence[str]): Names of the classes.
    """

    image_columns = ('image', 'class', 'true_pixels', 'predicted_pixels', 'right_pixels', 'iou', 'boundary_iou')

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        self.confusion = np.zeros((len(classes), len(classes) + 1), np.int64)
        self.boundary = np.zeros((3, len(classes)), np.int64)
        self.ignored = 0
        self.image_rows: list[tuple] = []
        self.image_means: dict[str, float | None] = {}

    def add(self, counts: ImageCounts) -> None:
        self.confusion += counts.confusion
        self.boundary += counts.boundary
        self.ignored += counts.ignored
        true, hits = counts.confusion.sum(1), np.diagonal(counts.confusion)
        predicted = counts.confusion[:, :-1].sum(0)
        ious, boundary = class_ious(counts.confusion), iou_of_counts(counts.boundary)
        for index in np.flatnonzero(true + predicted):
            pixels = (int(true[index]), int(predicted[index]), int(hits[index]))
            figures = (round(float(ious[index]), 2), round(float(boundary[index]), 2))
            self.image_rows.append((counts.image_id, self.classes[index], *pixels, *figures))
        self.image_means[counts.image_id] = _number(mean_iou(counts.confusion))

    def warnings(self) -> list[str]:
        """What the ground truth may lack, one line each."""
        return missing_classes(self.confusion.sum(1), self.ignored, self.classes)

    def summary(self) -> dict:
        """Figures in percent, over- and under-activation as ratios, None where a class does not occur."""
        figures = {**class_figures(self.confusion), 'boundary_iou': iou_of_counts(self.boundary)}
        boundary = figures['boundary_iou']
        labeled = self.confusion.sum()
        return dict(
            images=len(self.image_means),
            mIoU=_number(mean_iou(self.confusion)),
            mean_boundary_iou=_number(
                boundary[np.isfinite(boundary)].mean() if np.isfinite(boundary).any() else np.nan
            ),
            pixel_accuracy=_number(100 * np.trace(self.confusion) / labeled if labeled else np.nan),
            classes={
                name: {figure: _number(values[index]) for figure, values in figures.items()}
                for index, name in enumerate(self.classes)
            },
        )

    def table(self) -> str:
        """The summary as it is printed."""
        summary = self.summary()
        width = max(map(len, [*self.classes, 'class']))
        heads = ('IoU', 'precision', 'recall', 'FP/TP', 'FN/TP', 'boundary IoU')
        lines = [f'{"class":{width}}  ' + '  '.join(f'{head:>6}' for head in heads)]
        for name, figures in summary['classes'].items():
            cells = [
                f'{_text(figures[key]):>{max(6, len(head))}}' for key, head in zip((*_FIGURES, 'boundary_iou'), heads)
            ]
            lines.append(f'{name:{width}}  ' + '  '.join(cells))
        lines.append(
            f'{summary["images"]} images: mIoU {_text(summary["mIoU"])}, boundary IoU '
            f'{_text(summary["mean_boundary_iou"])}, pixel accuracy {_text(summary["pixel_accuracy"])}'
        )
        return '\n'.join(lines)

    def write(self, out_dir: str | Path) -> list[Path]:
        """Write ``summary.json`` (with the confusion matrix), ``classes.csv`` and ``images.csv``, and name them."""
        out_dir, summary = Path(out_dir), self.summary()
        class_rows = [(name, *figures.values()) for name, figures in summary['classes'].items()]
        paths = [out_dir / name for name in ('summary.json', 'classes.csv', 'images.csv')]
        summary.update(confusion=self.confusion.tolist(), image_mIoU=self.image_means)
        atomic_write_json(paths[0], summary)
        _write_csv(paths[1], ('class', *_FIGURES, 'boundary_iou'), class_rows)
        _write_csv(paths[2], self.image_columns, self.image_rows)
        return paths


def _number(value: float | np.ndarray) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def _text(value: float | None) -> str:
    return '-' if value is None else f'{value:.2f}'


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator='\n')
    writer.writerows([columns, *rows])
    atomic_write(path, buffer.getvalue().encode())
