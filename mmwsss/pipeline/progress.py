"""Runs the command of a step: its output goes to a log file, one line on the terminal says how far it is."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TextIO

from mmwsss.processes import end_with_parent

_ETA = re.compile(r'\beta: (?:(\d+) days?, )?(\d+):(\d\d):(\d\d)')
_COUNT = re.compile(r'\((?:train|val|test)\).*?\[\s*(\d+)/\s*(\d+)\]')
LAST_LINES = 25
TERMINATION_SECONDS = 10


def format_seconds(seconds: float) -> str:
    """Seconds as `m:ss` or `h:mm:ss`."""
    minutes, rest = divmod(int(round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02d}:{rest:02d}' if hours else f'{minutes}:{rest:02d}'


def parse_eta(line: str) -> float | None:
    """Seconds left that a log line of mmengine tells, None where it tells none."""
    found = _ETA.search(line)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


class TimeLeft:
    """Estimates the time that a list of steps still takes.

    A step that told how long it still takes is believed; for one that did not, and for those that follow, the
    seconds of an earlier run count, scaled by how much slower or faster this run has been so far.

    Args:
        expected (dict[str, float]): Seconds of each step in an earlier run; steps may be missing.
        clock (callable): Seconds now. Defaults to `time.monotonic`.
    """

    def __init__(self, expected: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self.expected = dict(expected)
        self.clock = clock
        self.measured: dict[str, float] = {}
        self.step = ''
        self.started = clock()
        self.told: tuple[float, float] | None = None

    def start(self, step: str) -> None:
        self.step, self.started, self.told = step, self.clock(), None

    def tell(self, seconds_left: float) -> None:
        """Notes what the running step says of itself."""
        self.told = (self.clock(), seconds_left)

    def finish(self) -> None:
        self.measured[self.step] = self.clock() - self.started

    def elapsed(self) -> float:
        return self.clock() - self.started

    def _pace(self) -> float:
        known = [step for step in self.measured if self.expected.get(step, 0) > 0]
        expected = sum(self.expected[step] for step in known)
        return sum(self.measured[step] for step in known) / expected if expected > 0 else 1.0

    def step_left(self) -> float | None:
        """Seconds left of the running step, None where nothing is known."""
        if self.told is not None:
            at, seconds = self.told
            return max(0.0, seconds - (self.clock() - at))
        if self.step in self.expected:
            return max(0.0, self.expected[self.step] * self._pace() - self.elapsed())
        return None

    def total_left(self, following: Sequence[str]) -> float | None:
        """Seconds left of the running step and those that follow, None where one of them is unknown."""
        left = self.step_left()
        if left is None or any(step not in self.expected for step in following):
            return None
        return left + self._pace() * sum(self.expected[step] for step in following)


class ProgressLine:
    """One line that is rewritten on a terminal, and written now and then where the output is a file.

    Args:
        stream (TextIO): Where to. Defaults to standard error.
        interval (float): Seconds between lines of a file. Defaults to 30.
    """

    def __init__(self, stream: TextIO | None = None, interval: float = 30.0) -> None:
        self.stream = stream or sys.stderr
        self.interval = 0.5 if self.stream.isatty() else interval
        self.written = time.monotonic()

    def update(self, text: str) -> None:
        now = time.monotonic()
        if now - self.written < self.interval:
            return
        self.written = now
        self.stream.write(f'\r{text:<78}' if self.stream.isatty() else f'{text}\n')
        self.stream.flush()

    def clear(self) -> None:
        if self.stream.isatty():
            self.stream.write(f'\r{"":<78}\r')
            self.stream.flush()


def describe_progress(line: str) -> str | None:
    """How far a log line of mmengine says a loop is, such as `120/400`; None where it does not."""
    found = _COUNT.search(line)
    return None if found is None else f'{found.group(1)}/{found.group(2)}'


class ProgressWatch:
    """Follows the output of a step's command and keeps the progress line up to date.

    Args:
        title (str): What the line begins with.
        left (TimeLeft): The estimate, of which the step is the running one.
        following (sequence[str]): Steps that run after it.
        verbose (bool): Pass all output on instead of the line. Defaults to False.
        output (callable): Where to. Defaults to `print`.
    """

    def __init__(
        self,
        title: str,
        left: TimeLeft,
        following: Sequence[str] = (),
        verbose: bool = False,
        output: Callable[[str], None] = print,
    ) -> None:
        self.title, self.left, self.following = title, left, following
        self.verbose, self.output = verbose, output
        self.line = ProgressLine()
        self.phase, self.position = '', ''

    def begin(self, phase: str) -> None:
        self.phase, self.position = phase, ''
        self.left.told = None

    def __call__(self, line: str | None) -> None:
        if line is not None:
            if self.verbose:
                self.output(line)
            eta = parse_eta(line)
            if eta is not None:
                self.left.tell(eta)
            self.position = describe_progress(line) or self.position
        if not self.verbose:
            self.line.update(self._text())

    def _text(self) -> str:
        text = f'{self.title} {self.phase} {self.position}'.rstrip()
        text += f', {format_seconds(self.left.elapsed())}'
        step, total = self.left.step_left(), self.left.total_left(self.following)
        if step is not None:
            text += f', {format_seconds(step)} left'
        if total is not None and self.following:
            text += f' ({format_seconds(total)} for all)'
        return text

    def end(self) -> None:
        self.line.clear()


def run_command(
    command: Sequence[str],
    log_file: Path,
    on_line: Callable[[str | None], None],
    environment: Mapping[str, str] | None = None,
    keep_open: Sequence[int] = (),
) -> int:
    """Runs a command to its end, and takes it down with this process where that is interrupted.

    Args:
        command (sequence[str]): Program and arguments.
        log_file (Path): Its output is appended here.
        on_line (callable): Receives each line of output, and None about once a second without any.
        environment (dict, optional): Variables to add. Defaults to None.
        keep_open (sequence[int]): File descriptors that the command inherits. Defaults to ().

    Returns:
        int: Its exit code; a signal's number plus 128 where it was killed.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding='utf-8',
        errors='replace',
        env={**os.environ, **(environment or {})},
        pass_fds=tuple(keep_open),
        start_new_session=True,
        preexec_fn=partial(end_with_parent, os.getpid()),
    )
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read_lines, args=(process.stdout, lines), daemon=True)
    reader.start()
    try:
        with open(log_file, 'a', encoding='utf-8') as log:
            while True:
                try:
                    line = lines.get(timeout=1.0)
                except queue.Empty:
                    on_line(None)
                    continue
                if line is None:
                    break
                log.write(line + '\n')
                log.flush()
                on_line(line)
        code = process.wait()
    except BaseException:
        _terminate(process)
        raise
    return code if code >= 0 else 128 - code


def _read_lines(stream: TextIO, lines: 'queue.Queue[str | None]') -> None:
    for line in stream:
        lines.put(line.rstrip('\n'))
    lines.put(None)


def _terminate(process: subprocess.Popen) -> None:
    """Ends a command and what it started: politely first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(TERMINATION_SECONDS)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def last_lines(path: Path, count: int = LAST_LINES) -> str:
    """The end of a log file."""
    if not path.is_file():
        return ''
    with open(path, encoding='utf-8', errors='replace') as file:
        return ''.join(deque(file, count)).rstrip()
