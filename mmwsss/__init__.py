"""Weakly supervised semantic segmentation for MMSegmentation."""

import warnings

from .config_packages import tell_mmengine

__version__ = '0.1.0'

# mmcv advises everybody without its compiled operators to install another distribution; nothing here needs them.
warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')

# For configs of users that inherit one of this package, or of MMSegmentation, by its name.
tell_mmengine()
