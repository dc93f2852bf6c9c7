"""Inference with trained networks: masks of a segmentor, pseudo masks of the weak pipeline.

mmseg's own `MMSegInferencer` keeps all results in memory, wants `LoadImageFromFile` as the first transform, only warns
where a checkpoint belongs to another model, and runs segmentors alone; these here stream, check and take both.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS, TRANSFORMS
from mmseg.structures import SegDataSample

import mmwsss.registry  # noqa: F401
from mmwsss.datasets.folder import colour_map
from mmwsss.datasets.image_label_dataset import BACKGROUND
from mmwsss.datasets.image_labels import multi_hot
from mmwsss.engine import check_state_dict, has_bfloat16, load_from_local
from mmwsss.engine.launch import load_config
from mmwsss.fileio import DataError
from mmwsss.models import LabelChain, RefineContext
from mmwsss.structures import ScoreMaps, Seeds

from .inputs import Photo, Photos, Source, Video, open_source

# What the pipeline of a test reads from files, and inference is given.
_LOADERS = ('LoadImageFromFile', 'LoadAnnotations', 'LoadLabelMap', 'LoadSeeds')
Item = TypeVar('Item')


class Prediction(NamedTuple):
    """What was made of a photograph.

    Attributes:
        photo (Photo): The photograph.
        mask (ndarray): uint8 (H, W) of class indices; 255 where there is no class.
        seeds (Seeds, optional): Its activation maps, of the weak pipeline.
    """

    photo: Photo
    mask: np.ndarray
    seeds: Seeds | None = None


class TrainedNetwork:
    """A network with its checkpoint, and the preparation of photographs that its test pipeline describes.

    Args:
        config (str | Config): Config that it was trained or tested with, such as the one in the folder of a step.
        checkpoint (str): Local file; read by :func:`mmwsss.engine.load_from_local`, so that no code in it runs.
        device (str, optional): Such as ``'cpu'`` or ``'cuda:1'``. By default a GPU where there is one.
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
        checkpoint: str,
        device: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(config, Config):
            config = Config(config.to_dict(), filename=config.filename)
            config.merge_from_dict(dict(options or {}))
        else:
            config = load_config(config, dict(options or {}))
        self.config = config
        self.scope = config.get('default_scope', 'mmseg')
        with DefaultScope.overwrite_default_scope(self.scope):
            model = dict(config.model)
            model.setdefault('data_preprocessor', config.get('data_preprocessor'))
            self.model = revert_sync_batchnorm(MODELS.build(model))
            self.pipeline = Compose([TRANSFORMS.build(step) for step in _test_pipeline(config)])
        loaded = load_from_local(checkpoint, map_location='cpu')
        state = loaded.get('state_dict', loaded)
        check_state_dict(self.model, state, checkpoint)
        self.model.load_state_dict({name.removeprefix('module.'): value for name, value in state.items()}, strict=False)
        self.classes, self.palette, self.with_background = _classes(loaded.get('meta', {}), config, checkpoint)
        try:
            self.device = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
            self.model.to(self.device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f'device {device}: expected one that torch can use ({reason})') from error
        # mmseg's MobileNetV2 gives None for eval().
        self.model.eval()
        self.mixed = (config.get('test_cfg') or {}).get('fp16', False) and has_bfloat16(self.device.type)

    @torch.no_grad()
    def predict(self, samples: Sequence[Mapping[str, Any]]) -> list[SegDataSample]:
        """Runs the network on photographs; those of one size after the preparation go through it together.

        Args:
            samples (sequence[dict]): ``img`` (uint8 (H, W, 3), BGR) of each, and what the network needs beside it.

        Returns:
            list[SegDataSample]: In the order of the photographs.
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
    return [step for step in pipeline if step['type'].rpartition('.')[2] not in _LOADERS]


def _classes(meta: Mapping[str, Any], config: Config, checkpoint: str) -> tuple[tuple[str, ...], list, bool]:
    known = meta.get('dataset_meta') or dict(classes=meta.get('CLASSES'), palette=meta.get('PALETTE'))
    classes = known.get('classes') or config.get('classes')
    if not classes:
        raise DataError(f'{checkpoint}: expected class names in its dataset_meta, or classes in the config')
    palette = known.get('palette')
    with_background = bool(known.get('with_background', classes[0] == BACKGROUND))
    colors = [list(color) for color in palette] if palette else colour_map(len(classes))
    return tuple(classes), colors, with_background


def _prepare(sample: Mapping[str, Any]) -> dict[str, Any]:
    size = sample['img'].shape[:2]
    return dict(img_shape=size, ori_shape=size, seg_fields=[], label_map=None, reduce_zero_label=False, **sample)


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    if size < 1:
        raise DataError(f'batch size: expected at least 1, got {size}')
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


class SegmentorInferencer:
    """Masks of photographs or videos by a trained segmentor.

    Args:
        config (str | Config): As in :class:`TrainedNetwork`, as are the others.
        checkpoint (str): The segmentor.
        device (str, optional): Defaults to None.
        options (dict, optional): Defaults to None.

    Example:
        >>> segment = SegmentorInferencer('work_dirs/custom/segmentor/segmentor.py',
        ...                               'work_dirs/custom/segmentor/iter_500.pth')
        >>> for prediction in segment('photos', batch_size=8):
        ...     print(prediction.photo.name, np.unique(prediction.mask))
    """

    def __init__(
        self,
        config: str | Config,
        checkpoint: str,
        device: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.network = TrainedNetwork(config, checkpoint, device, options)
        self.classes, self.palette = self.network.classes, self.network.palette

    def __call__(self, source: Source | Photos | Video, batch_size: int = 1) -> Iterator[Prediction]:
        """Segments, one batch in memory at a time.

        Args:
            source: See :func:`mmwsss.apis.inputs.open_source`, or what it gives.
            batch_size (int): Photographs that are prepared together. Defaults to 1.

        Yields:
            Prediction: Of each photograph, in order, with a mask of its size.

        Raises:
            DataError: If there is no photograph, or one cannot be read.
        """
        photos = source if isinstance(source, Photos | Video) else open_source(source)
        for batch in _batches(photos, batch_size):
            samples = [dict(img=photo.image, img_path=photo.file_name) for photo in batch]
            for photo, result in zip(batch, self.network.predict(samples), strict=True):
                yield Prediction(photo, result.pred_sem_seg.data[0].to(torch.uint8).cpu().numpy())


class PseudoMaskInferencer:
    """Pseudo masks of images by a localizer and the label chain of an affinity model, or of the localizer alone.

    The masks are those that the test of the stage writes, byte for byte; nothing is written between the networks.

    Args:
        localizer_config (str | Config): Config of the localizer.
        localizer_checkpoint (str): The trained localizer.
        affinity_config (str | Config, optional): Config of the affinity model. Defaults to None: the label chain is
            that of the localizer.
        affinity_checkpoint (str, optional): The trained affinity model. Defaults to None.
        device (str, optional): As in :class:`TrainedNetwork`. Defaults to None.
        chain (str, optional): Name of the label chain in ``test_cfg``. Defaults to None: the last one.

    Raises:
        DataError: As :class:`TrainedNetwork`, if the two networks have other classes, or there is no such chain.
    """

    def __init__(
        self,
        localizer_config: str | Config,
        localizer_checkpoint: str,
        affinity_config: str | Config | None = None,
        affinity_checkpoint: str | None = None,
        device: str | None = None,
        chain: str | None = None,
    ) -> None:
        self.localizer = TrainedNetwork(localizer_config, localizer_checkpoint, device)
        if not getattr(self.localizer.model, 'test_cfg', None) or not hasattr(self.localizer.model, 'localize'):
            raise DataError(f'{self.localizer.config.filename}: expected the config of a localizer, with a test_cfg')
        self.classes, self.palette = self.localizer.classes, self.localizer.palette
        self.affinity_model = None
        if affinity_config is not None and affinity_checkpoint is not None:
            self.affinity_model = TrainedNetwork(affinity_config, affinity_checkpoint, device)
            if self.classes != self.affinity_model.classes:
                raise DataError(
                    f'{affinity_checkpoint}: expected the classes of {localizer_checkpoint}, {list(self.classes)}, '
                    f'got {list(self.affinity_model.classes)}'
                )
        last = self.affinity_model or self.localizer
        self.with_background = last.with_background
        self.chain = _label_chain(last.config, chain, last.scope)

    def __call__(
        self,
        source: Source | Photos | Video,
        tags: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        batch_size: int = 1,
    ) -> Iterator[Prediction]:
        """Makes pseudo masks, one batch in memory at a time.

        Args:
            source: See :func:`mmwsss.apis.inputs.open_source`, or what it gives.
            tags (sequence | dict, optional): Class names on the images: the same for all, or by name of each. By
                default, the classes that the localizer is sure of.
            batch_size (int): Images that are prepared together. Defaults to 1.

        Yields:
            Prediction: Of each image, in order, with a mask of its size and its seeds. Without a background class, the
            mask of an image without tags is 255.

        Raises:
            DataError: If there is no image, one cannot be read or has no tags, or a tag is no class.
        """
        images = source if isinstance(source, Photos | Video) else open_source(source)
        self.localizer.model.test_cfg['gate'] = tags is not None
        for batch in _batches(images, batch_size):
            samples = [self._sample(one, tags) for one in batch]
            results = self.localizer.predict(samples)
            for sample, result in zip(samples, results, strict=True):
                sample['seeds'] = result.seeds._replace(size=sample['img'].shape[:2])
            if self.affinity_model is not None:
                results = self.affinity_model.predict(samples)
            for one, sample, result in zip(batch, samples, results, strict=True):
                yield Prediction(one, self._mask(one.image, sample['seeds'], result), sample['seeds'])

    def _sample(self, photo: Photo, tags: Sequence[str] | Mapping[str, Sequence[str]] | None) -> dict[str, Any]:
        sample = dict(
            img=photo.image, img_path=photo.file_name, image_id=photo.name, with_background=self.with_background
        )
        if tags is None:
            return sample
        if isinstance(tags, Mapping):
            known = tags.get(photo.name, tags.get(photo.file_name))
            if known is None:
                raise DataError(f'{photo.file_name}: expected tags of this image, got none')
            tags = known
        foreground = self.classes[1 if self.with_background else 0 :]
        sample['gt_label'] = multi_hot(tags, foreground, photo.name, 'tags')
        return sample

    def _mask(self, image: np.ndarray, seeds: Seeds, result: SegDataSample) -> np.ndarray:
        maps = ScoreMaps.of_seeds(seeds, self.with_background)
        context = RefineContext([np.ascontiguousarray(image[:, :, ::-1])], result.get('affinity'))
        started = self.chain.refine_on_device(maps, context)
        return self.chain(started, context).labels.labels[0].cpu().numpy()


def _label_chain(config: Config, name: str | None, scope: str) -> LabelChain:
    chains = (config.get('test_cfg') or {}).get('chains') or {}
    if not chains or (name is not None and name not in chains):
        raise DataError(
            f'{config.filename}: expected test_cfg.chains to hold {name or "a label chain"}, got {[*chains]}'
        )
    with DefaultScope.overwrite_default_scope(scope):
        return LabelChain(**chains[name or list(chains)[-1]])
