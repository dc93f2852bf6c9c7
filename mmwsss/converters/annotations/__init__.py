"""Masks to annotation tools and back: COCO, Label Studio, CVAT, Pascal VOC (Datumaro) and FiftyOne."""

from .config_labels import labels_of_config
from .files import AnnotatedImage
from .label_set import IGNORED, LabelSet
from .transfer import FORMATS, ImportSummary, export_annotations, import_annotations

__all__ = [
    'AnnotatedImage',
    'FORMATS',
    'IGNORED',
    'ImportSummary',
    'LabelSet',
    'export_annotations',
    'import_annotations',
    'labels_of_config',
]
