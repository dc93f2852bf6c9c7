import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from mmengine.logging import MMLogger, print_log

from mmwsss.evaluation.functional.confusion import classes_of_ground_truth, confusion_matrix, read_ground_truth
from mmwsss.fileio import write_mask
from mmwsss.registry import METRICS

from .label_metric import LabelCounting, LabelMetric
from .streaming_metric import Counts, Made


@METRICS.register_module()
class AffinityLabelMetric(LabelMetric):
    """Writes affinity labels, and measures how right and how many the confident pixels are.

    ``precision`` is the share of the confident pixels whose class is true, ``coverage`` the share of all pixels that
    are confident, both in percent of the pixels that have a ground truth. What needs no ground truth is that of
    :class:`LabelMetric`.

    Args:
        chain (str): Name of the label chain that makes the labels.
        output_dir (str, optional): Folder for ``<image_id>.png``. Defaults to None.
        format_only (bool): Only write. Defaults to False.
        prefix (str, optional): Defaults to ``'labels'``.
    """

    file_suffix = '.png'
    name_without_prefix = 'affinity_labels'

    def __init__(
        self, chain: str, output_dir: str | None = None, format_only: bool = False, prefix: str | None = 'labels'
    ) -> None:
        super().__init__(output_dir, format_only, prefix)
        self.chain = chain

    def counter(self, sample: dict) -> '_LabelCounter | None':
        truth = None if self.format_only else sample.get('seg_map_path')
        path = None if self.output_dir is None else os.path.join(self.output_dir, f'{sample["image_id"]}.png')
        if truth is None and path is None:
            return None
        assert self.chain is not None
        meta = self.dataset_meta
        stored = classes_of_ground_truth(sample)
        counting = self.counting(sample)
        return _LabelCounter(self.chain, path, meta['palette'], truth, stored, len(meta['classes']), counting)

    def empty(self) -> Counts:
        num_classes = len(self.dataset_meta['classes'])
        return dict(super().empty(), confusion=np.zeros((num_classes, num_classes + 1), np.int64))

    def summarize(self, total: Counts) -> dict[str, float]:
        super().summarize(total)
        confusion = total['confusion']
        confident = confusion[:, :-1].sum()
        if not confusion.any():
            print_log('No image has a mask: affinity labels are not evaluated', MMLogger.get_current_instance())
            return {}
        return {
            'precision': float(100 * np.trace(confusion) / max(confident, 1)),
            'coverage': float(100 * confident / confusion.sum()),
        }


@dataclass(frozen=True)
class _LabelCounter:
    chain: str
    path: str | None
    palette: Sequence[Sequence[int]]
    truth: str | None
    label_map: Mapping[int, int] | None
    num_classes: int
    counting: LabelCounting | None = None

    def __call__(self, made: Made) -> Counts | None:
        labels = made.chains[self.chain].labels.labels[0].numpy()
        if self.path is not None:
            write_mask(self.path, labels, self.palette)
        counts = {} if self.counting is None else self.counting(labels)
        if self.truth is not None:
            truth = read_ground_truth(self.truth, labels.shape, self.num_classes, self.label_map)
            counts['confusion'] = confusion_matrix(truth, labels, self.num_classes)
        return counts or None
