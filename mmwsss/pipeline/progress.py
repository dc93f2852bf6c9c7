"""How far a pipeline is: one line on the terminal, estimated from what the running stage tells."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


def format_seconds(seconds: float) -> str:
    """Seconds as `m:ss` or `h:mm:ss`."""
    minutes, rest = divmod(int(round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02d}:{rest:02d}' if hours else f'{minutes}:{rest:02d}'


class TimeLeft:
    """Estimates the time that a list of stages still takes.

    A stage that told how long it still takes is believed; for one that did not, and for those that follow, the
    seconds of an earlier run count, scaled by how much slower or faster this run has been so far.

    Args:
        expected (dict[str, float]): Seconds of each stage in an earlier run; stages may be missing.
        clock (callable): Seconds now. Defaults to `time.monotonic`.
    """

    def __init__(self, expected: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self.expected = dict(expected)
        self.clock = clock
        self.measured: dict[str, float] = {}
        self.stage = ''
        self.started = clock()
        self.told: tuple[float, float] | None = None

    def start(self, stage: str) -> None:
        self.stage, self.started, self.told = stage, self.clock(), None

    def tell(self, seconds_left: float | None) -> None:
        """Notes what the running stage says of itself."""
        self.told = None if seconds_left is None else (self.clock(), seconds_left)

    def finish(self) -> None:
        self.measured[self.stage] = self.clock() - self.started

    def elapsed(self) -> float:
        return self.clock() - self.started

    def _pace(self) -> float:
        known = [stage for stage in self.measured if self.expected.get(stage, 0) > 0]
        expected = sum(self.expected[stage] for stage in known)
        return sum(self.measured[stage] for stage in known) / expected if expected > 0 else 1.0

    def stage_left(self) -> float | None:
        """Seconds left of the running stage, None where nothing is known."""
        if self.told is not None:
            at, seconds = self.told
            return max(0.0, seconds - (self.clock() - at))
        if self.stage in self.expected:
            return max(0.0, self.expected[self.stage] * self._pace() - self.elapsed())
        return None

    def total_left(self, following: Sequence[str]) -> float | None:
        """Seconds left of the running stage and those that follow, None where one of them is unknown."""
        left = self.stage_left()
        if left is None or any(stage not in self.expected for stage in following):
            return None
        return left + self._pace() * sum(self.expected[stage] for stage in following)


def read_progress(path: Path) -> dict[str, Any]:
    """What :class:`mmwsss.engine.ProgressHook` wrote; empty where there is nothing yet."""
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}


class ProgressWatch:
    """Follows the command of a phase and keeps the line on the terminal up to date; a log file stays without it.

    Args:
        title (str): What the line begins with.
        left (TimeLeft): The estimate, of which the stage is the running one.
        progress_file (Path): Where the stage tells how far it is.
        following (sequence[str]): Stages that run after it.
        verbose (bool): Pass all output of the command on instead of the line. Defaults to False.
        output (callable): Where to. Defaults to `print`.
        console (Console, optional): The terminal. Defaults to standard error.
    """

    def __init__(
        self,
        title: str,
        left: TimeLeft,
        progress_file: Path,
        following: Sequence[str] = (),
        verbose: bool = False,
        output: Callable[[str], None] = print,
        console: Console | None = None,
    ) -> None:
        self.title, self.left, self.progress_file, self.following = title, left, progress_file, following
        self.verbose, self.output = verbose, output
        console = console or Console(stderr=True)
        columns = (
            TextColumn('{task.description}'),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn('{task.fields[time]}'),
        )
        self.line = Progress(
            *columns, console=console, transient=True, disable=verbose or not console.is_terminal, refresh_per_second=2
        )
        self.task = self.line.add_task(title, total=None, time='')

    def begin(self, phase: str) -> None:
        """Shows the line of a phase, until :meth:`end`."""
        self.left.tell(None)
        self.line.reset(self.task, total=None, description=f'{self.title} {phase}', time='')
        self.line.start()

    def __call__(self, line: str | None) -> None:
        """Takes a line of the command's output, or None where a second passed without one."""
        if line is not None and self.verbose:
            self.output(line)
        told = read_progress(self.progress_file)
        if told.get('seconds_left') is not None:
            self.left.tell(told['seconds_left'])
        self.line.update(self.task, completed=told.get('iteration', 0), total=told.get('total'), time=self._times())

    def _times(self) -> str:
        text = format_seconds(self.left.elapsed())
        stage, total = self.left.stage_left(), self.left.total_left(self.following)
        if stage is not None:
            text += f', {format_seconds(stage)} left'
        if total is not None and self.following:
            text += f' ({format_seconds(total)} for all)'
        return text

    def end(self) -> None:
        self.line.stop()
