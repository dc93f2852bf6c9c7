"""The command lines of stages, and how they are run: their output goes to a log file."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

from mmwsss.fileio import DataError
from mmwsss.processes import end_with_parent

LAST_LINES = 25
TERMINATION_SECONDS = 10


@dataclass(frozen=True)
class Launcher:
    """How the commands of stages are started.

    Attributes:
        tools (Path): Folder of `train.py` and `test.py`.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'. Defaults to 'none'.
        gpus (int): Processes of each command, on a GPU each or all on the CPU. Defaults to 1.
    """

    tools: Path
    launcher: str = 'none'
    gpus: int = 1

    def __post_init__(self) -> None:
        if self.gpus < 1:
            raise DataError(f'--gpus must be at least 1, got {self.gpus}')

    def command(self, tool: str, arguments: Sequence[str]) -> list[str]:
        """The command line of a tool."""
        launcher = 'pytorch' if self.launcher == 'none' and self.gpus > 1 else self.launcher
        start = {
            'none': [sys.executable],
            'pytorch': [
                sys.executable,
                '-m',
                'torch.distributed.run',
                '--standalone',
                '--nproc_per_node',
                str(self.gpus),
            ],
            'slurm': ['srun', '--ntasks', str(self.gpus), '--gpus-per-task', '1', sys.executable],
            'mpi': ['mpirun', '-n', str(self.gpus), sys.executable],
        }[launcher]
        flags = [] if launcher == 'none' else ['--launcher', launcher]
        return [*start, str(self.tools / tool), *arguments, *flags]


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
