"""Role: score maps in, labels out."""

from .affinity_labeler import AffinityLabeler
from .argmax_labeler import ArgmaxLabeler
from .instance_labeler import InstanceLabeler
from .labeler import Labeler

__all__ = ['AffinityLabeler', 'ArgmaxLabeler', 'InstanceLabeler', 'Labeler']
