from .backbones import ResNet38d, VGG16LargeFOV
from .heads import AffinityHead, CAMHead, DeepLabV2Head
from .losses import BalancedCrossEntropyLoss
from .postprocessors import AffinityLabelGenerator, DenseCRF, RandomWalk
from .segmentors import AffinityNet, CAMClassifier, DenseCRFTTAModel

__all__ = [
    'AffinityHead',
    'AffinityLabelGenerator',
    'AffinityNet',
    'BalancedCrossEntropyLoss',
    'CAMClassifier',
    'CAMHead',
    'DeepLabV2Head',
    'DenseCRF',
    'DenseCRFTTAModel',
    'RandomWalk',
    'ResNet38d',
    'VGG16LargeFOV',
]
