"""Weakly supervised semantic segmentation for MMSegmentation."""

import warnings

__version__ = '0.1.0'

# mmcv advises everybody without its compiled operators to install another distribution; nothing here needs them.
warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')
