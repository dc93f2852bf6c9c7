"""Role: an image in, class maps out; trained with image-level labels."""

from .cam_classifier import CAMClassifier
from .localizer import Localizer

__all__ = ['CAMClassifier', 'Localizer']
