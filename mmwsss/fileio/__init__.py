"""File formats: photographs, seeds, palette masks, and whole-or-nothing writing."""

from .atomic import atomic_write, atomic_write_json
from .errors import DataError
from .masks import class_of_index, read_class_mask, read_mask, write_mask
from .photos import read_photo
from .seeds import Seeds, read_seeds, write_seeds

__all__ = [
    'DataError',
    'Seeds',
    'atomic_write',
    'atomic_write_json',
    'class_of_index',
    'read_class_mask',
    'read_mask',
    'read_photo',
    'read_seeds',
    'write_mask',
    'write_seeds',
]
