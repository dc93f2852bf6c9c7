from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.logging import MMLogger, print_log

from mmwsss.evaluation.functional.label_statistics import (
    count_labels,
    describe_labels,
    label_table,
    problem_of,
    zero_counts,
)
from mmwsss.evaluation.records import NUM_NAMED, gather_names, image_id_of, record_statistics

from .streaming_metric import Counts, StreamingMetric


@dataclass(frozen=True)
class LabelCounting:
    """Counts what the labels of one image hold, in whatever process made them.

    Attributes:
        class_ids (tuple[int], optional): Class indices of its image-level labels; None where there are none.
        num_classes (int): Number of classes.
        with_background (bool): Whether class 0 is the background.
    """

    class_ids: tuple[int, ...] | None
    num_classes: int
    with_background: bool

    def __call__(self, labels: np.ndarray) -> Counts:
        """Counts of :func:`count_labels` for labels, uint8 (H, W)."""
        return count_labels(labels, self.class_ids, self.num_classes, self.with_background)


class LabelMetric(StreamingMetric):
    """A metric of labels, which also keeps what these say of themselves, without any ground truth.

    That is the share of each class and of the background, the share of confident pixels, and which masks are empty,
    full or without a class of their image. It is logged, and noted by :func:`record_statistics`. With ``format_only``
    nothing is counted.
    """

    def __init__(self, output_dir: str | None = None, format_only: bool = False, prefix: str | None = None) -> None:
        super().__init__(output_dir, format_only, prefix)
        self._named: dict[str, list[str]] = {}

    @property
    def with_background(self) -> bool:
        """Whether class 0 is the background, as the data set says."""
        return bool(self.dataset_meta.get('with_background', True))

    def counting(self, sample: Mapping[str, Any]) -> LabelCounting | None:
        """What counts the labels of an image; None with ``format_only``."""
        if self.format_only:
            return None
        class_ids: Iterable[int] | None = sample.get('gt_class_ids')
        known = None if class_ids is None else tuple(int(index) for index in class_ids)
        return LabelCounting(known, len(self.dataset_meta['classes']), self.with_background)

    def empty(self) -> Counts:
        return zero_counts(len(self.dataset_meta['classes']))

    def add(self, counts: Mapping[str, np.ndarray] | None, sample: Mapping[str, Any] | None = None) -> None:
        super().add(counts, sample)
        problem = problem_of(counts) if counts and 'tags' in counts else None
        if problem is not None and sample is not None:
            names = self._named.setdefault(problem, [])
            if len(names) < NUM_NAMED:
                names.append(image_id_of(sample))

    def summarize(self, total: Counts) -> dict[str, float]:
        """Notes what the labels say of themselves; a subclass adds figures."""
        named, self._named = gather_names(self._named), {}
        if total['images'][0]:
            classes = self.dataset_meta['classes']
            described = describe_labels(total, classes, self.with_background, named)
            written = None if self.output_dir is None else self.output_dir.rstrip('/').rpartition('/')[2]
            name = self.prefix or self.name_without_prefix
            record_statistics(name, 'labels', written=written, **described, agreement=self.agreement(total))
            print_log(f'Labels: {name}\n{label_table(described)}', MMLogger.get_current_instance())
        return {}

    def agreement(self, total: Counts) -> dict[str, Any]:
        """How far the labels agree with others of the same images; nothing, as by default."""
        return {}
