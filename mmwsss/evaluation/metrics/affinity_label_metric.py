import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from mmengine.logging import MMLogger, print_log
from mmseg.registry import METRICS, MODELS

from mmwsss.evaluation.functional.confusion import classes_of_truth, confusion_matrix, read_truth
from mmwsss.evaluation.metrics.seed_metric import resize_maps
from mmwsss.evaluation.metrics.streaming_metric import StreamingMetric
from mmwsss.fileio import Seeds, read_photo, write_mask


@METRICS.register_module()
class AffinityLabelMetric(StreamingMetric):
    """Makes affinity labels of the seeds, writes them, and measures how right and how many the confident pixels are.

    ``precision`` is the share of the confident pixels whose class is true, ``coverage`` the share of all pixels that
    are confident, both in percent of the pixels that have a truth.

    Args:
        generator (dict): Config of an :class:`AffinityLabelGenerator`.
        output_dir (str, optional): Folder for ``<image_id>.png``. Defaults to None.
        format_only (bool): Only write. Defaults to False.
        num_workers (int): Processes that run the CRFs while the network runs. Defaults to 0.
        prefix (str, optional): Defaults to ``'labels'``.
    """

    def __init__(
        self,
        generator: dict,
        output_dir: str | None = None,
        format_only: bool = False,
        num_workers: int = 0,
        prefix: str | None = 'labels',
    ) -> None:
        super().__init__(output_dir, format_only, num_workers, prefix)
        self.generator = MODELS.build(generator)

    def job(self, sample: dict) -> tuple[Callable, tuple] | None:
        truth = None if self.format_only else sample.get('seg_map_path')
        path = None if self.output_dir is None else os.path.join(self.output_dir, f'{sample["image_id"]}.png')
        if truth is None and path is None:
            return None
        seeds = Seeds(sample['class_ids'], sample['cams'].astype(np.float16), tuple(sample['ori_shape'][:2]))
        classes, palette = self.dataset_meta['classes'], self.dataset_meta['palette']
        job = partial(_label_job, self.generator, path, palette, truth, classes_of_truth(sample), len(classes))
        return job, (sample['img_path'], seeds)

    def empty(self) -> np.ndarray:
        num_classes = len(self.dataset_meta['classes'])
        return np.zeros((num_classes, num_classes + 1), np.int64)

    def summarise(self, total: np.ndarray) -> dict[str, float]:
        confident = total[:, :-1].sum()
        if not total.any():
            print_log('No photograph has a mask: affinity labels are not evaluated', MMLogger.get_current_instance())
            return {}
        return {
            'precision': float(100 * np.trace(total) / max(confident, 1)),
            'coverage': float(100 * confident / total.sum()),
        }


def _label_job(
    generator: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    path: str | None,
    palette: Sequence[Sequence[int]],
    truth: str | None,
    label_map: Mapping[int, int] | None,
    num_classes: int,
    img_path: str,
    seeds: Seeds,
) -> np.ndarray | None:
    image = np.ascontiguousarray(read_photo(img_path)[:, :, ::-1])
    labels = generator(image, resize_maps(seeds.cams, seeds.size), seeds.class_ids)
    if path is not None:
        write_mask(path, labels, palette)
    if truth is None:
        return None
    return confusion_matrix(read_truth(truth, seeds.size, num_classes, label_map), labels, num_classes)
