from .formatting import PackWeakInputs
from .loading import LoadLabelMap, LoadPhoto, LoadSeeds
from .processing import RandomCropOrPad

__all__ = ['LoadLabelMap', 'LoadPhoto', 'LoadSeeds', 'PackWeakInputs', 'RandomCropOrPad']
