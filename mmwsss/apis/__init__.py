"""Inference with trained networks."""

from .inference import Prediction, PseudoMaskInferencer, SegmentorInferencer
from .inputs import InputImage, InputImages, Video, open_source
from .prediction_writer import PredictionWriter

__all__ = [
    'InputImage',
    'InputImages',
    'Prediction',
    'PredictionWriter',
    'PseudoMaskInferencer',
    'SegmentorInferencer',
    'Video',
    'open_source',
]
