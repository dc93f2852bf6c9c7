"""Role: score maps in, labels out."""

from .affinity_labeler import AffinityLabeler
from .argmax_labeler import ArgmaxLabeler
from .image_labeler import ImageLabeler
from .instance_labeler import InstanceLabeler
from .labeler import Labeler
from .peak_labeler import PeakLabeler
from .threshold_labeler import ThresholdLabeler
from .vote_labeler import VoteLabeler

__all__ = [
    'AffinityLabeler',
    'ArgmaxLabeler',
    'ImageLabeler',
    'InstanceLabeler',
    'Labeler',
    'PeakLabeler',
    'ThresholdLabeler',
    'VoteLabeler',
]
