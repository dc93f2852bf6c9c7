import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmseg.evaluation import IoUMetric

from mmwsss.evaluation.records import Record, record_confusion, shrink_mask
from mmwsss.fileio import DataError, write_mask
from mmwsss.registry import METRICS


@METRICS.register_module()
class SegmentorMetric(IoUMetric):
    """MMSegmentation's ``IoUMetric``, with its arguments and figures, that also notes the confusion matrix.

    The matrix goes to :func:`record_confusion` under the metric's prefix, or ``'segmentor'`` without one. The figures
    are made of it, so that nothing is kept of each image. Predictions are written as palette PNGs, whole or not at
    all, by whichever process made them.

    Args:
        output_dir (str, optional): Folder for ``<image_id>.png``, or ``<name of the image>.png`` where the
            pipeline packs no ``image_id``. Defaults to None.
        kwargs: As in ``IoUMetric``.

    Raises:
        DataError: If a ground truth has another size than its image, or an index that is no class.
    """

    record: Record | None = None
    name_without_prefix = 'segmentor'
    _confusion: torch.Tensor | None = None

    def __init__(self, *args: Any, output_dir: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.output_dir = output_dir

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            prediction = sample['pred_sem_seg']['data'][0]
            if not self.format_only:
                self._check_truth(sample)
                counts = self._count(sample['gt_sem_seg']['data'][0].to(prediction), prediction)
                if self.record is not None and self.record.measures(sample):
                    self.record.measure(sample, counts.numpy())
            measured = not self.format_only
            picture = self.record.picture(sample, measured) if self.record is not None else None
            if picture is not None:
                mask = shrink_mask(prediction.cpu().numpy().astype(np.uint8))
                write_mask(picture, mask, self.dataset_meta['palette'])
            if self.output_dir is not None:
                self._write(self.output_dir, sample, prediction)

    def _write(self, folder: str, sample: dict, prediction: torch.Tensor) -> None:
        name = sample.get('image_id') or os.path.splitext(os.path.basename(sample['img_path']))[0]
        # Such data sets store 0 where there is no class, and a class index plus 1 elsewhere.
        stored = prediction.cpu().numpy() + bool(sample.get('reduce_zero_label'))
        path = os.path.join(folder, f'{name}.png')
        write_mask(path, stored.astype(np.uint8), self.dataset_meta['palette'])

    def _check_truth(self, sample: dict) -> None:
        """Refuses a mask of another size than its image, or with an index that is no class.

        ``IoUMetric`` would leave out such pixels without a word.
        """
        path, num_classes = sample.get('seg_map_path'), len(self.dataset_meta['classes'])
        truth, prediction = sample['gt_sem_seg']['data'], sample['pred_sem_seg']['data']
        if truth.shape[-2:] != prediction.shape[-2:]:
            size, found = tuple(prediction.shape[-2:]), tuple(truth.shape[-2:])
            raise DataError(f'{path}: expected a mask of {size} pixels like its image, got {found}')
        highest = int(truth[truth != self.ignore_index].max()) if (truth != self.ignore_index).any() else 0
        if highest >= num_classes:
            raise DataError(f'{path}: index {highest} is none of the {num_classes} classes')

    def _count(self, truth: torch.Tensor, prediction: torch.Tensor) -> torch.Tensor:
        num_classes = len(self.dataset_meta['classes'])
        truth, prediction = truth.flatten().to(prediction.device), prediction.flatten()
        valid = truth != self.ignore_index
        index = truth[valid].long() * num_classes + prediction[valid].long()
        counts = torch.bincount(index, minlength=num_classes**2).reshape(num_classes, num_classes).cpu()
        self._confusion = counts if self._confusion is None else self._confusion + counts
        return counts

    def evaluate(self, size: int) -> dict:
        """Compute the figures of all processes.

        Args:
            size (int): Length of the whole data set.

        Returns:
            dict: mIoU and the others of ``IoUMetric``, in percent.
        """
        if self.format_only:
            return super().evaluate(size)
        num_classes = len(self.dataset_meta['classes'])
        total, self._confusion = self._confusion, None
        if total is None:
            total = torch.zeros(num_classes, num_classes, dtype=torch.long)
        all_reduce(total)
        if self.record is not None:
            self.record.write()
        record_confusion(self.prefix or self.name_without_prefix, total.numpy(), self.dataset_meta['classes'])
        true, predicted, right = total.sum(1), total.sum(0), total.diag()
        figures = self.compute_metrics([(right, true + predicted - right, predicted, true)])
        return {f'{self.prefix}/{name}' if self.prefix else name: value for name, value in figures.items()}
