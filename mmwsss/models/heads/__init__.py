from .affinity_head import AffinityHead
from .cam_head import CAMHead

__all__ = ['AffinityHead', 'CAMHead']
