import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import torch
from mmengine.dist import barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.structures import SegDataSample

from mmwsss.datasets.skip_bad_dataset import SkipBadDataset
from mmwsss.evaluation.records import BOUNDARY_NAME, RECORD_DIR, Record, RecordedImages, picture_size
from mmwsss.fileio import atomic_write
from mmwsss.ops import neighbor_offsets
from mmwsss.ops.affinity import radius_of
from mmwsss.ops.maps import crop_to_covered, resize_maps
from mmwsss.registry import HOOKS
from mmwsss.structures import StencilAffinity
from mmwsss.visualization import affinity_boundaries


@HOOKS.register_module()
class RecordHook(Hook):
    """Keeps what the report of a pipeline draws while a test runs, in ``recorded/`` of the work directory.

    Metrics of this package keep the mIoU of at most 1,500 single images, and pictures of masks of at most 24; this hook
    keeps the affinities of the latter, drawn as boundaries. The images are evenly spread over the list of the test.
    Each process writes the pictures of the images that it has.
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


def _write_boundaries(path: str, affinity: StencilAffinity, size: Sequence[int]) -> None:
    """Writes how little each cell is alike those around it as a gray PNG, 0 to 255."""
    field = affinity.field[0].float().cpu().numpy()
    boundaries = torch.from_numpy(affinity_boundaries(field, neighbor_offsets(radius_of(len(field))).numpy()))
    at_input = crop_to_covered(boundaries[None], affinity.covered_size, affinity.stride)
    small = resize_maps(at_input, picture_size(size))[0]
    gray = (small.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    atomic_write(path, cv2.imencode('.png', gray)[1].tobytes())
