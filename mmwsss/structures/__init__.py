"""What stages and roles hand to each other, in memory and in files."""

from .boundary_affinity import BoundaryAffinity, affinity_of_file
from .files import AffinityField, Seeds
from .labels import InstanceLabels, Instances, Labels
from .localization import Localization
from .score_maps import ScoreMaps
from .stencil_affinity import StencilAffinity

__all__ = [
    'AffinityField',
    'BoundaryAffinity',
    'InstanceLabels',
    'Instances',
    'Labels',
    'Localization',
    'ScoreMaps',
    'Seeds',
    'StencilAffinity',
    'affinity_of_file',
]
