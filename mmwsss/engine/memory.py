"""Memory of a step: how much a phase needed, and keeping what was freed."""

import ctypes
import json
import resource
from pathlib import Path

import torch

from mmwsss.fileio import atomic_write_json

MEMORY_FILE = 'memory.json'
_MEGABYTE = 2**20
# Parameters of mallopt in glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> bool:
    """Makes this process reuse the memory that it frees, where the C library is glibc.

    By default glibc gives every freed tensor of some size back to the kernel, which hands out and clears pages
    anew for the next one; on virtual machines that can take as long as the computation.

    Returns:
        bool: Whether it could be set.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is None:
        return False
    settings = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: 2**31 - 1, _M_TOP_PAD: 64 * _MEGABYTE}
    return all([mallopt(name, value) for name, value in settings.items()])


def note_memory(folder: str | Path, phase: str) -> None:
    """Writes the peak memory of this process so far to `memory.json` of a step's folder.

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
