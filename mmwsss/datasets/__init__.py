from .camvid import CamVidDataset
from .coco import COCOObjectDataset
from .folder import FolderDataset
from .image_label_dataset import ImageLabelDataset
from .samplers import RepeatFactorSampler
from .scenes import ScenesDataset
from .transforms import LoadLabelMap, LoadPhoto, LoadSeeds, PackWeakInputs, RandomCropOrPad

__all__ = [
    'COCOObjectDataset',
    'CamVidDataset',
    'FolderDataset',
    'ImageLabelDataset',
    'LoadLabelMap',
    'LoadPhoto',
    'LoadSeeds',
    'PackWeakInputs',
    'RandomCropOrPad',
    'RepeatFactorSampler',
    'ScenesDataset',
]
