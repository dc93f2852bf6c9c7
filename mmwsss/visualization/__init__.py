"""Drawing what networks make of images, and what runs logged."""

from .curves import plot_curves
from .maps import affinity_boundaries, draw_boundaries, draw_cams
from .masks import draw_names, draw_overlay, load_font
from .vis_backends import MLflowImageBackend, WandbRunBackend

__all__ = [
    'MLflowImageBackend',
    'WandbRunBackend',
    'affinity_boundaries',
    'draw_boundaries',
    'draw_cams',
    'draw_names',
    'draw_overlay',
    'load_font',
    'plot_curves',
]
