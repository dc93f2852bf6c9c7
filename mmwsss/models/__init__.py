"""Networks, and the four roles that a method is made of: localizers, affinity models, refiners and labelers."""

from .affinity import AffinityModel, AffinityNet, IRNet
from .backbones import EfficientNetLite, ResNet38d, VGG16LargeFOV
from .heads import AffinityHead, CAMHead, DeepLabV2Head, IRNetHead, LinearHead
from .label_chain import ChainResult, LabelChain
from .labelers import (
    AffinityLabeler,
    ArgmaxLabeler,
    InstanceLabeler,
    Labeler,
    PeakLabeler,
    ThresholdLabeler,
    VoteLabeler,
)
from .localizers import (
    SEAM,
    CAMClassifier,
    GradCAM,
    GradCAMPlusPlus,
    LayerCAM,
    Localizer,
    PixelCorrelation,
    XGradCAM,
)
from .losses import BalancedCrossEntropyLoss, CrossEntropyLoss
from .refiners import (
    PAMR,
    PAR,
    Background,
    CosineAffinity,
    DenseCRF,
    InstanceWalk,
    Normalize,
    RandomWalk,
    RefineContext,
    Refiner,
)
from .segmentors import (
    DenseCRFTTAModel,
    SeedTTAModel,
    WeightedCascadeEncoderDecoder,
    WeightedEncoderDecoder,
    gate_scores,
)
from .stored_maps import StoredMaps

__all__ = [
    'AffinityHead',
    'AffinityLabeler',
    'AffinityModel',
    'AffinityNet',
    'ArgmaxLabeler',
    'Background',
    'BalancedCrossEntropyLoss',
    'CAMClassifier',
    'CAMHead',
    'ChainResult',
    'CosineAffinity',
    'CrossEntropyLoss',
    'DeepLabV2Head',
    'DenseCRF',
    'DenseCRFTTAModel',
    'EfficientNetLite',
    'GradCAM',
    'GradCAMPlusPlus',
    'IRNet',
    'IRNetHead',
    'InstanceLabeler',
    'InstanceWalk',
    'LabelChain',
    'Labeler',
    'LayerCAM',
    'LinearHead',
    'Localizer',
    'Normalize',
    'PAMR',
    'PAR',
    'PeakLabeler',
    'PixelCorrelation',
    'RandomWalk',
    'RefineContext',
    'Refiner',
    'ResNet38d',
    'SEAM',
    'SeedTTAModel',
    'StoredMaps',
    'ThresholdLabeler',
    'VGG16LargeFOV',
    'VoteLabeler',
    'WeightedCascadeEncoderDecoder',
    'WeightedEncoderDecoder',
    'XGradCAM',
    'gate_scores',
]
