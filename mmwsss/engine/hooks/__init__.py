"""Hooks of training and test."""

from .channels_last_hook import ChannelsLastHook
from .checkpoint_match_hook import CheckpointMatchHook
from .evaluation_precision_hook import EvaluationPrecisionHook
from .final_validation_hook import FinalValidationHook
from .fuse_conv_bn_hook import FuseConvBNHook
from .map_visualization_hook import MapVisualizationHook
from .prediction_visualization_hook import PredictionVisualizationHook

__all__ = [
    'ChannelsLastHook',
    'CheckpointMatchHook',
    'EvaluationPrecisionHook',
    'FinalValidationHook',
    'FuseConvBNHook',
    'MapVisualizationHook',
    'PredictionVisualizationHook',
]
