"""What the runner needs beside mmengine's own: strict checkpoint loading, mixed precision on a CPU."""

from mmwsss.fileio.local_backend import AtomicLocalBackend
from mmwsss.visualization.vis_backends import MLflowPictureBackend, WandbRunBackend

from .bfloat16 import BFloat16OptimWrapper, EvaluationPrecisionHook, has_bfloat16
from .checkpoint import (
    CheckpointMatchHook,
    FinalValidationHook,
    check_state_dict,
    find_resumable_checkpoint,
    find_trained_checkpoint,
    load_from_local,
)
from .network_hooks import ChannelsLastHook, FuseConvBNHook
from .skip_bad import SKIPPED_FILE, SkipBadDataset, SkipBadTestLoop
from .visualization_hook import MapVisualizationHook, PredictionVisualizationHook

__all__ = [
    'AtomicLocalBackend',
    'BFloat16OptimWrapper',
    'ChannelsLastHook',
    'CheckpointMatchHook',
    'EvaluationPrecisionHook',
    'FinalValidationHook',
    'FuseConvBNHook',
    'MLflowPictureBackend',
    'MapVisualizationHook',
    'PredictionVisualizationHook',
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
