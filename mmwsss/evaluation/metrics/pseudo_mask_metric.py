import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from mmengine.logging import MMLogger, print_log

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

from .streaming_metric import Counts, Made, StreamingMetric


@METRICS.register_module()
class PseudoMaskMetric(StreamingMetric):
    """Writes pseudo masks and measures their mIoU.

    What is written are the labels of a chain, 255 where no class is sure enough; what is measured is the best class of
    every pixel, sure or not. The mean is over the classes that occur in ground truth or prediction.

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
        picture = self.record.picture(sample) if self.record is not None and path is None else None
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
        )

    def image_confusion(self, counts: Mapping[str, np.ndarray]) -> np.ndarray | None:
        return counts['confusion']

    def empty(self) -> Counts:
        num_classes = len(self.dataset_meta['classes'])
        return dict(
            confusion=np.zeros((num_classes, num_classes + 1), np.int64), boundary=np.zeros((3, num_classes), np.int64)
        )

    def summarize(self, total: Counts) -> dict[str, float]:
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
    picture: str | None = None
    weights: str | None = None

    def __call__(self, made: Made) -> Counts | None:
        labels, best = self._masks(made)
        if self.path is not None:
            write_mask(self.path, labels, self.palette)
        if self.weights is not None:
            self._write_weights(self.weights, made)
        if self.picture is not None:
            write_mask(self.picture, shrink_mask(best), self.palette)
        if self.truth is None:
            return None
        truth = read_ground_truth(self.truth, best.shape, self.num_classes, self.label_map)
        counts = dict(confusion=confusion_matrix(truth, best, self.num_classes))
        if self.boundary_iou:
            counts['boundary'] = boundary_counts(truth, best, self.num_classes)
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
