"""Processes that this package starts: none outlives the one that started it, even where that is killed."""

import ctypes
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import cv2
import torch

_PR_SET_PDEATHSIG = 1  # of Linux's sys/prctl.h


def end_with_parent(parent: int | None = None) -> None:
    """Has the kernel end this process where the one that started it is killed, which can then end nothing itself.

    Only Linux can. It looks at the thread that started this process, which should be one that stays.

    Args:
        parent (int, optional): Process id of the parent; where that is gone already, this process ends at once.
            Defaults to None: not looked at.
    """
    prctl = getattr(ctypes.CDLL(None), 'prctl', None)
    if prctl is None:
        return
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


@cache
def end_forks_with_this_process() -> None:
    """Has every process that the main thread forks from now on end with this one, such as the workers of data loaders.

    A worker whose results nobody takes any more would wait for ever to be rid of them, and hold the lock of a pipeline
    meanwhile.
    """
    parents: list[int] = []

    def before() -> None:
        parents[:] = [os.getpid()] if threading.current_thread() is threading.main_thread() else []

    def in_child() -> None:
        if parents:
            end_with_parent(parents[0])

    os.register_at_fork(before=before, after_in_child=in_child)


def worker_pool(num_workers: int, backends: Sequence[type] = ()) -> ProcessPoolExecutor:
    """Processes of one thread each for work that Python or one core would hold up; they end with this one.

    They are spawned, as a fork of a process with OpenMP's threads may hang.

    Args:
        num_workers (int): Number of processes, at least 1.
        backends (sequence[type]): File backends that the workers need. Handing them over imports their modules, which
            register them. Defaults to ().
    """
    return ProcessPoolExecutor(num_workers, get_context('spawn'), _start_worker, (os.getpid(), tuple(backends)))


def _start_worker(parent: int, _backends: Sequence[type]) -> None:
    end_with_parent(parent)
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
