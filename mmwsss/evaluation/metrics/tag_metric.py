from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log

from mmwsss.evaluation.functional.label_statistics import count_labels, describe_labels, zero_counts
from mmwsss.evaluation.records import NUM_NAMED, gather_names, image_id_of, record_statistics
from mmwsss.fileio import DataError
from mmwsss.registry import METRICS

MISSED, INVENTED = 'a class is not found', 'a class is found that is not there'


def tag_scores(tags: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 of classes in masks against image-level labels, in percent.

    Args:
        tags (ndarray): (3, C): images that have the label, whose mask has the class, both.

    Returns:
        dict[str, ndarray]: ``precision``, ``recall`` and ``F1``, float (C,) each; NaN for a class in neither.

    Examples:
        >>> {name: values.tolist() for name, values in tag_scores(np.array([[2], [4], [2]])).items()}
        {'precision': [50.0], 'recall': [100.0], 'F1': [66.66666666666667]}
    """
    tagged, found, both = tags.astype(float)
    occurs = (tagged > 0) | (found > 0)

    def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
        return np.where(occurs, 100 * np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0), np.nan)

    return dict(precision=share(both, found), recall=share(both, tagged), F1=share(2 * both, tagged + found))


@METRICS.register_module()
class TagMetric(BaseMetric):
    """Whether the masks of a segmentor hold the classes of the image-level labels: it needs no ground truth.

    The data set of the test has ``image_labels``, which the segmentor never sees. ``precision``, ``recall`` and ``F1``
    are means over the classes that occur in labels or masks, in percent. Those of each class, the shares of the pixels,
    and images where a class is missing or too much, are noted by :func:`record_statistics`.

    Args:
        min_share (float): Share of the pixels of an image that a class covers at least where it counts as found, in
            [0, 1). Defaults to 0.001.
        prefix (str, optional): Defaults to ``'tags'``.

    Raises:
        DataError: If an image has no labels.
    """

    def __init__(self, min_share: float = 0.001, prefix: str | None = 'tags') -> None:
        super().__init__(collect_device='cpu', prefix=prefix)
        if not 0 <= min_share < 1:
            raise ValueError(f'min_share of TagMetric must be in [0, 1), got {min_share}')
        self.min_share = min_share
        self._sums: dict[str, np.ndarray] = {}
        self._named: dict[str, list[str]] = {}

    @property
    def with_background(self) -> bool:
        """Whether class 0 is the background, as the data set says."""
        return bool(self.dataset_meta.get('with_background', True))

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            class_ids = sample.get('gt_class_ids')
            if class_ids is None:
                raise DataError(
                    f'{sample.get("img_path")}: has no labels to look for; set image_labels of its data set'
                )
            mask = sample['pred_sem_seg']['data'][0].cpu().numpy().astype(np.uint8)
            num_classes = len(self.dataset_meta['classes'])
            tagged = [int(index) for index in class_ids]
            counts = count_labels(mask, tagged, num_classes, self.with_background, self.min_share)
            self._name(sample, counts['tags'])
            self._sums = {name: self._sums.get(name, 0) + values for name, values in counts.items()}

    def _name(self, sample: Mapping[str, Any], tags: np.ndarray) -> None:
        tagged, found, both = tags
        for problem, is_so in ((MISSED, (tagged > both).any()), (INVENTED, (found > both).any())):
            names = self._named.setdefault(problem, [])
            if is_so and len(names) < NUM_NAMED:
                names.append(image_id_of(sample))

    def evaluate(self, size: int) -> dict[str, float]:
        """Add up what all processes counted.

        Args:
            size (int): Length of the whole data set; not needed.

        Returns:
            dict[str, float]: Figures by name, the same on every rank.
        """
        total = {}
        for name, zeros in zero_counts(len(self.dataset_meta['classes'])).items():
            summed = torch.from_numpy(np.asarray(self._sums.get(name, zeros)))
            all_reduce(summed)
            total[name] = summed.numpy()
        named = gather_names(self._named)
        self._sums, self._named = {}, {}
        figures = self._summarize(total, named)
        return {f'{self.prefix}/{name}' if self.prefix else name: value for name, value in figures.items()}

    def _summarize(self, total: Mapping[str, np.ndarray], named: Mapping[str, Sequence[str]]) -> dict[str, float]:
        classes, first = self.dataset_meta['classes'], int(self.with_background)
        scores = {name: values[first:] for name, values in tag_scores(total['tags']).items()}
        described = describe_labels(total, classes, self.with_background, named)
        counted = np.isfinite(scores['F1'])
        means = {name: float(values[counted].mean()) if counted.any() else None for name, values in scores.items()}
        for index, one in enumerate(described['classes'].values()):
            one['F1'] = float(scores['F1'][index]) if counted[index] else None
        record_statistics(self.prefix or 'tags', 'segmentor', **described, **means)
        width = max(map(len, classes))
        lines = [
            f'{name:{width}} {precision:9.2f} {recall:7.2f} {f1:6.2f}'
            for name, precision, recall, f1 in zip(classes[first:], *scores.values(), strict=True)
        ]
        head = f'{"class":{width}} precision  recall     F1'
        print_log('\n'.join(['Image-level labels in the masks', head, *lines]), MMLogger.get_current_instance())
        return {name: float('nan') if value is None else value for name, value in means.items()}

    def compute_metrics(self, results: list) -> dict[str, float]:
        raise NotImplementedError('TagMetric adds up counts and keeps no results')
