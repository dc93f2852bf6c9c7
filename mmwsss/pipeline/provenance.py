"""What made a result: the state of the code, and the machine."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import torch

import mmwsss

_CLONE = Path(mmwsss.__file__).resolve().parents[1]
_CPU_FILE = Path('/proc/cpuinfo')


def code_state(clone: str | Path = _CLONE) -> dict[str, Any]:
    """The code that runs.

    Args:
        clone (str | Path): Folder of the Git clone that the package lies in. Defaults to the one above the package.

    Returns:
        dict: `version` of the package; `commit` (40 hexadecimal digits), and `changed`, whether tracked files differ
        from it. Both are None where the package does not lie in a clone of its own, or Git cannot be run.
    """
    top = _git(clone, 'rev-parse', '--show-toplevel')
    if not top or Path(top).resolve() != Path(clone).resolve():
        return dict(version=mmwsss.__version__, commit=None, changed=None)
    commit = _git(clone, 'rev-parse', 'HEAD') or None
    differing = _git(clone, 'status', '--porcelain', '--untracked-files=no')
    return dict(version=mmwsss.__version__, commit=commit, changed=None if differing is None else bool(differing))


def _git(folder: str | Path, *arguments: str) -> str | None:
    """Output of a command of Git; None where it fails."""
    # Without locks, so that work with Git that goes on in the clone is not disturbed.
    command = ['git', '--no-optional-locks', '-C', str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def machine() -> dict[str, Any]:
    """The machine that runs.

    Returns:
        dict: `device`, the name of the GPU, or that of the processor where there is none; `cores` that this process may
        use; `threads` of torch in a process, which `OMP_NUM_THREADS` sets.
    """
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else _processor()
    return dict(device=device, cores=len(os.sched_getaffinity(0)), threads=torch.get_num_threads())


def _processor() -> str:
    named = re.search(r'^model name\s*:\s*(.+)$', _CPU_FILE.read_text(), re.MULTILINE) if _CPU_FILE.is_file() else None
    return named[1].strip() if named else platform.machine()
