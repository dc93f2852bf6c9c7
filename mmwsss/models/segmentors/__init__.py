from .affinity_net import AffinityNet
from .cam_classifier import CAMClassifier
from .dense_crf_tta_model import DenseCRFTTAModel

__all__ = ['AffinityNet', 'CAMClassifier', 'DenseCRFTTAModel']
