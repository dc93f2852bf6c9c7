from .backbones import ResNet38d, VGG16LargeFOV
from .heads import AffinityHead, CAMHead, DeepLabV2Head
from .postprocessors import AffinityLabelGenerator, DenseCRF, RandomWalk
from .segmentors import AffinityNet, CAMClassifier

__all__ = [
    'AffinityHead',
    'AffinityLabelGenerator',
    'AffinityNet',
    'CAMClassifier',
    'CAMHead',
    'DeepLabV2Head',
    'DenseCRF',
    'RandomWalk',
    'ResNet38d',
    'VGG16LargeFOV',
]
