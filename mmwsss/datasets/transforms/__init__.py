from .formatting import PackWeakInputs
from .loading import LoadImageFromFile, LoadLabelMap, LoadSeeds
from .processing import RandomCropOrPad

__all__ = ['LoadImageFromFile', 'LoadLabelMap', 'LoadSeeds', 'PackWeakInputs', 'RandomCropOrPad']
