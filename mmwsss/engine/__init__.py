"""What the runner needs beside mmengine's own: loops, hooks, strict checkpoint loading, mixed precision on a CPU."""

from mmwsss.fileio.checkpoints import load_from_local
from mmwsss.fileio.state_dicts import check_state_dict

from .bfloat16 import BFloat16OptimWrapper, has_bfloat16
from .checkpoint import (
    FINAL_CHECKPOINT,
    find_resumable_checkpoint,
    find_trained_checkpoint,
)
from .hooks import (
    PROGRESS_FILE,
    ChannelsLastHook,
    CheckClassesHook,
    CheckpointMatchHook,
    DisplacementMeanHook,
    EvaluationPrecisionHook,
    FinalCheckpointHook,
    FinalValidationHook,
    FuseConvBNHook,
    MapVisualizationHook,
    PredictionVisualizationHook,
    ProgressHook,
    RecordHook,
    TeacherHook,
)
from .loops import SKIPPED_FILE, LabelLoop, LinearProbeLoop, SkipBadTestLoop

__all__ = [
    'BFloat16OptimWrapper',
    'ChannelsLastHook',
    'CheckClassesHook',
    'CheckpointMatchHook',
    'DisplacementMeanHook',
    'EvaluationPrecisionHook',
    'FINAL_CHECKPOINT',
    'FinalCheckpointHook',
    'FinalValidationHook',
    'FuseConvBNHook',
    'LabelLoop',
    'LinearProbeLoop',
    'MapVisualizationHook',
    'PROGRESS_FILE',
    'PredictionVisualizationHook',
    'RecordHook',
    'ProgressHook',
    'SKIPPED_FILE',
    'SkipBadTestLoop',
    'TeacherHook',
    'check_state_dict',
    'find_resumable_checkpoint',
    'find_trained_checkpoint',
    'has_bfloat16',
    'load_from_local',
]
