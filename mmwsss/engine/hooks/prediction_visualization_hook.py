from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.engine.hooks import SegVisualizationHook
from mmseg.structures import SegDataSample

from mmwsss.engine.loops.label_loop import LabelLoop, score_maps_of
from mmwsss.fileio import read_image
from mmwsss.registry import HOOKS
from mmwsss.visualization import draw_cams


@HOOKS.register_module()
class PredictionVisualizationHook(SegVisualizationHook):
    """Draws what each step predicts of an image during a test: what `tools/test.py --show-dir` uses.

    Of a segmentor, its mask over the image, as mmseg's hook draws it; of a random walk, the mask of its largest
    scores, likewise; of a classifier, the activation maps over the darkened image.

    Args and source: as in ``mmseg.engine.hooks.SegVisualizationHook``; every image of a test is drawn.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drawn = 0

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: Sequence[SegDataSample]
    ) -> None:
        if not self.draw:
            return
        for sample in outputs:
            self._drawn += 1
            image = read_image(sample.img_path, backend_args=self.backend_args, channel_order='rgb')
            name = f'test_{PurePosixPath(sample.img_path).name}'
            if isinstance(runner.test_loop, LabelLoop) and 'seeds' in sample:
                self._draw_stage(name, image, sample, runner.test_loop)
                continue
            self._visualizer.add_datasample(
                name, image, data_sample=sample, show=self.show, wait_time=self.wait_time, step=self._drawn
            )

    def _draw_stage(self, name: str, image: np.ndarray, sample: SegDataSample, loop: LabelLoop) -> None:
        """Draws the class maps of a localizer, or the labels that the chains make of an affinity model."""
        if 'affinity' not in sample:
            self._draw_maps(name, image, sample)
            return
        sample = sample.clone()
        for chain in loop.chains:
            sample.pred_sem_seg = PixelData(data=loop.label(sample, chain).labels.best.long())
            self._visualizer.add_datasample(
                name if len(loop.chains) == 1 else f'{name}_{chain}',
                image,
                data_sample=sample,
                show=self.show,
                wait_time=self.wait_time,
                step=self._drawn,
            )

    def _draw_maps(self, name: str, image: np.ndarray, sample: SegDataSample) -> None:
        maps = score_maps_of(sample).at_image_size[0].numpy()
        palette = np.asarray(self._visualizer.dataset_meta['palette'], np.uint8)
        drawn = draw_cams(maps, sample.seeds.class_ids.tolist(), palette)
        picture = (image * 0.4 + drawn * 0.6).round().astype(np.uint8)
        if self.show:
            self._visualizer.show(picture, win_name=name, wait_time=self.wait_time)
        self._visualizer.add_image(name, picture, self._drawn)
