from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmwsss.fileio import DataError, swap_channels
from mmwsss.models import AffinityModel, Localizer
from mmwsss.ops import fuse_cams, neighbor_offsets
from mmwsss.ops.affinity import radius_of
from mmwsss.ops.maps import resize_maps
from mmwsss.registry import HOOKS, TRANSFORMS
from mmwsss.visualization import affinity_boundaries, draw_boundaries, draw_cams


@HOOKS.register_module()
class MapVisualizationHook(Hook):
    """Draws what the network in training makes of a few images, always the same ones.

    Of a localizer, the class maps of the image-level labels, or, where the data set has none, of the classes with a
    probability above 0.5; of an affinity model, the affinities as boundaries. Each picture shows the image beside the
    map, and goes to all backends of the visualizer: files with ``LocalVisBackend``, TensorBoard
    with ``TensorboardVisBackend``, and so on. What is drawn is of one scale and not mirrored, so that it is rougher
    than the seeds. The training itself is not changed.

    Args:
        interval (int): Iterations from one drawing to the next. Defaults to 200.
        num_images (int): Images of the training data, evenly spread over their list. Defaults to 4.
        long_side (int): Larger images are shrunk to this many pixels on the long side. Defaults to 320.

    Raises:
        ValueError: If an argument is less than 1.
        DataError: Before the training, if the network is neither a localizer nor an affinity model, or its data set
            is not one of mmengine.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 200, num_images: int = 4, long_side: int = 320) -> None:
        for name, value in (('interval', interval), ('num_images', num_images), ('long_side', long_side)):
            if value < 1:
                raise ValueError(f'{name} must be at least 1, got {value}')
        self.interval = interval
        self.num_images = num_images
        self.long_side = long_side
        self.load = TRANSFORMS.build(dict(type='mmwsss.LoadImageFromFile'))
        self.shrink = TRANSFORMS.build(dict(type='Resize', scale=(long_side, long_side), keep_ratio=True))
        self.pack = TRANSFORMS.build(dict(type='mmwsss.PackWeakInputs'))
        self.samples: list[dict[str, Any]] = []
        self.palette = np.zeros((0, 3), np.uint8)

    def before_train(self, runner: Runner) -> None:
        model = _bare(runner.model)
        if not isinstance(model, Localizer | AffinityModel):
            raise DataError(
                f'MapVisualizationHook: expected a Localizer or an AffinityModel, got {type(model).__name__}'
            )
        dataset = runner.train_dataloader.dataset
        while not hasattr(dataset, 'get_data_info') and hasattr(dataset, 'dataset'):
            dataset = dataset.dataset
        if not hasattr(dataset, 'get_data_info'):
            raise DataError(f'MapVisualizationHook: expected a data set of mmengine, got {type(dataset).__name__}')
        number = min(self.num_images, len(dataset))
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
            image = swap_channels(packed['inputs'].permute(1, 2, 0).numpy())
            batch = model.data_preprocessor(pseudo_collate([packed]), False)
            draw, kind = (_draw_cams, 'cam') if isinstance(model, Localizer) else (_draw_affinity, 'affinity')
            drawn = draw(model, batch['inputs'], batch['data_samples'], self.palette)
            name = f'{kind}_{sample.get("image_id", sample["img_path"])}'.replace('/', '_')
            picture = np.concatenate([image, drawn[: image.shape[0], : image.shape[1]]], axis=1)
            runner.visualizer.add_image(name, picture, step=runner.iter + 1)
        model.train(training)


def _bare(model: nn.Module) -> Any:
    return model.module if is_model_wrapper(model) else model


def _draw_cams(model: Localizer, inputs: Tensor, samples: list[SegDataSample], palette: np.ndarray) -> np.ndarray:
    with torch.set_grad_enabled(model.needs_grad):
        seen = model.localize(inputs, samples)
    present = samples[0].gt_label.score > 0.5 if 'gt_label' in samples[0] else seen.scores[0] > 0.5
    labels = present.nonzero()[:, 0].to(seen.maps.device)
    cams = fuse_cams([seen.maps[0, labels].detach()], (inputs.shape[2], inputs.shape[3]), [False])
    class_ids = labels + bool(samples[0].get('with_background', True))
    return draw_cams(cams.float().cpu().numpy(), class_ids.tolist(), palette)


def _draw_affinity(
    model: AffinityModel, inputs: Tensor, samples: list[SegDataSample], palette: np.ndarray
) -> np.ndarray:
    affinity = model.affinity(inputs).field[0].float().cpu().numpy()
    boundaries = affinity_boundaries(affinity, neighbor_offsets(radius_of(len(affinity))).numpy())
    full = resize_maps(torch.from_numpy(boundaries)[None], inputs.shape[2:])
    return draw_boundaries(full[0].numpy())
