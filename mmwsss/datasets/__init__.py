from .image_label_dataset import ImageLabelDataset
from .scenes import ScenesDataset
from .transforms import LoadLabelMap, LoadPhoto, LoadSeeds, PackWeakInputs, RandomCropOrPad

__all__ = [
    'ImageLabelDataset',
    'LoadLabelMap',
    'LoadPhoto',
    'LoadSeeds',
    'PackWeakInputs',
    'RandomCropOrPad',
    'ScenesDataset',
]
