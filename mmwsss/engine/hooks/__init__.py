"""Hooks of training and test."""

from .channels_last_hook import ChannelsLastHook
from .check_classes_hook import CheckClassesHook
from .checkpoint_match_hook import CheckpointMatchHook
from .displacement_mean_hook import DisplacementMeanHook
from .evaluation_precision_hook import EvaluationPrecisionHook
from .final_checkpoint_hook import FinalCheckpointHook
from .final_validation_hook import FinalValidationHook
from .fuse_conv_bn_hook import FuseConvBNHook
from .map_visualization_hook import MapVisualizationHook
from .prediction_visualization_hook import PredictionVisualizationHook
from .progress_hook import PROGRESS_FILE, ProgressHook
from .record_hook import RecordHook
from .teacher_hook import TeacherHook

__all__ = [
    'PROGRESS_FILE',
    'ChannelsLastHook',
    'CheckClassesHook',
    'CheckpointMatchHook',
    'DisplacementMeanHook',
    'EvaluationPrecisionHook',
    'FinalCheckpointHook',
    'FinalValidationHook',
    'FuseConvBNHook',
    'MapVisualizationHook',
    'PredictionVisualizationHook',
    'RecordHook',
    'ProgressHook',
    'TeacherHook',
]
