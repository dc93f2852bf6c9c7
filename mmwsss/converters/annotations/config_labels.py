"""Classes and images of the data set that a config trains on."""

from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.registry import DATASETS

from mmwsss.datasets.class_names import has_background
from mmwsss.fileio import DataError

from .label_set import LabelSet


def labels_of_config(config: Config) -> tuple[LabelSet, str]:
    """Classes of the data set of a config, and the folder of its images. No file of the data is read.

    Args:
        config (Config): Of any stage.

    Returns:
        tuple[LabelSet, str]: The classes in their colors, and the folder.

    Raises:
        DataError: If the config has no data set with classes.
    """
    name = config.filename or 'config'
    loader = config.get('train_dataloader') or config.get('test_dataloader') or {}
    settings: dict[str, Any] = dict(loader.get('dataset') or {})
    while isinstance(settings.get('dataset'), dict):
        settings = dict(settings['dataset'])
    if 'type' not in settings:
        raise DataError(f'{name}: expected a train_dataloader or test_dataloader with a data set')
    with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmseg')):
        dataset = DATASETS.build({**settings, 'pipeline': [], 'lazy_init': True})
    metainfo = dataset.metainfo
    labels = LabelSet(
        metainfo.get('classes') or (), metainfo.get('palette'), f'{name}: classes', has_background(metainfo)
    )
    return labels, dataset.data_prefix.get('img_path') or ''
