"""Inference: masks of images, folders and videos from Python.

The names of ``__all__`` are stable, like the flags of the command lines and the keys of the configs: one that goes is
announced in the changelog a release before. All others may change.
"""

from .building import build_inferencer
from .export import ExportSummary, export_onnx
from .imagenet import ImageNetInferencer
from .inference import Prediction, PseudoMaskInferencer, SegmentorInferencer
from .inputs import InputImage, InputImages, Video, open_source
from .prediction_writer import PredictionWriter

__all__ = [
    'ExportSummary',
    'ImageNetInferencer',
    'InputImage',
    'InputImages',
    'Prediction',
    'PredictionWriter',
    'PseudoMaskInferencer',
    'SegmentorInferencer',
    'Video',
    'build_inferencer',
    'export_onnx',
    'open_source',
]


def __dir__() -> list[str]:
    """The public names."""
    return __all__
