"""File formats: images, seeds, palette masks, and whole-or-nothing writing."""

from mmwsss.fileio.images import MAX_PIXELS, read_image, size_reduction, swap_channels
from mmwsss.fileio.whole_images import check_image
from mmwsss.structures import AffinityField, Seeds

from .affinities import as_stored, quantize_affinity, read_affinity, restore_affinity, write_affinity
from .atomic import atomic_write, atomic_write_json, is_remote, remove_parts
from .coco_instances import describe_object, merge_instances, read_instances, write_instances
from .errors import DataError
from .feature_tables import read_feature_table, write_feature_table
from .features import read_features, write_features
from .image_ids import check_image_id
from .masks import IGNORE_COLOR, class_of_index, read_class_mask, read_mask, write_mask
from .parallel import map_parallel
from .pixel_weights import FULL_WEIGHT, read_pixel_weights, write_pixel_weights
from .rle import decode_rle, decode_runs, encode_rle
from .seeds import read_seeds, write_seeds
from .whole_files import is_whole

__all__ = [
    'IGNORE_COLOR',
    'AffinityField',
    'DataError',
    'FULL_WEIGHT',
    'MAX_PIXELS',
    'Seeds',
    'as_stored',
    'atomic_write',
    'atomic_write_json',
    'check_image',
    'check_image_id',
    'class_of_index',
    'decode_rle',
    'decode_runs',
    'describe_object',
    'encode_rle',
    'is_remote',
    'is_whole',
    'map_parallel',
    'merge_instances',
    'quantize_affinity',
    'read_affinity',
    'read_feature_table',
    'read_features',
    'read_class_mask',
    'read_mask',
    'read_image',
    'read_pixel_weights',
    'read_instances',
    'read_seeds',
    'remove_parts',
    'restore_affinity',
    'size_reduction',
    'swap_channels',
    'write_affinity',
    'write_feature_table',
    'write_features',
    'write_instances',
    'write_mask',
    'write_pixel_weights',
    'write_seeds',
]
