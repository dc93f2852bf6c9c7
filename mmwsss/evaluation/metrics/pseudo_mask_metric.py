import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from mmengine.logging import MMLogger, print_log

from mmwsss.evaluation.functional.activations import NUM_BINS
from mmwsss.evaluation.functional.agreement import cam_agreement, count_agreement, count_cam_agreement
from mmwsss.evaluation.functional.boundary_iou import boundary_counts, iou_of_counts
from mmwsss.evaluation.functional.confusion import (
    class_table,
    classes_of_ground_truth,
    confusion_matrix,
    mean_iou,
    read_ground_truth,
)
from mmwsss.evaluation.records import record_confusion, shrink_mask
from mmwsss.fileio import DataError, write_mask, write_pixel_weights
from mmwsss.ops.maps import label_of_scores
from mmwsss.registry import METRICS

from .label_metric import LabelCounting, LabelMetric
from .streaming_metric import Counts, Made

# What the maps that a chain began with are called: those of a localizer, or the scores of a segmentor.
CLASS_MAPS = 'class maps'
_WITH = 'with/'


@METRICS.register_module()
class PseudoMaskMetric(LabelMetric):
    """Writes pseudo masks and measures their mIoU.

    What is written are the labels of a chain, 255 where no class is sure enough; what is measured is the best class of
    every pixel, sure or not. The mean is over the classes that occur in ground truth or prediction.

    What needs no ground truth is that of :class:`LabelMetric`. Besides, the masks are compared with the class maps that
    the chain began with, at the background score where both agree best, and with those of the metrics before it, by
    their mIoU in percent. Without ground truth, masks that are not written are made only of the images that a picture
    is kept of.

    Args:
        chain (str): Name of the label chain that makes the masks.
        num_refiners (int, optional): Measure and write the best class after this many refiners of the chain. Defaults
            to None: after its end.
        output_dir (str, optional): Folder for ``<image_id>.png``. Defaults to None.
        weight_dir (str, optional): Folder for the weights of the pixels, where the chain gives them: ``<image_id>.png``
            in gray, 255 for a weight of 1. A relative one is taken as ``output_dir`` is. Defaults to None.
        format_only (bool): Only write. Defaults to False.
        prefix (str, optional): Defaults to None: the name of the chain.
        boundary_iou (bool): Also measure how well outlines follow those of the ground truth, as the mean boundary IoU
            over the classes that occur (:mod:`mmwsss.evaluation.functional.boundary_iou`). Defaults to False.

    Raises:
        ValueError: If weights are to be written and no masks, or not after the end of the chain.
        DataError: In a test, if weights are to be written and the chain gives none.
    """

    file_suffix = '.png'
    name_without_prefix = 'pseudo_masks'
    # Names of the metrics before it, whose masks of the same image it is compared with; a LabelLoop knows them.
    compared_with: tuple[str, ...] = ()

    def __init__(
        self,
        chain: str,
        num_refiners: int | None = None,
        output_dir: str | None = None,
        format_only: bool = False,
        prefix: str | None = None,
        boundary_iou: bool = False,
        weight_dir: str | None = None,
    ) -> None:
        super().__init__(output_dir, format_only, prefix or chain)
        if num_refiners is not None and num_refiners < 0:
            raise ValueError(f'num_refiners of PseudoMaskMetric must not be negative, got {num_refiners}')
        self.chain = chain
        self.num_refiners = num_refiners
        self.boundary_iou = boundary_iou
        if weight_dir is not None and (output_dir is None or num_refiners is not None):
            raise ValueError(
                'weight_dir of PseudoMaskMetric is for weights of the masks at the end of a chain: expected an '
                'output_dir and no num_refiners'
            )
        self.weight_dir = weight_dir

    def counter(self, sample: dict) -> '_MaskCounter | None':
        truth = None if self.format_only else sample.get('seg_map_path')
        path = None if self.output_dir is None else os.path.join(self.output_dir, f'{sample["image_id"]}.png')
        weights = None if self.weight_dir is None else os.path.join(self.weight_dir, f'{sample["image_id"]}.png')
        # Where masks are written, they are there to be drawn.
        recorded = self.record if path is None else None
        picture = None if recorded is None else recorded.picture(sample, measured=truth is not None)
        if truth is None and path is None and picture is None:
            return None
        assert self.chain is not None
        return _MaskCounter(
            self.chain,
            self.num_refiners,
            path,
            self.dataset_meta['palette'],
            truth,
            classes_of_ground_truth(sample),
            len(self.dataset_meta['classes']),
            self.boundary_iou,
            picture,
            weights,
            self.counting(sample),
            self.prefix or '',
            self.compared_with,
        )

    def image_confusion(self, counts: Mapping[str, np.ndarray]) -> np.ndarray | None:
        return counts.get('confusion')

    def empty(self) -> Counts:
        num_classes = len(self.dataset_meta['classes'])
        return dict(
            super().empty(),
            confusion=np.zeros((num_classes, num_classes + 1), np.int64),
            boundary=np.zeros((3, num_classes), np.int64),
            cam=np.zeros((3, num_classes, NUM_BINS), np.int64),
            **{_WITH + name: np.zeros((num_classes, num_classes), np.int64) for name in self.compared_with},
        )

    def agreement(self, total: Counts) -> dict[str, float | None]:
        """mIoU in percent with the 'class maps' and with the masks of other metrics; None where none is known."""
        found = {CLASS_MAPS: cam_agreement(total['cam'], self.with_background)}
        for name in self.compared_with:
            iou = float(mean_iou(total[_WITH + name]))
            found[name] = iou if np.isfinite(iou) else None
        return found

    def summarize(self, total: Counts) -> dict[str, float]:
        super().summarize(total)
        confusion, classes = total['confusion'], self.dataset_meta['classes']
        if not confusion.any():
            print_log('No image has a mask: pseudo masks are not evaluated', MMLogger.get_current_instance())
            return {}
        table = class_table(confusion, classes)
        print_log(f'Pseudo masks: {self.prefix}\n{table}', MMLogger.get_current_instance())
        record_confusion(self.prefix or self.name_without_prefix, confusion, classes)
        figures = {'mIoU': float(mean_iou(confusion))}
        if self.boundary_iou:
            figures['mean_boundary_IoU'] = float(np.nanmean(iou_of_counts(total['boundary'])))
        return figures


@dataclass(frozen=True)
class _MaskCounter:
    chain: str
    num_refiners: int | None
    path: str | None
    palette: Sequence[Sequence[int]]
    truth: str | None
    label_map: Mapping[int, int] | None
    num_classes: int
    boundary_iou: bool
    picture: str | None
    weights: str | None
    counting: LabelCounting | None
    name: str
    compared_with: tuple[str, ...]

    def __call__(self, made: Made) -> Counts | None:
        labels, best = self._masks(made)
        if self.path is not None:
            write_mask(self.path, labels, self.palette)
        if self.weights is not None:
            self._write_weights(self.weights, made)
        if self.picture is not None:
            write_mask(self.picture, shrink_mask(best), self.palette)
        counts = {} if self.counting is None else {**self.counting(labels), **self._agreement(made, best)}
        if self.truth is not None:
            truth = read_ground_truth(self.truth, best.shape, self.num_classes, self.label_map)
            counts['confusion'] = confusion_matrix(truth, best, self.num_classes)
            if self.boundary_iou:
                counts['boundary'] = boundary_counts(truth, best, self.num_classes)
        return counts or None

    def _agreement(self, made: Made, best: np.ndarray) -> Counts:
        counts = {}
        if made.seeds is not None:
            counts['cam'] = count_cam_agreement(best, made.seeds.cams, made.seeds.class_ids, self.num_classes)
        for name in self.compared_with:
            if name in made.masks:
                counts[_WITH + name] = count_agreement(best, made.masks[name], self.num_classes)
        made.masks[self.name] = best
        return counts

    def _write_weights(self, path: str, made: Made) -> None:
        weights = made.chains[self.chain].labels.weights
        if weights is None:
            raise DataError(
                f'{path}: chain {self.chain!r} gives pixels no weights; set full_margin of its ArgmaxLabeler, or '
                "agreement='weight' of the chain"
            )
        write_pixel_weights(path, weights[0].numpy())

    def _masks(self, made: Made) -> tuple[np.ndarray, np.ndarray]:
        """The mask to write and the one to measure, uint8 (H, W) each."""
        result = made.chains[self.chain]
        if self.num_refiners is None:
            return result.labels.labels[0].numpy(), result.labels.best[0].numpy()
        maps = result.maps[self.num_refiners]
        best = label_of_scores(maps.at_image_size, maps.class_ids)[0].numpy()
        return best, best
