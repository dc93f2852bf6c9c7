"""What stages and roles hand to each other, in memory and in files."""

from .boundary_affinity import BoundaryAffinity
from .files import AffinityField, Seeds
from .labels import Labels
from .localization import Localization
from .score_maps import ScoreMaps
from .stencil_affinity import StencilAffinity

__all__ = ['AffinityField', 'BoundaryAffinity', 'Labels', 'Localization', 'ScoreMaps', 'Seeds', 'StencilAffinity']
