"""Role: an image in, class maps out; trained with image-level labels."""

from .cam_classifier import CAMClassifier
from .gradient_cams import GradCAM, GradCAMPlusPlus, LayerCAM, XGradCAM
from .localizer import Localizer
from .seam import SEAM, PixelCorrelation

__all__ = [
    'CAMClassifier',
    'GradCAM',
    'GradCAMPlusPlus',
    'LayerCAM',
    'Localizer',
    'PixelCorrelation',
    'SEAM',
    'XGradCAM',
]
