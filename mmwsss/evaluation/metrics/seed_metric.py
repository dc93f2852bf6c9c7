import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from mmengine.logging import MMLogger, print_log

from mmwsss.evaluation.functional.activations import NUM_BINS, strongest_activation
from mmwsss.evaluation.functional.confusion import class_table, classes_of_ground_truth, mean_iou, read_ground_truth
from mmwsss.evaluation.functional.otsu import otsu_background_score
from mmwsss.evaluation.records import record_confusion
from mmwsss.fileio import atomic_write_json, write_seeds
from mmwsss.registry import METRICS
from mmwsss.structures import ScoreMaps, Seeds

from .streaming_metric import Counts, Made, StreamingMetric


def count_activations(cams: np.ndarray, class_ids: np.ndarray, truth: np.ndarray, num_classes: int) -> np.ndarray:
    """Count pixels by truth, strongest class and its activation: one histogram instead of a matrix a threshold.

    Args:
        cams (ndarray): float32 (K, H, W) in [0, 1]; K may be 0.
        class_ids (ndarray): Class index of each map, ascending.
        truth (ndarray): uint8 (H, W); 255 is not counted.
        num_classes (int): Number of classes C.

    Returns:
        ndarray: int64 (C, C + 1, NUM_BINS): true class, strongest class (the last column where there is none),
        activation in hundredths.
    """
    counts = np.zeros((num_classes, num_classes + 1, NUM_BINS), np.int64)
    rows, columns = num_classes + 1, max(1, len(cams))
    index = np.minimum(truth, num_classes).astype(np.intp)
    if len(cams):
        strongest, level = strongest_activation(cams)
        if columns > 1:
            index *= columns
            index += strongest
        index *= NUM_BINS
        index += level
    else:
        index *= NUM_BINS
    found = np.bincount(index.ravel(), minlength=rows * columns * NUM_BINS).reshape(rows, columns, NUM_BINS)
    counts[:, class_ids if len(cams) else [num_classes]] = found[:num_classes]
    return counts


def count_seeds(seeds: Seeds, seg_map_path: str, label_map: Mapping[int, int] | None, num_classes: int) -> np.ndarray:
    """Counts of :func:`count_activations` for the seeds of an image and its mask."""
    truth = read_ground_truth(seg_map_path, seeds.size, num_classes, label_map)
    cams = ScoreMaps.of_seeds(seeds, with_background=False).at_image_size[0].numpy()
    return count_activations(cams, seeds.class_ids, truth, num_classes)


def count_levels(seeds: Seeds, num_classes: int) -> np.ndarray:
    """Count the cells of seeds, int64 (C, NUM_BINS), by strongest class and its activation, without any mask."""
    counts = np.zeros((num_classes, NUM_BINS), np.int64)
    if not len(seeds.cams):
        return counts
    # Writing seeds names the file where these are no numbers.
    cams = np.nan_to_num(seeds.cams.astype(np.float32), nan=0, posinf=1, neginf=0)
    strongest, level = strongest_activation(cams)
    found = np.bincount((strongest * NUM_BINS + level).ravel(), minlength=len(seeds.cams) * NUM_BINS)
    counts[seeds.class_ids] = found.reshape(-1, NUM_BINS)
    return counts


def sweep_confusions(counts: np.ndarray) -> np.ndarray:
    """Confusion matrices at every background score 0, 0.01, ..., 1 from the counts of one pass.

    A pixel is background where its strongest activation is below the score, or there is none.

    Args:
        counts (ndarray): (C, C + 1, NUM_BINS) of :func:`count_seeds`.

    Returns:
        ndarray: int64 (NUM_BINS + 1, C, C).
    """
    pixels, counts = counts.sum((1, 2)), counts[:, :-1]
    above = np.flip(np.cumsum(np.flip(counts, 2), 2), 2).transpose(2, 0, 1)
    above = np.concatenate([above, np.zeros_like(above[:1])])
    above[:, :, 0] += pixels - above.sum(2)
    return above


def confusion_at(counts: np.ndarray, index: int) -> np.ndarray:
    """The confusion matrix of :func:`sweep_confusions` at one background score, ``index`` in [0, NUM_BINS]."""
    confusion = counts[:, :-1, index:].sum(2)
    confusion[:, 0] += counts.sum((1, 2)) - confusion.sum(1)
    return confusion


@METRICS.register_module()
class SeedMetric(StreamingMetric):
    """Writes seeds and measures their mIoU at every background score in one pass.

    The mean is over the classes that occur in truth or prediction. ``mIoU`` is at the configured background score;
    ``mIoU_best`` and ``background_best`` use the masks to pick one; ``mIoU_otsu`` and ``background_otsu`` pick it
    without masks, from the activations of all images (:func:`otsu_background_score`).

    Args:
        output_dir (str, optional): Folder for ``<image_id>.npz``. Defaults to None.
        format_only (bool): Only write. Defaults to False.
        background_score (float): In [0, 1], in hundredths, compared with the normalized activations. Defaults to 0.2.
        curve_file (str, optional): JSON file that receives the curve. Defaults to None.
        prefix (str, optional): Defaults to ``'cam'``.
    """

    file_suffix = '.npz'

    def __init__(
        self,
        output_dir: str | None = None,
        format_only: bool = False,
        background_score: float = 0.2,
        curve_file: str | None = None,
        prefix: str | None = 'cam',
    ) -> None:
        super().__init__(output_dir, format_only, prefix)
        if not 0 <= background_score <= 1:
            raise ValueError(f'background_score must be in [0, 1], got {background_score}')
        if abs(background_score * NUM_BINS - round(background_score * NUM_BINS)) > 1e-6:
            raise ValueError(f'background_score must be a whole number of hundredths, got {background_score}')
        self.background_score = background_score
        self.curve_file = curve_file

    name_without_prefix = 'seeds'

    @property
    def with_background(self) -> bool:
        """Whether class 0 is the background, as the data set says."""
        return bool(self.dataset_meta.get('with_background', True))

    def counter(self, sample: dict) -> '_SeedCounter':
        path = None if self.output_dir is None else os.path.join(self.output_dir, f'{sample["image_id"]}.npz')
        truth = None if self.format_only else sample.get('seg_map_path')
        with_levels = self.with_background and not self.format_only
        return _SeedCounter(
            path, truth, classes_of_ground_truth(sample), len(self.dataset_meta['classes']), with_levels
        )

    def empty(self) -> Counts:
        """Counts of :func:`count_activations` and of :func:`count_levels`."""
        num_classes = len(self.dataset_meta['classes'])
        return dict(
            activations=np.zeros((num_classes, num_classes + 1, NUM_BINS), np.int64),
            levels=np.zeros((num_classes, NUM_BINS), np.int64),
        )

    def image_confusion(self, counts: Mapping[str, np.ndarray]) -> np.ndarray | None:
        if 'activations' not in counts:
            return None
        if not self.with_background:
            return counts['activations'].sum(2)
        return confusion_at(counts['activations'], round(self.background_score * NUM_BINS))

    def summarize(self, total: Counts) -> dict[str, float]:
        classes, activations = self.dataset_meta['classes'], total['activations']
        otsu = otsu_background_score(total['levels'].sum(0)) if self.with_background else None
        figures = {} if otsu is None else {'background_otsu': otsu}
        if not activations.any():
            print_log(
                'No image of this data set has a mask: seeds are not evaluated'
                + ('' if otsu is None else f'. Background score by the method of Otsu: {otsu}'),
                MMLogger.get_current_instance(),
            )
            return figures
        if not self.with_background:
            record_confusion(self.prefix or self.name_without_prefix, activations.sum(2), classes)
            return {'mIoU': float(mean_iou(activations.sum(2)))}
        confusions = sweep_confusions(activations)
        curve = mean_iou(confusions)
        configured, best = round(self.background_score * NUM_BINS), int(np.nanargmax(curve))
        rows = {'configured': configured, 'best, picked with the masks': best}
        figures |= {
            'mIoU': float(curve[configured]),
            'mIoU_best': float(curve[best]),
            'background_best': best / NUM_BINS,
        }
        if otsu is not None:
            rows["Otsu's, picked without masks"] = round(otsu * NUM_BINS)
            figures['mIoU_otsu'] = float(curve[round(otsu * NUM_BINS)])
        lines = [f'{index / NUM_BINS:16.2f} {curve[index]:6.2f}  {name}' for name, index in rows.items()]
        print_log(
            '\n'.join(
                [
                    'Seeds',
                    'background score   mIoU',
                    *lines,
                    f'Classes at background score {self.background_score}, configured',
                    class_table(confusions[configured], classes),
                    f'Classes at background score {best / NUM_BINS}, picked with the masks',
                    class_table(confusions[best], classes),
                ]
            ),
            MMLogger.get_current_instance(),
        )
        record_confusion(self.prefix or self.name_without_prefix, confusions[configured], classes)
        drawn = dict(
            background_score=[index / NUM_BINS for index in range(NUM_BINS + 1)],
            mIoU=[round(v, 4) for v in curve.tolist()],
            configured=self.background_score,
            best_picked_with_masks=best / NUM_BINS,
            otsu_picked_without_masks=otsu,
        )
        if self.curve_file is not None:
            atomic_write_json(self.curve_file, drawn)
        if self.record is not None:
            self.record.note(curve=drawn)
        return figures


@dataclass(frozen=True)
class _SeedCounter:
    path: str | None
    truth: str | None
    label_map: Mapping[int, int] | None
    num_classes: int
    with_levels: bool

    def __call__(self, made: Made) -> Counts:
        seeds = made.seeds
        assert seeds is not None
        if self.path is not None:
            write_seeds(self.path, seeds)
        counts = {}
        if self.with_levels:
            counts['levels'] = count_levels(seeds, self.num_classes)
        if self.truth is not None:
            counts['activations'] = count_seeds(seeds, self.truth, self.label_map, self.num_classes)
        return counts
