"""The formulas of the methods: pure functions on tensors and arrays."""

from .affinity import (
    affinity_loss,
    edge_to_affinity,
    neighbor_offsets,
    pair_labels,
    pairwise_affinity,
    pool_label_map,
)
from .cam import affinity_label_map, confident_label_map, fuse_cams, threshold_label_map
from .confidence import label_of_peaks, surest_pixels, weight_of_votes
from .cosine_affinity import cosine_affinity, cosine_stencil, spread_by_cosine
from .dense_crf import dense_crf, dense_crf_stack
from .gradient_cam import fuse_layers, grad_cam, grad_cam_plus_plus, layer_cam, xgrad_cam
from .instances import (
    best_channel,
    connected_parts,
    displacement_centroids,
    displacement_clusters,
    split_by_cluster,
)
from .irnet import displacement_loss, path_affinity
from .linear_probe import LinearClassifier, fit_linear_classifier
from .maps import (
    add_background,
    background_score,
    crop_to_covered,
    label_of_scores,
    label_of_two_scores,
    pool_to_cells,
    resize_maps,
    score_margin,
    share_of_agreement,
    unsure_pixels,
    weight_of_margin,
)
from .par import pamr, pamr_kernel, par, par_kernel, position_kernel
from .random_walk import random_walk
from .seam import (
    add_rest,
    correlation_input,
    cross_regularization_loss,
    equivariance_loss,
    keep_best_class,
    min_pooling_loss,
    seam_losses,
    spread_by_correlation,
    stretch_maps,
)

__all__ = [
    'LinearClassifier',
    'add_background',
    'add_rest',
    'affinity_label_map',
    'affinity_loss',
    'background_score',
    'best_channel',
    'confident_label_map',
    'connected_parts',
    'correlation_input',
    'cosine_affinity',
    'cosine_stencil',
    'crop_to_covered',
    'cross_regularization_loss',
    'dense_crf',
    'dense_crf_stack',
    'displacement_centroids',
    'displacement_clusters',
    'displacement_loss',
    'edge_to_affinity',
    'equivariance_loss',
    'fit_linear_classifier',
    'fuse_cams',
    'fuse_layers',
    'grad_cam',
    'grad_cam_plus_plus',
    'keep_best_class',
    'label_of_peaks',
    'label_of_scores',
    'label_of_two_scores',
    'layer_cam',
    'min_pooling_loss',
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
    'seam_losses',
    'split_by_cluster',
    'spread_by_correlation',
    'spread_by_cosine',
    'stretch_maps',
    'score_margin',
    'share_of_agreement',
    'threshold_label_map',
    'surest_pixels',
    'unsure_pixels',
    'weight_of_margin',
    'weight_of_votes',
    'xgrad_cam',
]
