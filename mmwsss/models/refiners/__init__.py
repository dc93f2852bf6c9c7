"""Role: score maps in, better score maps out."""

from .background import Background
from .cosine_affinity import CosineAffinity
from .dense_crf import DenseCRF
from .instance_walk import InstanceWalk
from .normalize import Normalize
from .par import PAMR, PAR
from .random_walk import RandomWalk
from .refiner import RefineContext, Refiner

__all__ = [
    'PAMR',
    'PAR',
    'Background',
    'CosineAffinity',
    'DenseCRF',
    'InstanceWalk',
    'Normalize',
    'RandomWalk',
    'RefineContext',
    'Refiner',
]
