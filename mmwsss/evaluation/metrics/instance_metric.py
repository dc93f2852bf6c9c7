import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object, barrier, is_main_process
from mmengine.logging import MMLogger, print_log

from mmwsss.evaluation.functional.average_precision import average_precision, match_instances
from mmwsss.evaluation.functional.confusion import IGNORE_INDEX, classes_of_ground_truth, read_ground_truth
from mmwsss.fileio import DataError, merge_instances, read_mask, write_instances
from mmwsss.registry import METRICS
from mmwsss.structures import InstanceLabels

from .streaming_metric import Counts, Made, StreamingMetric

IOU_THRESHOLD = 0.5


@METRICS.register_module()
class InstanceMetric(StreamingMetric):
    """Writes the objects that a chain of instances finds in COCO's format, and measures their average precision.

    ``AP50`` is the mean, over the classes with a true object, of the area under the curve of precision over recall, in
    percent. An object is right where its intersection over union with a true one of its class is at least one half.

    Args:
        chain (str): Name of a label chain whose labeler is one of instances, such as :class:`InstanceLabeler`.
        instance_dir (str, optional): Folder of the true objects, ``<image_id>.png`` with the number of the object of
            each pixel, 0 for none and 255 for unknown, such as VOC's ``SegmentationObject``; their classes are those of
            the masks. Images without a mask are not measured. Defaults to None: nothing is measured.
        output_dir (str, optional): Folder for ``<image_id>.json``; ``<output_dir>.json`` is the data set of them all.
            Defaults to None.
        format_only (bool): Only write. Defaults to False.
        prefix (str, optional): Defaults to None: the name of the chain.
        iou_threshold (float): In (0, 1]; also names the figure. Defaults to 0.5.
    """

    file_suffix = '.json'
    name_without_prefix = 'instances'

    def __init__(
        self,
        chain: str,
        instance_dir: str | None = None,
        output_dir: str | None = None,
        format_only: bool = False,
        prefix: str | None = None,
        iou_threshold: float = IOU_THRESHOLD,
    ) -> None:
        super().__init__(output_dir, format_only, prefix or chain)
        if not 0 < iou_threshold <= 1:
            raise ValueError(f'iou_threshold of InstanceMetric must be in (0, 1], got {iou_threshold!r}')
        self.chain = chain
        self.instance_dir = instance_dir
        self.iou_threshold = iou_threshold
        self._found: list[Counts] = []
        self._image_ids: list[str] = []

    def counter(self, sample: dict) -> '_InstanceCounter | None':
        mask = None if self.format_only or self.instance_dir is None else sample.get('seg_map_path')
        truth = None if mask is None else os.path.join(self.instance_dir or '', f'{sample["image_id"]}.png')
        path = None if self.output_dir is None else os.path.join(self.output_dir, f'{sample["image_id"]}.json')
        if truth is None and path is None:
            return None
        assert self.chain is not None
        return _InstanceCounter(
            self.chain,
            path,
            sample['image_id'] + os.path.splitext(sample['img_path'])[1],
            mask,
            truth,
            classes_of_ground_truth(sample),
            len(self.dataset_meta['classes']),
            bool(sample.get('with_background', True)),
            self.iou_threshold,
        )

    def add(self, counts: Mapping[str, np.ndarray] | None, sample: Mapping[str, Any] | None = None) -> None:
        if sample is not None and self.output_dir is not None:
            self._image_ids.append(sample['image_id'])
        # A few numbers for each object: they are ranked once all are known.
        if counts:
            self._found.append(dict(counts))

    def empty(self) -> Counts:
        nothing = np.zeros(0)
        return dict(
            class_ids=nothing.astype(np.int64),
            scores=nothing,
            correct=nothing.astype(bool),
            truths=np.zeros(len(self.dataset_meta['classes']), np.int64),
        )

    def evaluate(self, size: int) -> dict[str, float]:
        """Rank what all processes found, and merge their files.

        Args:
            size (int): Length of the whole data set; not needed.

        Returns:
            dict[str, float]: Figures by name, the same on every rank.
        """
        found = [one for part in all_gather_object(self._found) for one in part]
        image_ids = sorted({one for part in all_gather_object(self._image_ids) for one in part})
        self._found, self._image_ids = [], []
        if self.output_dir is not None:
            self._merge(self.output_dir, image_ids)
        if not found:
            return {}
        total = {name: np.concatenate([one[name] for one in found]) for name in ('class_ids', 'scores', 'correct')}
        total['truths'] = np.sum([one['truths'] for one in found], 0)
        return {f'{self.prefix}/{name}': value for name, value in self.summarize(total).items()}

    def _merge(self, folder: str, image_ids: Sequence[str]) -> None:
        if is_main_process():
            first = int(self.dataset_meta.get('with_background', True))
            names = {index: name for index, name in enumerate(self.dataset_meta['classes']) if index >= first}
            files = (os.path.join(folder, f'{image_id}.json') for image_id in image_ids)
            merge_instances(f'{folder.rstrip("/")}.json', files, names)
        barrier()

    def summarize(self, total: Counts) -> dict[str, float]:
        figures = []
        for class_id, truths in enumerate(total['truths']):
            of_class = total['class_ids'] == class_id
            figures.append(average_precision(total['scores'][of_class], total['correct'][of_class], int(truths)))
        if not total['truths'].any():
            print_log('No image has an object: instances are not evaluated', MMLogger.get_current_instance())
            return {}
        name = f'AP{round(100 * self.iou_threshold)}'
        lines = [
            f'{class_name}: {100 * figure:.2f} ({truths} objects)'
            for class_name, figure, truths in zip(self.dataset_meta['classes'], figures, total['truths'])
            if truths
        ]
        print_log('\n'.join([f'{name} of {self.prefix}', *lines]), MMLogger.get_current_instance())
        return {name: float(100 * np.nanmean(figures))}


@dataclass(frozen=True)
class _InstanceCounter:
    chain: str
    path: str | None
    file_name: str
    mask: str | None
    truth: str | None
    label_map: Mapping[int, int] | None
    num_classes: int
    with_background: bool
    iou_threshold: float

    def __call__(self, made: Made) -> Counts | None:
        labels = made.chains[self.chain].labels
        if not isinstance(labels, InstanceLabels):
            raise DataError(
                f'test_cfg.chains.{self.chain}: InstanceMetric needs a labeler of instances, such as InstanceLabeler'
            )
        found = labels.instances[0]
        masks, class_ids, scores = (one.cpu().numpy() for one in (found.masks, found.class_ids, found.scores))
        if self.path is not None:
            write_instances(self.path, self.file_name, masks, class_ids.tolist(), scores.tolist())
        if self.truth is None:
            return None
        truths, true_ids = self._truths(masks.shape[1:])
        correct = np.zeros(len(masks), bool)
        for class_id in np.unique(class_ids):
            mine = class_ids == class_id
            correct[mine] = match_instances(masks[mine], scores[mine], truths[true_ids == class_id], self.iou_threshold)
        return dict(
            class_ids=class_ids.astype(np.int64),
            scores=scores.astype(np.float64),
            correct=correct,
            truths=np.bincount(true_ids, minlength=self.num_classes),
        )

    def _truths(self, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Masks bool (M, H, W) and class indices (M,) of the true objects whose class is configured."""
        assert self.mask is not None and self.truth is not None
        classes = read_ground_truth(self.mask, size, self.num_classes, self.label_map)
        objects = read_mask(self.truth)
        if objects.shape != classes.shape:
            raise DataError(f'{self.truth}: expected objects of {classes.shape} pixels, got {objects.shape}')
        masks, class_ids = [], []
        for number in np.setdiff1d(objects, (0, IGNORE_INDEX)):
            mask = objects == number
            counts = np.bincount(classes[mask], minlength=256)
            counts[IGNORE_INDEX] = 0
            counts[0] *= not self.with_background
            if counts.any():
                masks.append(mask)
                class_ids.append(counts.argmax())
        return np.array(masks, bool).reshape(-1, *size), np.array(class_ids, np.int64)
