"""What the runner needs beside mmengine's own: strict checkpoint loading, mixed precision on a CPU."""

from .bfloat16_optim_wrapper import BFloat16OptimWrapper
from .channels_last_hook import ChannelsLastHook
from .checkpoint import (
    CheckpointMatchHook,
    check_state_dict,
    find_resumable_checkpoint,
    find_trained_checkpoint,
    load_from_local,
)

__all__ = [
    'BFloat16OptimWrapper',
    'ChannelsLastHook',
    'CheckpointMatchHook',
    'check_state_dict',
    'find_resumable_checkpoint',
    'find_trained_checkpoint',
    'load_from_local',
]
