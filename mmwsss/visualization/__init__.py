"""Drawing what networks make of photographs, for training logs and reports."""

from .maps import affinity_boundaries, draw_boundaries, draw_cams

__all__ = ['affinity_boundaries', 'draw_boundaries', 'draw_cams']
