from .affinity_head import AffinityHead
from .cam_head import CAMHead
from .deeplabv2_head import DeepLabV2Head
from .irnet_head import IRNetHead
from .linear_head import LinearHead

__all__ = ['AffinityHead', 'CAMHead', 'DeepLabV2Head', 'IRNetHead', 'LinearHead']
