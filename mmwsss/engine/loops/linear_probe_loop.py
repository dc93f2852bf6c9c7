"""A training without iterations: a linear classifier on features that no longer change."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from torch import Tensor
from torch.utils.data import DataLoader

from mmwsss.fileio import DataError, read_feature_table, write_feature_table
from mmwsss.ops.linear_probe import WEIGHT_DECAY, fit_linear_classifier
from mmwsss.registry import LOOPS


@LOOPS.register_module()
class LinearProbeLoop(BaseLoop):
    """Trains the classifier of a localizer on fixed features of its backbone, all images at once.

    Every image is looked at once, as a validation does. The means of its features are stored, so that a further run
    with other labels or another weight decay takes seconds. Then the classifier is fitted
    (:func:`mmwsss.ops.linear_probe.fit_linear_classifier`) and its weights are put into the head, as if they had been
    trained; a validation ends it.

    The model is a :class:`mmwsss.models.CAMClassifier` whose head has a bias. The optimizer of the config must take all
    its steps in one call with a closure: ``dict(type='LBFGS', max_iter=200, line_search_fn='strong_wolfe')``. The data
    loader gives images of one size in a batch, so that nothing is padded, and each once.

    Args:
        runner (Runner): As in ``IterBasedTrainLoop``.
        dataloader (dict | DataLoader): As in ``IterBasedTrainLoop``.
        weight_decay (float): Of the classifier on standardized features, times the number of classes. Defaults to 0.01.
        feature_dir (str, optional): Folder for the means, ``<digest>.npy``, 2.6 kB an image with 1,280 channels; a
            relative one is a folder of the work directory. The digest is of what they were made from: the weights of
            the backbone, images and transforms. Defaults to ``'mean_features'``; None stores nothing.

    Raises:
        DataError: If the model or the optimizer cannot be trained so, or an image has no labels.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        weight_decay: float = WEIGHT_DECAY,
        feature_dir: str | None = 'mean_features',
    ) -> None:
        super().__init__(runner, dataloader)
        if not weight_decay >= 0:
            raise ValueError(f'weight_decay of LinearProbeLoop must not be negative, got {weight_decay!r}')
        self.weight_decay = weight_decay
        self.feature_dir = None if feature_dir is None else os.path.join(runner.work_dir, feature_dir)
        self.stop_training = False
        self._iter = 0
        if hasattr(self.dataloader.dataset, 'metainfo'):
            runner.visualizer.dataset_meta = self.dataloader.dataset.metainfo

    @property
    def epoch(self) -> int:
        """Always 0: the training is one epoch."""
        return 0

    @property
    def max_epochs(self) -> int:
        """Always 1."""
        return 1

    @property
    def iter(self) -> int:
        """Batches looked at."""
        return self._iter

    @property
    def max_iters(self) -> int:
        """Batches to look at."""
        return len(self.dataloader)

    @property
    def _model(self) -> Any:
        return self.runner.model.module if is_model_wrapper(self.runner.model) else self.runner.model

    def run(self) -> torch.nn.Module:
        """Train.

        Returns:
            Module: The model of the runner.
        """
        self._check()
        # Before the fit there is nothing to keep, and after it FinalCheckpointHook keeps it.
        for hook in self.runner.hooks:
            if isinstance(hook, CheckpointHook):
                hook.interval, hook.save_last = -1, False
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        self.runner.model.eval()
        labels = _labels_of(self.dataloader.dataset)
        image_ids, features = self._features()
        device = next(self._model.parameters()).device
        self._fit(
            torch.from_numpy(features.astype(np.float32)).to(device),
            torch.stack([labels[image_id] for image_id in image_ids]).to(device),
        )
        if self.runner.val_loop is not None:
            self.runner.val_loop.run()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def _check(self) -> None:
        classifier = getattr(getattr(self._model, 'head', None), 'classifier', None)
        if not hasattr(self._model, 'pooled_features') or getattr(classifier, 'bias', None) is None:
            raise DataError(
                f'train_cfg: a LinearProbeLoop trains a CAMClassifier whose head has bias=True, got '
                f'{type(self._model).__name__}'
            )
        optimizer = self.runner.optim_wrapper.optimizer
        if not isinstance(optimizer, torch.optim.LBFGS):
            raise DataError(f'optim_wrapper.optimizer: a LinearProbeLoop takes LBFGS, got {type(optimizer).__name__}')

    def _fit(self, features: Tensor, labels: Tensor) -> None:
        given = self.runner.optim_wrapper.optimizer
        fitted = fit_linear_classifier(
            features, labels, self.weight_decay, lambda weights: type(given)(list(weights), **given.defaults)
        )
        classifier = self._model.head.classifier
        if fitted.weight.shape != classifier.weight.shape[:2]:
            raise DataError(
                f'model.head: has weights of {tuple(classifier.weight.shape[:2])}, but images have {labels.shape[1]} '
                f'labels and {features.shape[1]} features'
            )
        with torch.no_grad():
            classifier.weight.copy_(fitted.weight[:, :, None, None])
            classifier.bias.copy_(fitted.bias)
        self.runner.message_hub.update_scalar('train/loss', fitted.loss)
        print_log(f'Fitted the classifier to {len(features)} images, loss {fitted.loss:.4f}', logger='current')

    def _features(self) -> tuple[list[str], np.ndarray]:
        """The image ids, ascending, and float16 (N, D), stored or new."""
        path = None if self.feature_dir is None else Path(self.feature_dir, f'{self._digest()}.npy')
        if path is not None and path.is_file():
            print_log(f'Features are those of {path}', logger='current')
            self._iter = self.max_iters
            return read_feature_table(path)
        image_ids, features = self._extract()
        if path is not None and is_main_process():
            write_feature_table(path, image_ids, features)
        return image_ids, features

    @torch.no_grad()
    def _extract(self) -> tuple[list[str], np.ndarray]:
        found: dict[str, np.ndarray] = {}
        self._iter = 0
        for batch in self.dataloader:
            self.runner.call_hook('before_train_iter', batch_idx=self._iter, data_batch=batch)
            data = self._model.data_preprocessor(batch, False)
            means = self._model.pooled_features(data['inputs']).to(torch.float16).cpu().numpy()
            found.update(zip((sample.image_id for sample in data['data_samples']), means, strict=True))
            self.runner.call_hook('after_train_iter', batch_idx=self._iter, data_batch=batch, outputs={})
            self._iter += 1
        parts: list[dict[str, np.ndarray]] = all_gather_object(found)
        everything = {image_id: row for part in parts for image_id, row in part.items()}
        image_ids = sorted(everything)
        return image_ids, np.stack([everything[image_id] for image_id in image_ids])

    def _digest(self) -> str:
        """What the features are made from, as 16 hexadecimal digits."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self._model.backbone.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        cfg = self.runner.cfg
        digest.update(repr(cfg.get('model', {}).get('data_preprocessor')).encode())
        digest.update(repr(getattr(self.dataloader.dataset, 'pipeline', None)).encode())
        for sample in _samples_of(self.dataloader.dataset):
            status = os.stat(sample['img_path']) if os.path.isfile(sample['img_path']) else None
            digest.update(repr((sample['image_id'], status and (status.st_size, status.st_mtime_ns))).encode())
        return digest.hexdigest()[:16]


def _samples_of(dataset: Any) -> list[Mapping[str, Any]]:
    """What a data set knows of its images, whatever wraps it."""
    while not hasattr(dataset, 'get_data_info') and hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def _labels_of(dataset: Any) -> dict[str, Tensor]:
    """Multi-hot labels (C,) by image id.

    Raises:
        DataError: If an image has none.
    """
    labels = {}
    for sample in _samples_of(dataset):
        if 'gt_label' not in sample:
            raise DataError(f'{sample["img_path"]}: has no image-level labels; set image_labels of the data set')
        labels[sample['image_id']] = torch.as_tensor(np.asarray(sample['gt_label'], np.float32))
    return labels
