from .resnet38d import ResNet38d
from .vgg16 import VGG16LargeFOV

__all__ = ['ResNet38d', 'VGG16LargeFOV']
