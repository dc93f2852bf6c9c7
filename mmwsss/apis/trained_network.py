from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmcv.cnn.utils import fuse_conv_bn
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS, TRANSFORMS
from mmseg.structures import SegDataSample
from torch import Tensor

import mmwsss.registry  # noqa: F401
from mmwsss.datasets.class_names import has_background
from mmwsss.datasets.palette import color_map
from mmwsss.engine import check_state_dict, has_bfloat16, load_from_local
from mmwsss.engine.launch import load_config
from mmwsss.fileio import DataError
from mmwsss.fileio.state_dicts import state_dict_of

# What the pipeline of a test reads from files, and inference is given.
_LOADERS = ('LoadImageFromFile', 'LoadAnnotations', 'LoadLabelMap', 'LoadSeeds')


class TrainedNetwork:
    """A network with its checkpoint, and the preparation of images that its test pipeline describes.

    Args:
        config (str | Config): Config of a stage, such as the one in its work directory.
        checkpoint (str | dict): Local file; read by :func:`mmwsss.engine.load_from_local`, so no code in it runs. Or
            what such a file holds: ``state_dict``, and ``meta`` with the classes.
        device (str, optional): Such as ``'cpu'`` or ``'cuda:1'``. Defaults to None: a GPU if there is one.
        options (dict, optional): Values of the config to override, with dotted keys. Defaults to None.

    Attributes:
        classes (tuple[str]): Names of the classes, the background included.
        palette (list): RGB color of each.
        with_background (bool): Whether class 0 is the background.

    Raises:
        DataError: If a file is missing, the checkpoint belongs to another model or names no classes, or the device
            cannot be used.
    """

    def __init__(
        self,
        config: str | Config,
        checkpoint: str | dict[str, Any],
        device: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(config, Config):
            config = Config(config.to_dict(), filename=config.filename)
            config.merge_from_dict(dict(options or {}))
        else:
            config = load_config(config, options)
        self.config = config
        self.scope = config.get('default_scope', 'mmseg')
        with DefaultScope.overwrite_default_scope(self.scope):
            model = dict(config.model)
            model.setdefault('data_preprocessor', config.get('data_preprocessor'))
            self.model = revert_sync_batchnorm(MODELS.build(model))
            self.pipeline = Compose([TRANSFORMS.build(transform) for transform in _test_pipeline(config)])
        name = checkpoint if isinstance(checkpoint, str) else f'weights of {config.filename}'
        loaded = load_from_local(checkpoint, map_location='cpu') if isinstance(checkpoint, str) else checkpoint
        state = state_dict_of(loaded, name)
        check_state_dict(self.model, state, name)
        self.model.load_state_dict(state, strict=False)
        self.classes, self.palette, self.with_background = _classes(loaded.get('meta', {}), config, name)
        self.device = torch.device('cpu')
        self._move_to(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
        # mmseg's MobileNetV2 gives None for eval().
        self.model.eval()
        self._prepare_as_a_test_does()
        self.mixed = (config.get('test_cfg') or {}).get('fp16', False) and has_bfloat16(self.device.type)

    def _move_to(self, device: str) -> None:
        try:
            self.device = torch.device(device)
            self.model.to(self.device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f'device {device}: expected one that torch can use ({reason})') from error

    def _prepare_as_a_test_does(self) -> None:
        """What the hooks of a test do to a model changes the last digits of what it gives."""
        hooks = [*(self.config.get('default_hooks') or {}).values(), *(self.config.get('custom_hooks') or ())]
        names = {str(hook['type']).rpartition('.')[2] for hook in hooks if hook}
        if 'FuseConvBNHook' in names:
            self.model = fuse_conv_bn(self.model)
        if names & {'ChannelsLastHook', 'FuseConvBNHook'}:
            self.model.to(memory_format=torch.channels_last)

    def prepare(self, pixels: np.ndarray) -> Tensor:
        """The input (1, 3, h, w) that the network gets of an image, uint8 (H, W, 3), BGR."""
        with DefaultScope.overwrite_default_scope(self.scope):
            packed = self.pipeline(_prepare(dict(img=pixels, img_path='')))
        return self.model.data_preprocessor(pseudo_collate([packed]), False)['inputs']

    @torch.no_grad()
    def predict(self, samples: Sequence[Mapping[str, Any]]) -> list[SegDataSample]:
        """Runs the network on images; images that have one size after the preparation go through it together.

        Args:
            samples (sequence[dict]): ``img`` (uint8 (H, W, 3), BGR) of each, and what else the network needs.

        Returns:
            list[SegDataSample]: In the order of the images.
        """
        with DefaultScope.overwrite_default_scope(self.scope):
            packed = [self.pipeline(_prepare(sample)) for sample in samples]
            batches = defaultdict(list)
            for index, item in enumerate(packed):
                batches[item['inputs'].shape].append(index)
            results: dict[int, SegDataSample] = {}
            for indices in batches.values():
                with torch.autocast(self.device.type, enabled=self.mixed):
                    outputs = self.model.test_step(pseudo_collate([packed[index] for index in indices]))
                results.update(zip(indices, outputs, strict=True))
        return [results[index] for index in range(len(samples))]


def _test_pipeline(config: Config) -> list[dict]:
    loader = config.get('test_dataloader') or {}
    pipeline = (loader.get('dataset') or {}).get('pipeline') or config.get('test_pipeline')
    if not pipeline:
        raise DataError(f'{config.filename}: expected a test_dataloader or test_pipeline')
    return [transform for transform in pipeline if transform['type'].rpartition('.')[2] not in _LOADERS]


def _classes(meta: Mapping[str, Any], config: Config, checkpoint: str) -> tuple[tuple[str, ...], list, bool]:
    known = meta.get('dataset_meta') or dict(classes=meta.get('CLASSES'), palette=meta.get('PALETTE'))
    classes = known.get('classes') or config.get('classes')
    if not classes:
        raise DataError(f'{checkpoint}: expected class names in its dataset_meta, or classes in the config')
    palette = known.get('palette')
    colors = [list(color) for color in palette] if palette else color_map(len(classes))
    return tuple(classes), colors, has_background({**known, 'classes': classes})


def _prepare(sample: Mapping[str, Any]) -> dict[str, Any]:
    size = sample['img'].shape[:2]
    return dict(img_shape=size, ori_shape=size, seg_fields=[], label_map=None, reduce_zero_label=False, **sample)
