"""Whether a model, its data set and the masks of that agree on classes, and on weights of pixels."""

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from mmwsss.datasets.class_names import check_class_names, has_background
from mmwsss.fileio import DataError
from mmwsss.fileio.white_masks import check_white_masks
from mmwsss.registry import HOOKS

SEGMENTATION_HEADS = ('decode_head', 'auxiliary_head')
LABEL_HEAD = 'head'


@HOOKS.register_module()
class CheckClassesHook(Hook):
    """Refuses a model of which a head has another number of classes than the data set, before the first iteration.

    Heads that segment, auxiliary ones and lists of them included, have one output a class; the head of a classifier has
    one a label, which the background is not. A head without ``num_classes``, and a data set without ``classes``, are
    left alone. Refuses masks, too, of which none holds a class; it reads them until one does. Refuses weights of pixels
    that the model would not look at.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        check_classes(runner.cfg, runner.train_dataloader.dataset)
        check_masks(runner.train_dataloader.dataset, 'pseudo_mask_path')
        check_pixel_weights(runner.model, runner.train_dataloader.dataset)

    def before_val(self, runner: Runner) -> None:
        check_classes(runner.cfg, runner.val_dataloader.dataset)
        check_masks(runner.val_dataloader.dataset, 'seg_map_path')

    def before_test(self, runner: Runner) -> None:
        check_classes(runner.cfg, runner.test_dataloader.dataset)
        check_masks(runner.test_dataloader.dataset, 'seg_map_path')


def check_classes(cfg: Config, dataset: Any) -> None:
    """Compares the ``num_classes`` of a config's heads with a data set.

    Args:
        cfg (Config): With ``model``.
        dataset (Dataset): With ``metainfo``: ``classes`` and ``with_background`` (by default whether the first class is
            called background).

    Raises:
        DataError: Naming the key that is wrong, or if the classes are no list of different names.
    """
    metainfo = getattr(dataset, 'metainfo', None) or {}
    classes = metainfo.get('classes')
    if not classes:
        return
    check_class_names(classes, type(dataset).__name__)
    labels = len(classes) - has_background(metainfo)
    for key, found, is_label_head in _heads(cfg.get('model') or {}):
        expected = labels if is_label_head else len(classes)
        if found != expected:
            what = 'classes' if expected == len(classes) else 'classes beside the background'
            raise DataError(f'{key} is {found}, but the data set has {expected} {what}')


def check_masks(dataset: Any, key: str) -> None:
    """Refuses a data set whose masks hold nothing but 0 and 255.

    Args:
        dataset (Dataset): With ``get_data_info``, or a wrapper of one; another one is left alone.
        key (str): Name of the path of a mask in its samples.

    Raises:
        DataError: With the cure.
    """
    dataset = _innermost(dataset)
    if dataset is None:
        return
    paths = (dataset.get_data_info(index).get(key) for index in range(len(dataset)))
    first = next((path for path in paths if path), None)
    if first is not None:
        check_white_masks((path for path in chain([first], paths) if path), os.path.dirname(first))


def check_pixel_weights(model: nn.Module, dataset: Any) -> None:
    """Refuses a data set with weights of pixels, and a model that does not weigh pixels.

    Args:
        model (nn.Module): One with ``weighs_pixels = True`` does, or what a wrapper holds as its ``module``.
        dataset (Dataset): As of :func:`check_masks`.

    Raises:
        DataError: With the cure.
    """
    dataset = _innermost(dataset)
    if dataset is None or not len(dataset) or 'pixel_weight_path' not in dataset.get_data_info(0):
        return
    bare = model.module if is_model_wrapper(model) else model
    if not getattr(bare, 'weighs_pixels', False):
        raise DataError(
            f'pixel_weight_dir of the data set: {type(bare).__name__} does not weigh pixels; expected a model such as '
            'mmwsss.WeightedEncoderDecoder'
        )


def _innermost(dataset: Any) -> Any:
    """The data set that says which samples it has, within wrappers; None for none."""
    while not hasattr(dataset, 'get_data_info') and hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    return dataset if hasattr(dataset, 'get_data_info') else None


def _heads(model: Mapping[str, Any], prefix: str = 'model') -> Iterator[tuple[str, int, bool]]:
    """Key, number of classes, and whether these are labels, of each head that says it."""
    if 'module' in model:  # what wraps a model for test-time augmentation
        yield from _heads(model['module'], f'{prefix}.module')
    for name in (*SEGMENTATION_HEADS, LABEL_HEAD):
        heads = model.get(name)
        is_list = isinstance(heads, list | tuple)
        listed: Iterable[Any] = heads if is_list else [heads]  # type: ignore[assignment]
        for index, head in enumerate(listed):
            if isinstance(head, Mapping) and isinstance(head.get('num_classes'), int):
                place = f'{prefix}.{name}.{index}' if is_list else f'{prefix}.{name}'
                yield f'{place}.num_classes', head['num_classes'], name == LABEL_HEAD
