"""Drawing what networks make of photographs, and what runs logged."""

from .curves import plot_curves
from .maps import affinity_boundaries, draw_boundaries, draw_cams

__all__ = ['affinity_boundaries', 'draw_boundaries', 'draw_cams', 'plot_curves']
