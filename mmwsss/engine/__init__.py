"""What the runner needs beside mmengine's own: strict checkpoint loading, mixed precision on a CPU."""

from .bfloat16 import BFloat16OptimWrapper, EvaluationPrecisionHook, has_bfloat16
from .checkpoint import (
    FINAL_CHECKPOINT,
    CheckpointMatchHook,
    FinalValidationHook,
    check_state_dict,
    find_resumable_checkpoint,
    find_trained_checkpoint,
    load_from_local,
)
from .hooks.check_classes_hook import CheckClassesHook
from .hooks.final_checkpoint_hook import FinalCheckpointHook
from .hooks.progress_hook import PROGRESS_FILE, ProgressHook
from .local_backend import AtomicLocalBackend
from .network_hooks import ChannelsLastHook, FuseConvBNHook
from .skip_bad import SKIPPED_FILE, SkipBadDataset, SkipBadTestLoop
from .vis_backends import MLflowPictureBackend, WandbRunBackend
from .visualization_hook import MapVisualizationHook, PredictionVisualizationHook

__all__ = [
    'AtomicLocalBackend',
    'BFloat16OptimWrapper',
    'ChannelsLastHook',
    'CheckClassesHook',
    'CheckpointMatchHook',
    'EvaluationPrecisionHook',
    'FINAL_CHECKPOINT',
    'FinalCheckpointHook',
    'FinalValidationHook',
    'FuseConvBNHook',
    'MLflowPictureBackend',
    'MapVisualizationHook',
    'PredictionVisualizationHook',
    'PROGRESS_FILE',
    'ProgressHook',
    'SKIPPED_FILE',
    'SkipBadDataset',
    'SkipBadTestLoop',
    'WandbRunBackend',
    'check_state_dict',
    'find_resumable_checkpoint',
    'find_trained_checkpoint',
    'has_bfloat16',
    'load_from_local',
]
