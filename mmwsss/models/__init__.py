from .backbones import ResNet38d, VGG16LargeFOV
from .heads import AffinityHead, CAMHead
from .postprocessors import AffinityLabelGenerator, DenseCRF, RandomWalk
from .segmentors import AffinityNet, CAMClassifier

__all__ = [
    'AffinityHead',
    'AffinityLabelGenerator',
    'AffinityNet',
    'CAMClassifier',
    'CAMHead',
    'DenseCRF',
    'RandomWalk',
    'ResNet38d',
    'VGG16LargeFOV',
]
