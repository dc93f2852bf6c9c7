"""How much memory a phase of a stage needed."""

import json
import resource
from pathlib import Path

import torch

from mmwsss.fileio import atomic_write_json

MEMORY_FILE = 'memory.json'
_MEGABYTE = 2**20


def note_memory(folder: str | Path, phase: str) -> None:
    """Writes the peak memory of this process so far to `memory.json` of a stage's folder.

    In MB: `process`, this process; `worker`, the largest of the processes that it started and that have
    ended; `gpu`, tensors on the GPU, 0 without one. What other phases noted is kept.

    Args:
        folder (str | Path): The folder.
        phase (str): 'train' or 'test'.
    """
    path = Path(folder) / MEMORY_FILE
    noted = json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}
    gpu = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    # Linux counts in kilobytes.
    noted[phase] = dict(
        process=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MEGABYTE),
        worker=round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / _MEGABYTE),
        gpu=round(gpu / _MEGABYTE),
    )
    atomic_write_json(path, noted)
