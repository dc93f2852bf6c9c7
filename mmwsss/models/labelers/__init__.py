"""Role: score maps in, labels out."""

from .affinity_labeler import AffinityLabeler
from .argmax_labeler import ArgmaxLabeler
from .instance_labeler import InstanceLabeler
from .labeler import Labeler
from .threshold_labeler import ThresholdLabeler

__all__ = ['AffinityLabeler', 'ArgmaxLabeler', 'InstanceLabeler', 'Labeler', 'ThresholdLabeler']
