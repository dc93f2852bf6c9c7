"""Backbones that mmseg lacks."""

from .efficientnet_lite import EfficientNetLite
from .resnet38d import ResNet38d
from .vgg16 import VGG16LargeFOV

__all__ = ['EfficientNetLite', 'ResNet38d', 'VGG16LargeFOV']
