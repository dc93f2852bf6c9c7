"""How much memory a phase of a stage needed."""

import json
import multiprocessing
import resource
from pathlib import Path

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmwsss.fileio import atomic_write_json

MEMORY_FILE = 'memory.json'
_MEGABYTE = 2**20


def peak_megabytes(pid: int | str = 'self') -> int:
    """Peak resident memory of a process so far, 0 where it is gone.

    It is read from ``/proc``: what ``getrusage`` tells begins with the memory of the process that started this one.
    Pages that processes share count for each of them.

    Args:
        pid (int | str): Process on this machine. Defaults to this one.
    """
    path = Path(f'/proc/{pid}/status')
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except OSError:
        # Linux counts in kilobytes.
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return round(own / _MEGABYTE) if pid == 'self' else 0
    return next((round(int(line.split()[1]) * 1024 / _MEGABYTE) for line in lines if line.startswith('VmHWM:')), 0)


def note_memory(folder: str | Path, phase: str) -> None:
    """Writes the peak memory of this process so far to `memory.json` of a stage's folder.

    In MB: `process`, this process; `worker`, the largest of the processes that it has started and that still run, such
    as those of data loaders and label chains; `gpu`, tensors on the GPU, 0 without one. What other
    phases noted is kept.

    Args:
        folder (str | Path): The folder.
        phase (str): 'train' or 'test'.
    """
    path = Path(folder) / MEMORY_FILE
    noted = json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}
    gpu = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    workers = [peak_megabytes(child.pid) for child in multiprocessing.active_children() if child.pid is not None]
    noted[phase] = dict(process=peak_megabytes(), worker=max(workers, default=0), gpu=round(gpu / _MEGABYTE))
    atomic_write_json(path, noted)


class MemoryHook(Hook):
    """Notes the peak memory at the end of a training and of a test, while their workers still run."""

    priority = 'LOWEST'

    def after_train(self, runner: Runner) -> None:
        self._note(runner, 'train')

    def after_test(self, runner: Runner) -> None:
        self._note(runner, 'test')

    @staticmethod
    def _note(runner: Runner, phase: str) -> None:
        if is_main_process():
            note_memory(runner.work_dir, phase)
