from .affinity_net import AffinityNet
from .cam_classifier import CAMClassifier

__all__ = ['AffinityNet', 'CAMClassifier']
