"""Inference with trained networks: masks of a segmentor, pseudo masks of the weakly supervised stages.

MMSegmentation's own `MMSegInferencer` keeps all results in memory, warns only if a checkpoint belongs to another
model, and runs segmentors alone. The inferencers here stream, check and run all stages.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.structures import SegDataSample

from mmwsss.datasets.image_labels import multi_hot
from mmwsss.engine.config_loading import load_config
from mmwsss.fileio import DataError, as_stored, swap_channels
from mmwsss.models import LabelChain, RefineContext
from mmwsss.structures import ScoreMaps, Seeds, StencilAffinity

from .inputs import InputImage, InputImages, Source, Video, open_source
from .trained_network import TrainedNetwork

Item = TypeVar('Item')
# Most likely classes that a prediction names.
SHOWN_SCORES = 5


class Prediction(NamedTuple):
    """What was made of an image.

    Attributes:
        image (InputImage): The image.
        mask (ndarray): uint8 (H, W) of class indices; 255 where there is no class.
        seeds (Seeds, optional): Its class activation maps, if a localizer made them. Defaults to None.
        scores (dict[str, float], optional): Probabilities of its most likely classes, if a localizer gave them, the
            most likely first. Defaults to None.
    """

    image: InputImage
    mask: np.ndarray
    seeds: Seeds | None = None
    scores: Mapping[str, float] | None = None


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Batches of items; where one cannot be read, those before it come first, then the error."""
    if size < 1:
        raise DataError(f'batch size: expected at least 1, got {size}')
    iterator = iter(items)
    batch: list[Item] = []
    while True:
        try:
            batch.append(next(iterator))
        except StopIteration:
            break
        except DataError:
            if batch:
                yield batch
            raise
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class SegmentorInferencer:
    """Segments images or videos with a trained segmentor.

    Args:
        config (str | Config): As in :class:`TrainedNetwork`, like the other arguments.
        checkpoint (str): Checkpoint of the segmentor.
        device (str, optional): Defaults to None.
        options (dict, optional): Defaults to None.

    Attributes:
        classes (tuple[str]): Names of the classes.
        palette (list): RGB color of each.

    Examples:
        >>> segment = SegmentorInferencer('work_dirs/affinitynet/scenes/r18/segmentor/segmentor.py',
        ...                               'work_dirs/affinitynet/scenes/r18/segmentor/final.pth')
        >>> for prediction in segment('images', batch_size=8):
        ...     print(prediction.image.name, np.unique(prediction.mask))
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

    def __call__(self, source: Source | InputImages | Video, batch_size: int = 1) -> Iterator[Prediction]:
        """Segments, with one batch in memory at a time.

        Args:
            source: See :func:`mmwsss.apis.inputs.open_source`, or what it returns.
            batch_size (int): Number of images that are prepared together. Defaults to 1.

        Yields:
            Prediction: Of each image, in order, with a mask of its size.

        Raises:
            DataError: If there is no image, or one cannot be read.
        """
        images = source if isinstance(source, InputImages | Video) else open_source(source)
        for batch in _batches(images, batch_size):
            samples = [dict(img=image.pixels, img_path=image.file_name) for image in batch]
            for image, result in zip(batch, self.network.predict(samples), strict=True):
                yield Prediction(image, result.pred_sem_seg.data[0].to(torch.uint8).cpu().numpy())


class PseudoMaskInferencer:
    """Makes pseudo masks of images with a localizer and, optionally, an affinity model.

    The masks are those that the test of the stage writes, byte for byte. Nothing is written between the networks.

    Args:
        localizer_config (str | Config): Config of the localizer.
        localizer_checkpoint (str): Checkpoint of the localizer.
        affinity_config (str | Config, optional): Config of the affinity model, whose label chain makes the masks.
            Defaults to None: a label chain of the localizer does.
        affinity_checkpoint (str, optional): Checkpoint of the affinity model; goes with its config. Defaults to None,
            for a stage that trains nothing, such as that of ``configs/fast``: its label chain makes the masks.
        device (str, optional): As in :class:`TrainedNetwork`. Defaults to None.
        chain (str, optional): Name of the label chain in ``test_cfg``. Defaults to None: the last one.

    Raises:
        DataError: As :class:`TrainedNetwork`; also if the networks do not share their classes, there is no such chain,
            or the affinity model has a config without a checkpoint, or the reverse.
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
        if affinity_config is None and affinity_checkpoint is not None:
            raise DataError(f'{affinity_checkpoint}: expected the config of this affinity model too')
        refining = load_config(affinity_config) if isinstance(affinity_config, str) else affinity_config
        if refining is not None and affinity_checkpoint is not None:
            self.affinity_model = TrainedNetwork(refining, affinity_checkpoint, device)
            if self.classes != self.affinity_model.classes:
                raise DataError(
                    f'{affinity_checkpoint}: expected the classes of {localizer_checkpoint}, {list(self.classes)}, '
                    f'got {list(self.affinity_model.classes)}'
                )
        last = self.affinity_model or self.localizer
        self.with_background = last.with_background
        config = last.config if refining is None else refining
        self.chain = label_chain(config, chain, last.scope)
        if refining is not None and self.affinity_model is None and 'affinity' in self.chain.needs():
            raise DataError(f'{config.filename}: expected the checkpoint of this affinity model too, got its config')
        self.rounds_affinities = config.test_cfg.get('affinity_dir') is not None

    def __call__(
        self,
        source: Source | InputImages | Video,
        tags: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        batch_size: int = 1,
    ) -> Iterator[Prediction]:
        """Makes pseudo masks, with one batch in memory at a time.

        Args:
            source: See :func:`mmwsss.apis.inputs.open_source`, or what it returns.
            tags (sequence | dict, optional): Names of the classes on the images: the same for all images, or by name of
                the image. Defaults to None: the classes that the localizer is sure of.
            batch_size (int): Number of images that are prepared together. Defaults to 1.

        Yields:
            Prediction: Of each image, in order, with a mask of its size and its seeds. Without a background class, the
            mask of an image without tags is 255.

        Raises:
            DataError: If there is no image, one cannot be read or has no tags, or a tag is no class.
        """
        images = source if isinstance(source, InputImages | Video) else open_source(source)
        self.localizer.model.test_cfg['gate'] = tags is not None
        for batch in _batches(images, batch_size):
            batch, samples = self._samples(batch, images, tags)
            results = self.localizer.predict(samples)
            for sample, result in zip(samples, results, strict=True):
                sample['seeds'] = result.seeds._replace(size=sample['img'].shape[:2])
            scores = [most_likely(self.foreground, result.label_scores) for result in results]
            if self.affinity_model is not None:
                results = self.affinity_model.predict(samples)
            for image, sample, result, likely in zip(batch, samples, results, scores, strict=True):
                yield Prediction(image, self._mask(image.pixels, sample['seeds'], result), sample['seeds'], likely)

    @property
    def foreground(self) -> tuple[str, ...]:
        """Names of the classes that image-level labels are about."""
        return self.classes[1 if self.with_background else 0 :]

    def _samples(
        self,
        batch: list[InputImage],
        images: InputImages | Video,
        tags: Sequence[str] | Mapping[str, Sequence[str]] | None,
    ) -> tuple[list[InputImage], list[dict[str, Any]]]:
        """Images and what the network takes of them, without those that are skipped."""
        kept, samples = [], []
        for image in batch:
            try:
                samples.append(self._sample(image, tags))
            except DataError as error:
                images.skip(image, error)
            else:
                kept.append(image)
        return kept, samples

    def _sample(self, image: InputImage, tags: Sequence[str] | Mapping[str, Sequence[str]] | None) -> dict[str, Any]:
        sample = dict(
            img=image.pixels, img_path=image.file_name, image_id=image.name, with_background=self.with_background
        )
        if tags is None:
            return sample
        sample['gt_label'] = multi_hot(tags_of(image, tags), self.foreground, image.name, 'tags')
        return sample

    def _mask(self, pixels: np.ndarray, seeds: Seeds, result: SegDataSample) -> np.ndarray:
        affinity = self._as_seen_by_the_chain(result.get('affinity'))
        return make_mask(self.chain, pixels, seeds, self.with_background, affinity, result.get('features'))

    def _as_seen_by_the_chain(self, affinity: StencilAffinity | None) -> StencilAffinity | None:
        """Affinities that the stage stores are rounded before its chain sees them."""
        return affinity if affinity is None or not self.rounds_affinities else as_stored(affinity)


def make_mask(
    chain: LabelChain,
    pixels: np.ndarray,
    seeds: Seeds,
    with_background: bool,
    affinity: StencilAffinity | None = None,
    features: torch.Tensor | None = None,
) -> np.ndarray:
    """Runs a label chain on one image as the test loop does: what works on a device there, the rest on the CPU.

    Args:
        chain (LabelChain): Makes labels of class maps.
        pixels (ndarray): The image, uint8 (H, W, 3), BGR.
        seeds (Seeds): Its class maps.
        with_background (bool): Whether class 0 is the background.
        affinity (StencilAffinity, optional): Its affinities. Defaults to None.
        features (Tensor, optional): Its features (D, h, w). Defaults to None.

    Returns:
        ndarray: uint8 (H, W) of class indices; 255 where there is no class.
    """
    maps = ScoreMaps.of_seeds(seeds, with_background)
    context = RefineContext([swap_channels(pixels)], affinity, None if features is None else features[None].float())
    started = [_on_cpu(made) for made in chain.refine_on_device(maps, context)]
    if affinity is not None:
        context = replace(context, affinity=replace(affinity, field=affinity.field.cpu()))
    if context.features is not None:
        context = replace(context, features=context.features.cpu())
    return chain(started, context).labels.labels[0].numpy()


def most_likely(names: Sequence[str], probabilities: torch.Tensor) -> dict[str, float]:
    """The five most likely of the classes, and the probability of each, the largest first."""
    best = probabilities.float().topk(min(SHOWN_SCORES, len(names)))
    return {names[int(index)]: float(value) for value, index in zip(*best, strict=True)}


def tags_of(image: InputImage, tags: Sequence[str] | Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The tags of an image, out of those of all images or by name of the image.

    Raises:
        DataError: If there are none by its name.
    """
    if not isinstance(tags, Mapping):
        return tags
    known = tags.get(image.name, tags.get(image.file_name))
    if known is None:
        raise DataError(f'{image.file_name}: expected tags of this image, got none')
    return known


def _on_cpu(maps: ScoreMaps) -> ScoreMaps:
    return replace(maps, maps=maps.maps.cpu(), class_ids=maps.class_ids.cpu())


def label_chain(config: Config, name: str | None, scope: str) -> LabelChain:
    """Builds a label chain of ``test_cfg.chains``, by default the last.

    Raises:
        DataError: If there is none of that name.
    """
    chains = (config.get('test_cfg') or {}).get('chains') or {}
    if not chains or (name is not None and name not in chains):
        raise DataError(
            f'{config.filename}: expected test_cfg.chains to hold {name or "a label chain"}, got {[*chains]}'
        )
    with DefaultScope.overwrite_default_scope(scope):
        return LabelChain(**chains[name or list(chains)[-1]])
