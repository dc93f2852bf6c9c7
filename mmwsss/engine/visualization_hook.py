"""Pictures of activation maps, affinities and masks while a network trains and while it is tested."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import mmcv
import numpy as np
import torch
import torch.nn.functional as F
from mmengine import fileio
from mmengine.dataset import pseudo_collate
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.engine.hooks import SegVisualizationHook
from mmseg.registry import HOOKS, TRANSFORMS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmwsss.evaluation.metrics.pseudo_mask_metric import scores_at_image_size
from mmwsss.fileio import DataError
from mmwsss.ops import fuse_cams, neighbor_offsets
from mmwsss.visualization import affinity_boundaries, draw_boundaries, draw_cams


@HOOKS.register_module()
class MapVisualizationHook(Hook):
    """Draws what the network in training makes of a few photographs, always the same ones.

    Of a classifier, the activation maps of the classes of the image-level labels, or, where the data set has none, of
    those with a probability above 0.5; of an AffinityNet, the affinities as boundaries. Each picture shows the
    photograph beside the map, and goes to all backends of the visualizer: files with ``LocalVisBackend``, TensorBoard
    with ``TensorboardVisBackend``, and so on. What is drawn is of one scale and not mirrored, so that it is rougher
    than the seeds. The training itself is not changed.

    Args:
        interval (int): Iterations from one drawing to the next. Defaults to 200.
        num_photographs (int): Photographs of the training data, evenly spread over their list. Defaults to 4.
        long_side (int): Larger photographs are shrunk to this many pixels on the long side. Defaults to 320.

    Raises:
        ValueError: If an argument is less than 1.
        DataError: Before the training, if the network has neither activation maps nor affinities, or its data set is
            not one of mmengine.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 200, num_photographs: int = 4, long_side: int = 320) -> None:
        for name, value in (('interval', interval), ('num_photographs', num_photographs), ('long_side', long_side)):
            if value < 1:
                raise ValueError(f'{name} must be at least 1, got {value}')
        self.interval = interval
        self.num_photographs = num_photographs
        self.long_side = long_side
        self.load = TRANSFORMS.build(dict(type='LoadPhoto'))
        self.shrink = TRANSFORMS.build(dict(type='Resize', scale=(long_side, long_side), keep_ratio=True))
        self.pack = TRANSFORMS.build(dict(type='PackWeakInputs'))
        self.samples: list[dict[str, Any]] = []
        self.palette = np.zeros((0, 3), np.uint8)

    def before_train(self, runner: Runner) -> None:
        head = getattr(_bare(runner.model), 'head', None)
        if not hasattr(head, 'localise') and not hasattr(head, 'affinity'):
            raise DataError(
                'MapVisualizationHook: expected a CAMClassifier, an AffinityNet or a model with such a head, got '
                f'{type(_bare(runner.model)).__name__}'
            )
        dataset = runner.train_dataloader.dataset
        while not hasattr(dataset, 'get_data_info') and hasattr(dataset, 'dataset'):
            dataset = dataset.dataset
        if not hasattr(dataset, 'get_data_info'):
            raise DataError(f'MapVisualizationHook: expected a data set of mmengine, got {type(dataset).__name__}')
        number = min(self.num_photographs, len(dataset))
        chosen = np.linspace(0, len(dataset) - 1, number).round().astype(int)
        self.samples = [dataset.get_data_info(int(index)) for index in chosen]
        self.palette = np.asarray(dataset.metainfo['palette'], np.uint8)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        if self.every_n_train_iters(runner, self.interval) or self.is_last_train_iter(runner):
            self._draw(runner)

    @master_only
    @torch.no_grad()
    def _draw(self, runner: Runner) -> None:
        model = _bare(runner.model)
        training = model.training
        model.eval()
        for sample in self.samples:
            results = self.load(dict(sample))
            if max(results['img'].shape[:2]) > self.long_side:
                results = self.shrink(results)
            packed = self.pack(results)
            photo = packed['inputs'].permute(1, 2, 0).numpy()[:, :, ::-1]
            batch = model.data_preprocessor(pseudo_collate([packed]), False)
            draw, kind = (_draw_cams, 'cam') if hasattr(model.head, 'localise') else (_draw_affinity, 'affinity')
            drawn = draw(model, batch['inputs'], batch['data_samples'][0], self.palette)
            name = f'{kind}_{sample.get("image_id", sample["img_path"])}'.replace('/', '_')
            picture = np.concatenate([photo, drawn[: photo.shape[0], : photo.shape[1]]], axis=1)
            runner.visualizer.add_image(name, picture, step=runner.iter + 1)
        model.train(training)


@HOOKS.register_module()
class PredictionVisualizationHook(SegVisualizationHook):
    """Draws what each step predicts of a photograph during a test: what `tools/test.py --show-dir` uses.

    Of a segmentor, its mask over the photograph, as mmseg's hook draws it; of a random walk, the mask of its largest
    scores, likewise; of a classifier, the activation maps over the darkened photograph.

    Args and source: as in ``mmseg.engine.hooks.SegVisualizationHook``; every photograph of a test is drawn.
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
            photo = mmcv.imfrombytes(fileio.get(sample.img_path, self.backend_args), channel_order='rgb')
            name = f'test_{PurePosixPath(sample.img_path).name}'
            if 'cams' in sample:
                self._draw_seeds(name, photo, sample)
                continue
            if 'scores' in sample:
                sample = sample.clone()
                sample.pred_sem_seg = PixelData(data=_mask_of_scores(sample))
            self._visualizer.add_datasample(
                name, photo, data_sample=sample, show=self.show, wait_time=self.wait_time, step=self._drawn
            )

    def _draw_seeds(self, name: str, photo: np.ndarray, sample: SegDataSample) -> None:
        maps = F.interpolate(torch.from_numpy(sample.cams)[None], size=photo.shape[:2], mode='bilinear')[0].numpy()
        palette = np.asarray(self._visualizer.dataset_meta['palette'], np.uint8)
        drawn = draw_cams(maps, sample.class_ids.tolist(), palette)
        picture = (photo * 0.4 + drawn * 0.6).round().astype(np.uint8)
        if self.show:
            self._visualizer.show(picture, win_name=name, wait_time=self.wait_time)
        self._visualizer.add_image(name, picture, self._drawn)


def _mask_of_scores(sample: SegDataSample) -> Tensor:
    """Classes of the largest scores, integers (1, H, W) at the size of the photograph; 255 without any class."""
    size = tuple(sample.ori_shape[:2])
    if len(sample.scores) == 0:
        return torch.full((1, *size), 255)
    scores = scores_at_image_size(sample.scores, size, (tuple(sample.img_shape[:2]), sample.grid_stride))
    return torch.from_numpy(np.asarray(sample.class_ids)[scores.argmax(0)].astype(np.int64))[None]


def _bare(model: nn.Module) -> Any:
    return model.module if is_model_wrapper(model) else model


def _draw_cams(model: BaseModel, inputs: Tensor, sample: SegDataSample, palette: np.ndarray) -> np.ndarray:
    maps, probabilities = model.head.localise(model.backbone(inputs))
    present = sample.gt_label.score > 0.5 if 'gt_label' in sample else probabilities[0] > 0.5
    labels = present.nonzero()[:, 0].to(maps.device)
    cams = fuse_cams([maps[0, labels]], (inputs.shape[2], inputs.shape[3]), [False])
    # Labels leave out the background, which comes first where there is one.
    offset = len(palette) - maps.shape[1]
    return draw_cams(cams.cpu().numpy(), (labels + offset).tolist(), palette)


def _draw_affinity(model: BaseModel, inputs: Tensor, sample: SegDataSample, palette: np.ndarray) -> np.ndarray:
    affinity = model(inputs, mode='tensor')[0].float().cpu().numpy()
    boundaries = affinity_boundaries(affinity, neighbor_offsets(model.head.radius).numpy())
    full = F.interpolate(torch.from_numpy(boundaries)[None, None], size=tuple(inputs.shape[2:]), mode='bilinear')
    return draw_boundaries(full[0, 0].numpy())
