from .affinity_label_generator import AffinityLabelGenerator
from .dense_crf import DenseCRF
from .random_walk import RandomWalk

__all__ = ['AffinityLabelGenerator', 'DenseCRF', 'RandomWalk']
