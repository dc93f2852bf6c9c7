import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from mmengine.logging import MMLogger, print_log
from mmseg.registry import METRICS, MODELS

from mmwsss.evaluation.functional.boundary_iou import boundary_counts, iou_of_counts
from mmwsss.evaluation.functional.confusion import (
    IGNORE_INDEX,
    class_table,
    classes_of_truth,
    confusion_matrix,
    mean_iou,
    read_truth,
)
from mmwsss.evaluation.metrics.seed_metric import resize_maps
from mmwsss.evaluation.metrics.streaming_metric import StreamingMetric
from mmwsss.evaluation.recorded_confusions import record_confusion
from mmwsss.fileio import AffinityField, read_photo, write_affinity, write_mask


@METRICS.register_module()
class PseudoMaskMetric(StreamingMetric):
    """Turns score maps into pseudo masks, writes them and measures their mIoU.

    The maps are the walked ones of :class:`AffinityNet`, or the activation maps of :class:`CAMClassifier` with a
    constant background score. The mean is over the classes that occur in truth or prediction.

    Args:
        dense_crf (dict, optional): Config of a :class:`DenseCRF` that refines the scores. Defaults to None.
        background_score (float, optional): Needed for activation maps, which have no background, where the data set has
            one. Defaults to None.
        margin (float): A pixel whose best score exceeds the second by less than this becomes 255, which segmentors
            ignore; scores sum to 1 for this. Evaluated masks have no such pixels. Defaults to 0.
        output_dir (str, optional): Folder for ``<image_id>.png``. Defaults to None.
        format_only (bool): Only write. Defaults to False.
        num_workers (int): Processes that do all this while the network runs. Defaults to 0.
        prefix (str, optional): Defaults to ``'random_walk'``.
        with_background (bool): Whether activation maps compete with a background; without, with each other alone.
            Defaults to True.
        affinity_dir (str, optional): Folder for ``<image_id>.npz``, the affinity field of each photograph as
            :func:`mmwsss.fileio.write_affinity` stores it, for ``tools/analysis_tools/sweep.py``. Defaults to None.
        boundary_iou (bool): Also measure how well outlines follow those of the truth, as the mean boundary IoU over the
            classes that occur (:mod:`mmwsss.evaluation.functional.boundary_iou`). Defaults to False.
    """

    def __init__(
        self,
        dense_crf: dict | None = None,
        background_score: float | None = None,
        margin: float = 0.0,
        output_dir: str | None = None,
        format_only: bool = False,
        num_workers: int = 0,
        prefix: str | None = 'random_walk',
        with_background: bool = True,
        affinity_dir: str | None = None,
        boundary_iou: bool = False,
    ) -> None:
        super().__init__(output_dir, format_only, num_workers, prefix)
        if not 0 <= margin < 1:
            raise ValueError(f'margin must be in [0, 1), got {margin}')
        self.dense_crf = MODELS.build(dense_crf) if dense_crf else None
        self.background_score = background_score
        self.margin = margin
        self.with_background = with_background
        self.affinity_dir = affinity_dir
        self.boundary_iou = boundary_iou

    def job(self, sample: dict) -> tuple[Callable, tuple] | None:
        truth = None if self.format_only else sample.get('seg_map_path')
        path = None if self.output_dir is None else os.path.join(self.output_dir, f'{sample["image_id"]}.png')
        affinity = None
        if self.affinity_dir is not None:
            if 'affinity' not in sample:
                raise ValueError('affinity_dir of PseudoMaskMetric needs a network that predicts affinities')
            field = AffinityField(sample['affinity'], tuple(sample['img_shape'][:2]), sample['grid_stride'])
            affinity = os.path.join(self.affinity_dir, f'{sample["image_id"]}.npz'), field
        if truth is None and path is None and affinity is None:
            return None
        job = partial(
            _mask_job,
            dense_crf=self.dense_crf,
            margin=self.margin,
            path=path,
            palette=self.dataset_meta['palette'],
            truth=truth,
            label_map=classes_of_truth(sample),
            num_classes=len(self.dataset_meta['classes']),
            affinity=affinity,
            boundary_iou=self.boundary_iou,
        )
        size = tuple(sample['ori_shape'][:2])
        if 'scores' in sample:
            covered = (tuple(sample['img_shape'][:2]), sample['grid_stride'])
            return job, (
                sample['img_path'],
                sample['scores'].astype(np.float16),
                sample['class_ids'],
                size,
                covered,
            )
        if not self.with_background:
            return job, (
                sample['img_path'],
                sample['cams'].astype(np.float16),
                sample['class_ids'],
                size,
                None,
            )
        if self.background_score is None:
            raise ValueError('activation maps have no background: set background_score of PseudoMaskMetric')
        cams = sample['cams']
        background = np.full((1, *cams.shape[1:]), self.background_score, cams.dtype)
        scores = np.concatenate([background, cams]).astype(np.float16)
        class_ids = np.concatenate([np.zeros(1, np.uint8), sample['class_ids']])
        return job, (sample['img_path'], scores, class_ids, size, None)

    def empty(self) -> np.ndarray:
        """Pixels by true and predicted class, and with ``boundary_iou``, three more rows of :func:`boundary_counts`."""
        num_classes = len(self.dataset_meta['classes'])
        return np.zeros((num_classes + (3 if self.boundary_iou else 0), num_classes + 1), np.int64)

    def summarise(self, total: np.ndarray) -> dict[str, float]:
        if not total.any():
            print_log('No photograph has a mask: pseudo masks are not evaluated', MMLogger.get_current_instance())
            return {}
        total, boundary = np.split(total, [len(self.dataset_meta['classes'])])
        table = class_table(total, self.dataset_meta['classes'])
        print_log(f'Pseudo masks: {self.prefix}\n{table}', MMLogger.get_current_instance())
        record_confusion(self.prefix or 'pseudo_masks', total, self.dataset_meta['classes'])
        figures = {'mIoU': float(mean_iou(total))}
        if self.boundary_iou:
            figures['mean_boundary_IoU'] = float(np.nanmean(iou_of_counts(boundary[:, :-1])))
        return figures


def scores_at_image_size(
    scores: np.ndarray, size: tuple[int, int], covered: tuple[tuple[int, int], int] | None = None
) -> np.ndarray:
    """Bring score maps (C, h, w) to the size of the photograph.

    Args:
        scores (ndarray): Maps on a grid.
        size (tuple[int, int]): Height and width of the photograph.
        covered (tuple, optional): Height and width of the input that was padded to the grid, and pixels a cell. By
            default the maps cover the photograph exactly.

    Returns:
        ndarray: float32 (C, H, W).
    """
    if covered is not None:
        (height, width), stride = covered
        scores = resize_maps(scores, (scores.shape[1] * stride, scores.shape[2] * stride))[:, :height, :width]
    return resize_maps(scores, size) if scores.shape[1:] != tuple(size) else scores


def _mask_job(
    img_path: str,
    scores: np.ndarray,
    class_ids: np.ndarray,
    size: tuple[int, int],
    covered: tuple[tuple[int, int], int],
    *,
    dense_crf: Callable[[np.ndarray, np.ndarray], np.ndarray] | None,
    margin: float,
    path: str | None,
    palette: Sequence[Sequence[int]],
    truth: str | None,
    label_map: Mapping[int, int] | None,
    num_classes: int,
    affinity: tuple[str, AffinityField] | None,
    boundary_iou: bool,
) -> np.ndarray | None:
    if affinity is not None:
        write_affinity(*affinity)
    if truth is None and path is None:
        return None
    scores = scores_at_image_size(scores, size, covered)
    if dense_crf is not None and len(scores):
        image = np.ascontiguousarray(read_photo(img_path)[:, :, ::-1])
        scores = dense_crf(image, scores)
    mask = class_ids[scores.argmax(0)] if len(scores) else np.full(size, IGNORE_INDEX, np.uint8)
    if path is not None:
        written = mask
        if margin > 0 and len(scores) > 1:
            second, best = np.partition(scores / scores.sum(0).clip(1e-8), -2, axis=0)[-2:]
            written = np.where(best - second < margin, np.uint8(255), mask)
        write_mask(path, written, palette)
    if truth is None:
        return None
    true = read_truth(truth, size, num_classes, label_map)
    counts = confusion_matrix(true, mask, num_classes)
    if boundary_iou:
        counts = np.concatenate([counts, np.pad(boundary_counts(true, mask, num_classes), ((0, 0), (0, 1)))])
    return counts
