import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import LoadAnnotations, TestTimeAug
from mmengine import fileio
from mmengine.dataset import Compose, pseudo_collate
from mmengine.dist import all_reduce, barrier, get_rank, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmengine.runner.amp import autocast
from mmseg.structures import SegDataSample

from mmwsss.datasets.skip_bad_dataset import SkipBadDataset
from mmwsss.evaluation import SegmentorMetric
from mmwsss.evaluation.functional.agreement import count_agreement
from mmwsss.evaluation.functional.confusion import mean_iou
from mmwsss.evaluation.records import (
    BOUNDARY_NAME,
    NUM_PICTURES,
    RECORD_DIR,
    TRAINING_IMAGES,
    Record,
    RecordedImages,
    choose_evenly,
    picture_size,
    record_statistics,
    shrink_mask,
)
from mmwsss.fileio import DataError, atomic_write, read_mask, write_mask
from mmwsss.ops import neighbor_offsets
from mmwsss.ops.affinity import radius_of
from mmwsss.ops.maps import crop_to_covered, resize_maps
from mmwsss.registry import DATASETS, HOOKS
from mmwsss.structures import StencilAffinity
from mmwsss.visualization import affinity_boundaries


@HOOKS.register_module()
class RecordHook(Hook):
    """Keeps what the report of a pipeline draws while a test runs, in ``recorded/`` of the work directory.

    Metrics of this package keep the mIoU of at most 1,500 single images, and pictures of masks of at most 24; this hook
    keeps the affinities of the latter, drawn as boundaries. The images are evenly spread over the list of the test.
    Each process writes the pictures of the images that it has.

    After the test of a segmentor that trained on pseudo masks, it predicts at most 24 of the training images, keeps
    their pictures, and notes how far the predictions agree with the pseudo masks. With test-time augmentation, or where
    a pseudo mask is missing, it does not.
    """

    _record: Record | None = None

    def before_test(self, runner: Runner) -> None:
        """Removes what an earlier test kept and tells the metrics of which images to keep something."""
        folder = Path(runner.work_dir, RECORD_DIR)
        if is_main_process():
            shutil.rmtree(folder, ignore_errors=True)
        barrier()
        dataset = runner.test_loop.dataloader.dataset
        images = RecordedImages.of_dataset(dataset.dataset if isinstance(dataset, SkipBadDataset) else dataset)
        self._record = Record(folder, BOUNDARY_NAME, images)
        for metric in runner.test_loop.evaluator.metrics:
            if hasattr(metric, 'record'):
                metric.record = Record(folder, metric.prefix or metric.name_without_prefix, images)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence[SegDataSample] | None = None
    ) -> None:
        for sample in outputs or ():
            affinity = sample.get('affinity')
            path = self._record and self._record.picture(sample.metainfo)
            if path and isinstance(affinity, StencilAffinity):
                _write_boundaries(path, affinity, sample.ori_shape[:2])

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Compares a segmentor with the pseudo masks that it trained on."""
        predicting = any(isinstance(one, SegmentorMetric) for one in runner.test_loop.evaluator.metrics)
        samples = _training_samples(runner) if predicting else []
        if not samples:
            return
        transforms = _transforms_of(runner.test_loop.dataloader.dataset)
        if transforms is None:
            return
        record = Record(Path(runner.work_dir, RECORD_DIR), TRAINING_IMAGES, RecordedImages(frozenset(), frozenset()))
        classes, palette = (runner.test_loop.dataloader.dataset.metainfo[key] for key in ('classes', 'palette'))
        counts = torch.zeros(len(classes), len(classes), dtype=torch.long)
        for sample in samples[get_rank() :: get_world_size()]:
            with autocast(enabled=runner.test_loop.fp16):
                mask = _predict(runner.model, transforms(dict(sample)))
            write_mask(str(record.folder / record.name / f'{sample["image_id"]}.png'), shrink_mask(mask), palette)
            given = read_mask(sample['pseudo_mask_path'])
            counts += torch.from_numpy(count_agreement(mask, given, len(classes)))
        all_reduce(counts)
        agreement = float(mean_iou(counts.numpy()))
        if counts.any():
            record_statistics(
                TRAINING_IMAGES, 'training_images', images=len(samples), agreement={'pseudo masks': agreement}
            )


def _training_samples(runner: Runner) -> list[dict[str, Any]]:
    """At most :data:`NUM_PICTURES` images that the segmentor of a config trained on, with their pseudo masks."""
    dataset = ((runner.cfg.get('train_dataloader') or {}).get('dataset') or {}).copy()
    if not dataset.get('pseudo_mask_dir'):
        return []
    try:
        images = DATASETS.build({**dataset, 'pipeline': [], 'test_mode': True})
    except DataError as error:
        print_log(f'No comparison with pseudo masks: {error}', logger='current')
        return []
    samples = [images.get_data_info(index) for index in choose_evenly(len(images), NUM_PICTURES)]
    missing = [sample['pseudo_mask_path'] for sample in samples if not fileio.exists(sample['pseudo_mask_path'])]
    if missing:
        print_log(f'No comparison with pseudo masks: {missing[0]} is missing', logger='current')
    return [] if missing else samples


def _transforms_of(dataset: Any) -> Compose | None:
    """What a test does to an image, without the loading of ground truth; None with test-time augmentation."""
    while not hasattr(dataset, 'pipeline') and hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    transforms = dataset.pipeline.transforms
    if any(isinstance(one, TestTimeAug) for one in transforms):
        return None
    return Compose([one for one in transforms if not isinstance(one, LoadAnnotations)])


@torch.no_grad()
def _predict(model: Any, packed: dict[str, Any]) -> np.ndarray:
    """The mask of one image, uint8 (H, W)."""
    sample = model.test_step(pseudo_collate([packed]))[0]
    return sample.pred_sem_seg.data[0].cpu().numpy().astype(np.uint8)


def _write_boundaries(path: str, affinity: StencilAffinity, size: Sequence[int]) -> None:
    """Writes how little each cell is alike those around it as a gray PNG, 0 to 255."""
    field = affinity.field[0].float().cpu().numpy()
    boundaries = torch.from_numpy(affinity_boundaries(field, neighbor_offsets(radius_of(len(field))).numpy()))
    at_input = crop_to_covered(boundaries[None], affinity.covered_size, affinity.stride)
    small = resize_maps(at_input, picture_size(size))[0]
    gray = (small.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    atomic_write(path, cv2.imencode('.png', gray)[1].tobytes())
