"""Data sets, transforms and samplers: what a network is shown."""

import mmwsss.registry  # noqa: F401, I001  # before any import of mmseg.datasets, which it silences

from .camvid import CamVidDataset
from .coco import COCOObjectDataset
from .folder import FolderDataset
from .image_label_dataset import ImageLabelDataset
from .samplers import RepeatFactorSampler
from .scenes import ScenesDataset
from .skip_bad_dataset import SkipBadDataset
from .transforms import LoadImageFromFile, LoadLabelMap, LoadSeeds, PackWeakInputs, RandomCropOrPad

__all__ = [
    'COCOObjectDataset',
    'CamVidDataset',
    'FolderDataset',
    'ImageLabelDataset',
    'LoadImageFromFile',
    'LoadLabelMap',
    'LoadSeeds',
    'PackWeakInputs',
    'RandomCropOrPad',
    'RepeatFactorSampler',
    'ScenesDataset',
    'SkipBadDataset',
]
