from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log

from mmwsss.evaluation.records import record_statistics
from mmwsss.fileio import DataError
from mmwsss.registry import METRICS


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the precision-recall curve: mean precision at the score of each positive.

    Equal scores are one rank, so that a classifier which gives all images the same score, or no number, has the share
    of the positives.

    Args:
        scores (ndarray): (N,); NaN is below all others.
        labels (ndarray): (N,), positive where above 0.

    Returns:
        float: In [0, 1]; NaN without a positive.
    """
    scores = np.nan_to_num(scores, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    order = np.argsort(-scores, kind='stable')
    hits, ranked = labels[order] > 0, -scores[order]
    if not hits.any():
        return float('nan')
    # How many images have a score that is at least as high.
    above = np.searchsorted(ranked, ranked, side='right')
    precision = np.cumsum(hits)[above - 1] / above
    return float(precision[hits].mean())


def guessed_average_precision(positives: int, number: int) -> float:
    """The average precision that scores without any knowledge have on average, over all orders of the images.

    With many images it is the share of positives; with few it is clearly above it.

    Args:
        positives (int): Images that have the class, P.
        number (int): All images, N.

    Returns:
        float: In [0, 1]; NaN without a positive. An image at rank k is a positive with probability P / N; then, on
        average, (P - 1) (k - 1) / (N - 1) of those before it are positives, too.

    Examples:
        >>> guessed_average_precision(1, 2), round(guessed_average_precision(500, 1000), 2)
        (0.75, 0.5)
    """
    if positives == 0:
        return float('nan')
    ranks = np.arange(1, number + 1)
    before = (positives - 1) / max(1, number - 1) * (ranks - 1)
    return float(((1 + before) / ranks).mean())


@METRICS.register_module()
class MultiLabelMetric(BaseMetric):
    """Average precision of each class and their mean, in percent.

    The mean is over the classes that occur in the labels. That of each class, and what guessing gives, are noted by
    :func:`record_statistics`.

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
        positives = (labels > 0).sum(0).tolist()
        guessed = [100 * guessed_average_precision(number, len(labels)) for number in positives]
        width = max(len(name) for name in classes)
        lines = [
            f'{name:{width}} {precision:6.2f} ({number} images; guessing gives {guess:.2f})'
            for name, precision, number, guess in zip(classes, precisions, positives, guessed, strict=True)
        ]
        print_log('Average precision of each class\n' + '\n'.join(lines), MMLogger.get_current_instance())
        occurring = [index for index, number in enumerate(positives) if number]
        if not occurring:
            return {'mAP': float('nan')}
        record_statistics(
            self.prefix or 'multi_label',
            'classifier',
            images=len(labels),
            mAP=float(np.mean([precisions[index] for index in occurring])),
            guessed=float(np.mean([guessed[index] for index in occurring])),
            classes={
                classes[index]: dict(AP=precisions[index], guessed=guessed[index], tagged=positives[index])
                for index in occurring
            },
        )
        return {'mAP': float(np.nanmean(precisions))}
