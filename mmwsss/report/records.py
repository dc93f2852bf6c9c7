"""What the steps of a pipeline left in their folders: losses, confusion matrices, memory and disk."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from mmwsss.engine import SKIPPED_FILE

CONFUSIONS_FILE = 'confusions.json'
MEMORY_FILE = 'memory.json'


def read_scalars(folder: Path) -> dict[str, tuple[list[int], list[float]]]:
    """Numbers that the runs in a work directory logged, by name: iterations and values.

    Where a training was resumed, what the later run logged of an iteration counts. Of a line that was cut off, and
    of what is no number, nothing is read.
    """
    by_name: dict[str, dict[int, float]] = {}
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in path.read_text(encoding='utf-8').splitlines():
            try:
                logged = json.loads(line)
            except ValueError:
                continue
            for name, value in logged.items():
                if name not in ('step', 'iter', 'epoch') and isinstance(value, int | float) and 'step' in logged:
                    by_name.setdefault(name, {})[logged['step']] = value
    return {name: (sorted(values), [values[at] for at in sorted(values)]) for name, values in by_name.items()}


def read_losses(folder: Path) -> dict[str, tuple[list[int], list[float]]]:
    """Losses of :func:`read_scalars`; the total is left out where it has a single part."""
    losses = {
        name: values for name, values in read_scalars(folder).items() if name.startswith('loss') or '.loss' in name
    }
    if len(losses) == 2:
        losses.pop('loss', None)
    return losses


def read_confusions(work_dir: Path, steps: Iterable[str]) -> dict[str, np.ndarray]:
    """Confusion matrices that the tests of steps recorded, by name, int64 (C, C) or (C, C + 1)."""
    confusions = {}
    for step in steps:
        for name, recorded in _read_json(work_dir / step / CONFUSIONS_FILE).items():
            confusions[name] = np.asarray(recorded['counts'], np.int64)
    return confusions


def read_skipped(work_dir: Path, steps: Iterable[str]) -> dict[str, str]:
    """Why tests with `--skip-bad` left photographs out, by image id."""
    skipped: dict[str, str] = {}
    for step in steps:
        path = work_dir / step / SKIPPED_FILE
        if path.is_file():
            for one in json.loads(path.read_text(encoding='utf-8')):
                skipped.setdefault(one['image_id'], one['reason'])
    return skipped


def read_memory(folder: Path) -> dict[str, int]:
    """Peak memory in MB of the phases of a step: `process`, `worker`, `gpu`; empty where none is noted."""
    peaks: dict[str, int] = {}
    for noted in _read_json(folder / MEMORY_FILE).values():
        for name, value in noted.items():
            peaks[name] = max(peaks.get(name, 0), value)
    return peaks


def read_megabytes(folder: Path) -> float | None:
    """Size of all files of a folder in MB, None where there is no such folder."""
    if not folder.is_dir():
        return None
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()) / 1e6


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}
