"""Role: score maps in, labels out."""

from .affinity_labeler import AffinityLabeler
from .argmax_labeler import ArgmaxLabeler
from .labeler import Labeler

__all__ = ['AffinityLabeler', 'ArgmaxLabeler', 'Labeler']
