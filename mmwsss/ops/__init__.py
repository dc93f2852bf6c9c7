"""The maths of the method: pure functions on tensors and arrays."""

from .affinity import (
    affinity_loss,
    edge_to_affinity,
    neighbor_offsets,
    pair_labels,
    pairwise_affinity,
    pool_label_map,
)
from .cam import affinity_label_map, background_score, confident_label_map, fuse_cams
from .dense_crf import dense_crf, dense_crf_stack
from .random_walk import random_walk

__all__ = [
    'affinity_label_map',
    'affinity_loss',
    'background_score',
    'confident_label_map',
    'dense_crf',
    'dense_crf_stack',
    'edge_to_affinity',
    'fuse_cams',
    'neighbor_offsets',
    'pair_labels',
    'pairwise_affinity',
    'pool_label_map',
    'random_walk',
]
