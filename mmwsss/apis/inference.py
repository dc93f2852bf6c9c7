"""Inference with trained networks: masks of a segmentor, pseudo masks of the weak pipeline.

mmseg's own `MMSegInferencer` keeps all results in memory, wants `LoadImageFromFile` as the first transform, only warns
where a checkpoint belongs to another model, and runs segmentors alone; these here stream, check and take both.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

import mmwsss.datasets
import mmwsss.models  # noqa: F401
from mmwsss.datasets.folder import colour_map
from mmwsss.datasets.image_labels import multi_hot
from mmwsss.engine import check_state_dict, has_bfloat16, load_from_local
from mmwsss.engine.launch import load_config
from mmwsss.evaluation.metrics.pseudo_mask_metric import scores_at_image_size
from mmwsss.fileio import DataError, Seeds

from .inputs import Photo, Photos, Source, Video, open_source

# What the pipeline of a test reads from files, and inference is given.
_LOADERS = ('LoadImageFromFile', 'LoadPhoto', 'LoadAnnotations', 'LoadLabelMap', 'LoadSeeds')
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
        settings (str, optional): Settings file that takes the place of the one beside the config. Defaults to None.
        options (dict, optional): Values of the config to override, with dotted keys. Defaults to None.

    Attributes:
        classes (tuple[str]): Names of the classes, the background included.
        palette (list): RGB colour of each.

    Raises:
        DataError: If a file is missing, the checkpoint belongs to another model or names no classes, or the device
            cannot be used.
    """

    def __init__(
        self,
        config: str | Config,
        checkpoint: str,
        device: str | None = None,
        settings: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(config, Config):
            config = Config(config.to_dict(), filename=config.filename)
            config.merge_from_dict(dict(options or {}))
        else:
            config = load_config(config, settings, dict(options or {}))
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
        self.classes, self.palette = _classes(loaded.get('meta', {}), config, checkpoint)
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
    return [step for step in pipeline if step['type'] not in _LOADERS]


def _classes(meta: Mapping[str, Any], config: Config, checkpoint: str) -> tuple[tuple[str, ...], list]:
    known = meta.get('dataset_meta') or dict(classes=meta.get('CLASSES'), palette=meta.get('PALETTE'))
    classes = known.get('classes') or config.get('classes')
    if not classes:
        raise DataError(f'{checkpoint}: expected class names in its dataset_meta, or classes in the config')
    palette = known.get('palette')
    return tuple(classes), [list(colour) for colour in palette] if palette else colour_map(len(classes))


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
        settings (str, optional): Defaults to None.
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
        settings: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.network = TrainedNetwork(config, checkpoint, device, settings, options)
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
    """Pseudo masks of photographs by the weak pipeline: activation maps, random walk, dense CRF.

    The steps are those of seed inference and affinity inference, with the settings of their configs; nothing is
    written between them.

    Args:
        classifier_config (str | Config): Config of seed inference.
        classifier_checkpoint (str): The trained classifier.
        affinity_config (str | Config): Config of affinity inference.
        affinity_checkpoint (str): The trained AffinityNet.
        device (str, optional): As in :class:`TrainedNetwork`. Defaults to None.
        settings (str, optional): As in :class:`TrainedNetwork`, of both configs. Defaults to None.
        dense_crf (bool): Whether the walked scores go through the dense CRF that ``test_evaluator`` of
            ``affinity_config`` names. Defaults to True.

    Raises:
        DataError: As :class:`TrainedNetwork`, or if the two networks have other classes.
    """

    def __init__(
        self,
        classifier_config: str | Config,
        classifier_checkpoint: str,
        affinity_config: str | Config,
        affinity_checkpoint: str,
        device: str | None = None,
        settings: str | None = None,
        dense_crf: bool = True,
    ) -> None:
        self.classifier = TrainedNetwork(classifier_config, classifier_checkpoint, device, settings)
        self.affinity_net = TrainedNetwork(affinity_config, affinity_checkpoint, device, settings)
        if not (self.classifier.config.model.get('test_cfg') or {}).get('seed_stride'):
            raise DataError(
                f'{self.classifier.config.filename}: expected the config of seed inference, with a test_cfg'
            )
        self.classes, self.palette = self.classifier.classes, self.classifier.palette
        if self.classes != self.affinity_net.classes:
            raise DataError(
                f'{affinity_checkpoint}: expected the classes of {classifier_checkpoint}, {list(self.classes)}, '
                f'got {list(self.affinity_net.classes)}'
            )
        self.with_background = self.classifier.model.test_cfg.get('with_background', True)
        self.dense_crf = _dense_crf(self.affinity_net.config) if dense_crf else None

    def __call__(
        self,
        source: Source | Photos | Video,
        tags: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        batch_size: int = 1,
    ) -> Iterator[Prediction]:
        """Makes pseudo masks, one batch in memory at a time.

        Args:
            source: See :func:`mmwsss.apis.inputs.open_source`, or what it gives.
            tags (sequence | dict, optional): Class names on the photographs: the same for all, or by name of each. By
                default, the classes that the classifier is sure of.
            batch_size (int): Photographs that are prepared together. Defaults to 1.

        Yields:
            Prediction: Of each photograph, in order, with a mask of its size and its seeds. Without a background
            class, the mask of a photograph without tags is 255.

        Raises:
            DataError: If there is no photograph, one cannot be read or has no tags, or a tag is no class.
        """
        photos = source if isinstance(source, Photos | Video) else open_source(source)
        self.classifier.model.test_cfg['gate'] = tags is not None
        for batch in _batches(photos, batch_size):
            samples = [self._sample(photo, tags) for photo in batch]
            for sample, result in zip(samples, self.classifier.predict(samples), strict=True):
                sample['seeds'] = Seeds(result.class_ids, result.cams.astype(np.float16), sample['img'].shape[:2])
            for photo, sample, result in zip(batch, samples, self.affinity_net.predict(samples), strict=True):
                yield Prediction(photo, self._mask(photo.image, result), sample['seeds'])

    def _sample(self, photo: Photo, tags: Sequence[str] | Mapping[str, Sequence[str]] | None) -> dict[str, Any]:
        sample = dict(img=photo.image, img_path=photo.file_name, image_id=photo.name)
        if tags is None:
            return sample
        if isinstance(tags, Mapping):
            known = tags.get(photo.name, tags.get(photo.file_name))
            if known is None:
                raise DataError(f'{photo.file_name}: expected tags of this photograph, got none')
            tags = known
        foreground = self.classes[1 if self.with_background else 0 :]
        sample['gt_label'] = multi_hot(tags, foreground, photo.name, 'tags')
        return sample

    def _mask(self, image: np.ndarray, result: SegDataSample) -> np.ndarray:
        covered = (tuple(result.img_shape[:2]), result.grid_stride)
        # Half precision, as the scores have on their way to the files of a pipeline.
        scores = scores_at_image_size(result.scores.astype(np.float16), image.shape[:2], covered)
        if not len(scores):
            return np.full(image.shape[:2], 255, np.uint8)
        if self.dense_crf is not None:
            scores = self.dense_crf(np.ascontiguousarray(image[:, :, ::-1]), scores)
        return result.class_ids[scores.argmax(0)]


def _dense_crf(config: Config) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    evaluators = config.get('test_evaluator') or []
    for evaluator in [evaluators] if isinstance(evaluators, dict) else evaluators:
        if evaluator.get('dense_crf'):
            with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmseg')):
                return MODELS.build(evaluator['dense_crf'])
    raise DataError(f'{config.filename}: no dense_crf in its test_evaluator; ask for masks without it')
