"""The formulas of the methods: pure functions on tensors and arrays."""

from .affinity import (
    affinity_loss,
    edge_to_affinity,
    neighbor_offsets,
    pair_labels,
    pairwise_affinity,
    pool_label_map,
)
from .cam import affinity_label_map, confident_label_map, fuse_cams
from .cosine_affinity import cosine_affinity, cosine_stencil, spread_by_cosine
from .dense_crf import dense_crf, dense_crf_stack
from .gradient_cam import fuse_layers, grad_cam, grad_cam_plus_plus, layer_cam, xgrad_cam
from .irnet import displacement_loss, path_affinity
from .linear_probe import LinearClassifier, fit_linear_classifier
from .maps import (
    add_background,
    background_score,
    crop_to_covered,
    label_of_scores,
    pool_to_cells,
    resize_maps,
    unsure_pixels,
)
from .par import pamr, pamr_kernel, par, par_kernel, position_kernel
from .random_walk import random_walk

__all__ = [
    'LinearClassifier',
    'add_background',
    'affinity_label_map',
    'affinity_loss',
    'background_score',
    'confident_label_map',
    'cosine_affinity',
    'cosine_stencil',
    'crop_to_covered',
    'dense_crf',
    'dense_crf_stack',
    'displacement_loss',
    'edge_to_affinity',
    'fit_linear_classifier',
    'fuse_cams',
    'fuse_layers',
    'grad_cam',
    'grad_cam_plus_plus',
    'label_of_scores',
    'layer_cam',
    'neighbor_offsets',
    'pair_labels',
    'pairwise_affinity',
    'pamr',
    'pamr_kernel',
    'par',
    'par_kernel',
    'path_affinity',
    'pool_label_map',
    'pool_to_cells',
    'position_kernel',
    'random_walk',
    'resize_maps',
    'spread_by_cosine',
    'unsure_pixels',
    'xgrad_cam',
]
