from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log

from mmwsss.fileio import DataError
from mmwsss.registry import METRICS


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the precision-recall curve: mean precision at the rank of each positive.

    Args:
        scores (ndarray): (N,).
        labels (ndarray): (N,), positive where above 0.

    Returns:
        float: In [0, 1]; NaN without a positive.
    """
    hits = labels[np.argsort(-scores, kind='stable')] > 0
    if not hits.any():
        return float('nan')
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean())


@METRICS.register_module()
class MultiLabelMetric(BaseMetric):
    """Average precision of each class and their mean, in percent.

    The mean is over the classes that occur in the labels.

    Args:
        prefix (str, optional): Prefix of the names. Defaults to ``'multi_label'``.
    """

    def __init__(self, prefix: str | None = 'multi_label') -> None:
        super().__init__(collect_device='cpu', prefix=prefix)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            if 'label_scores' not in sample:
                raise DataError(f'{sample.get("img_path")}: MultiLabelMetric measures a network that scores labels')
            if 'gt_label' not in sample:
                raise DataError(
                    f'{sample.get("img_path")}: has no labels to measure with; set image_labels of its data set'
                )
            self.results.append(
                (np.asarray(sample['label_scores'].cpu()), np.asarray(sample['gt_label']['score'].cpu()))
            )

    def compute_metrics(self, results: list) -> dict[str, float]:
        scores, labels = (np.stack(column) for column in zip(*results))
        classes = self.dataset_meta['classes'][-labels.shape[1] :]
        precisions = [100 * average_precision(scores[:, index], labels[:, index]) for index in range(labels.shape[1])]
        width = max(len(name) for name in classes)
        lines = [
            f'{name:{width}} {precision:6.2f} ({int(labels[:, index].sum())} images)'
            for index, (name, precision) in enumerate(zip(classes, precisions))
        ]
        print_log('Average precision of each class\n' + '\n'.join(lines), MMLogger.get_current_instance())
        return {'mAP': float(np.nanmean(precisions)) if np.isfinite(precisions).any() else float('nan')}
