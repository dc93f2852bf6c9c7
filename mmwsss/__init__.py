"""Weakly supervised semantic segmentation for MMSegmentation.

Importing this package, also by ``custom_imports = dict(imports=['mmwsss'])`` of a config, makes all of its components
known to the registries of MMSegmentation. It takes some milliseconds: a registry imports the components, and torch with
them, when it is first asked for one.
"""

import warnings

from .component_locations import tell_mmseg
from .config_packages import tell_mmengine

__version__ = '0.1.0'

# mmcv advises everybody without its compiled operators to install another distribution; nothing here needs them.
warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')

# For configs of users that inherit one of this package, or of MMSegmentation, by its name.
tell_mmengine()
# For configs and code that name a component of this package.
tell_mmseg()
