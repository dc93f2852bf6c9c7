from collections.abc import Sequence

import torch
from mmengine.dist import all_reduce
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS

from .recording import record_confusion


@METRICS.register_module()
class SegmentorMetric(IoUMetric):
    """MMSegmentation's ``IoUMetric``, with its arguments and figures, that also notes the confusion matrix.

    The matrix goes to :func:`record_confusion` under the metric's prefix, or ``'segmentor'`` without one.
    """

    _confusion: torch.Tensor | None = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        super().process(data_batch, data_samples)
        if self.format_only:
            return
        for sample in data_samples:
            self._count(sample['gt_sem_seg']['data'], sample['pred_sem_seg']['data'])

    def _count(self, truth: torch.Tensor, prediction: torch.Tensor) -> None:
        num_classes = len(self.dataset_meta['classes'])
        truth, prediction = truth.flatten().to(prediction.device), prediction.flatten()
        valid = truth != self.ignore_index
        index = truth[valid].long() * num_classes + prediction[valid].long()
        counts = torch.bincount(index, minlength=num_classes**2).reshape(num_classes, num_classes).cpu()
        self._confusion = counts if self._confusion is None else self._confusion + counts

    def evaluate(self, size: int) -> dict:
        """Compute the figures of all processes.

        Args:
            size (int): Length of the whole data set.

        Returns:
            dict: mIoU and the others of ``IoUMetric``, in percent.
        """
        if not self.format_only:
            num_classes = len(self.dataset_meta['classes'])
            total, self._confusion = self._confusion, None
            if total is None:
                total = torch.zeros(num_classes, num_classes, dtype=torch.long)
            all_reduce(total)
            record_confusion(self.prefix or 'segmentor', total.numpy(), self.dataset_meta['classes'])
        return super().evaluate(size)
