from collections.abc import Sequence

import torch
from mmengine.dist import all_reduce
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS

from mmwsss.fileio import DataError

from .recording import record_confusion


@METRICS.register_module()
class SegmentorMetric(IoUMetric):
    """MMSegmentation's ``IoUMetric``, with its arguments and figures, that also notes the confusion matrix.

    The matrix goes to :func:`record_confusion` under the metric's prefix, or ``'segmentor'`` without one.

    Raises:
        DataError: If a true mask has another size than its photograph, or an index that is no class.
    """

    _confusion: torch.Tensor | None = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        if not self.format_only:
            for sample in data_samples:
                self._check_truth(sample)
        super().process(data_batch, data_samples)
        if self.format_only:
            return
        for sample in data_samples:
            self._count(sample['gt_sem_seg']['data'], sample['pred_sem_seg']['data'])

    def _check_truth(self, sample: dict) -> None:
        """Refuses a mask of another size than its photograph, or with an index that is no class.

        ``IoUMetric`` would leave out such pixels without a word.
        """
        path, num_classes = sample.get('seg_map_path'), len(self.dataset_meta['classes'])
        truth, prediction = sample['gt_sem_seg']['data'], sample['pred_sem_seg']['data']
        if truth.shape[-2:] != prediction.shape[-2:]:
            size, found = tuple(prediction.shape[-2:]), tuple(truth.shape[-2:])
            raise DataError(f'{path}: expected a mask of {size} pixels like its photograph, got {found}')
        highest = int(truth[truth != self.ignore_index].max()) if (truth != self.ignore_index).any() else 0
        if highest >= num_classes:
            raise DataError(f'{path}: index {highest} is none of the {num_classes} classes')

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
