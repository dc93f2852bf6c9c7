"""How far a training or test is, in a small file that others read."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmwsss.fileio import atomic_write
from mmwsss.registry import HOOKS

PROGRESS_FILE = 'progress.json'
INTERVAL_SECONDS = 1.0


@HOOKS.register_module()
class ProgressHook(Hook):
    """Writes ``progress.json`` of the work directory, whole, at most once a second, while a loop runs.

    It holds ``phase`` (train, val or test), ``iteration``, ``total`` (iterations of the loop) and ``seconds_left`` at
    the pace so far; during a validation within a training, ``seconds_left`` is that of the training. The file is gone
    at the end.

    Args:
        clock (callable): Seconds now. Defaults to ``time.monotonic``.
    """

    priority = 'VERY_LOW'

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._begun = (clock(), 0)
        self._written = float('-inf')
        self._train_left: float | None = None

    def before_train(self, runner: Runner) -> None:
        self._begin(runner.iter)

    def before_test(self, runner: Runner) -> None:
        self._begin(0)

    def _begin(self, done: int) -> None:
        self._begun, self._written, self._train_left = (self.clock(), done), float('-inf'), None

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        done, total = runner.iter + 1, runner.max_iters
        self._train_left = self._left(done, total)
        self._write(runner, 'train', done, total, self._train_left)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence | None = None
    ) -> None:
        self._write(runner, 'val', batch_idx + 1, len(runner.val_dataloader), self._train_left)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence | None = None
    ) -> None:
        done, total = batch_idx + 1, len(runner.test_dataloader)
        self._write(runner, 'test', done, total, self._left(done, total))

    def after_train(self, runner: Runner) -> None:
        self._remove(runner)

    def after_test(self, runner: Runner) -> None:
        self._remove(runner)

    def _left(self, done: int, total: int) -> float:
        started, before = self._begun
        return (self.clock() - started) / max(done - before, 1) * max(total - done, 0)

    def _write(self, runner: Runner, phase: str, iteration: int, total: int, seconds_left: float | None) -> None:
        if not is_main_process() or self.clock() - self._written < INTERVAL_SECONDS:
            return
        self._written = self.clock()
        seconds = None if seconds_left is None else round(seconds_left, 1)
        progress = dict(phase=phase, iteration=iteration, total=total, seconds_left=seconds)
        atomic_write(Path(runner.work_dir) / PROGRESS_FILE, json.dumps(progress).encode())

    @staticmethod
    def _remove(runner: Runner) -> None:
        if is_main_process():
            Path(runner.work_dir, PROGRESS_FILE).unlink(missing_ok=True)
