"""Role: score maps in, better score maps out."""

from .background import Background
from .dense_crf import DenseCRF
from .par import PAMR, PAR
from .random_walk import RandomWalk
from .refiner import RefineContext, Refiner

__all__ = ['PAMR', 'PAR', 'Background', 'DenseCRF', 'RandomWalk', 'RefineContext', 'Refiner']
