"""What stages left in their folders: figures, losses, pictures, memory and disk."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config

from mmwsss.engine import SKIPPED_FILE
from mmwsss.evaluation.records import BOUNDARY_NAME, RECORD_DIR, TRAINING_IMAGES

CONFUSIONS_FILE = 'confusions.json'
MEMORY_FILE = 'memory.json'
_TITLES = dict(
    cam='CAM',
    cam_best='CAM, best background score',
    cam_dcrf='CAM + dCRF',
    random_walk='random walk',
    random_walk_dcrf='random walk + dCRF',
)


def title_of(name: str) -> str:
    """What a rung of the ladder is called on the page."""
    return _TITLES.get(name, name.replace('_', ' '))


class Source(NamedTuple):
    """A folder with a file for each image.

    Attributes:
        name (str): Name of the rung that the files belong to, or '' where they belong to none.
        title (str): What the files show.
        kind (str): 'seeds', 'mask' or 'boundaries'.
        folder (Path): Where ``<image_id>.npz`` or ``<image_id>.png`` lie; the folder and the files may be missing.
        is_output (bool): Whether the stage writes them for other stages.
    """

    name: str
    title: str
    kind: str
    folder: Path
    is_output: bool = False


@dataclass(frozen=True)
class Stage:
    """A stage that has run, or will.

    Attributes:
        name (str): Such as 'cam'.
        work_dir (Path): Its folder.
        config (Config): Its resolved config.
    """

    name: str
    work_dir: Path
    config: Config

    @cached_property
    def sources(self) -> list[Source]:
        """Folders of what its test makes of images, in the order of its evaluators."""
        boundaries = self.work_dir / RECORD_DIR / BOUNDARY_NAME
        found = [Source('', 'affinity', 'boundaries', boundaries)] if boundaries.is_dir() else []
        evaluators = self.config.get('test_evaluator') or []
        return found + [
            source
            for evaluator in ([evaluators] if isinstance(evaluators, dict) else evaluators)
            if (source := self._source(evaluator)) is not None
        ]

    @property
    def trained_sources(self) -> list[Source]:
        """What its test made of images that it trained on."""
        folder = self.work_dir / RECORD_DIR / TRAINING_IMAGES
        return [Source('', self.name, 'mask', folder)] if folder.is_dir() else []

    def _source(self, evaluator: dict) -> Source | None:
        kind = evaluator['type'] if isinstance(evaluator['type'], str) else evaluator['type'].__name__
        output = evaluator.get('output_dir')
        folder = self.work_dir / (output or '')
        match kind.rpartition('.')[2]:
            case 'SeedMetric' if output:
                name = evaluator.get('prefix', 'cam') or 'seeds'
                return Source(name, title_of(name), 'seeds', folder, True)
            case 'AffinityLabelMetric' if output:
                return Source('', 'affinity labels', 'mask', folder, True)
            case 'PseudoMaskMetric':
                name = evaluator.get('prefix') or evaluator['chain']
                if output:
                    return Source(name, 'pseudo mask', 'mask', folder, True)
                return Source(name, title_of(name), 'mask', self.work_dir / RECORD_DIR / name)
            case 'SegmentorMetric':
                name = evaluator.get('prefix') or 'segmentor'
                return Source(name, title_of(name), 'mask', self.work_dir / RECORD_DIR / name)
        return None

    @cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """What its metrics kept, by name of the rung, in the order of its evaluators."""
        names = [source.name for source in self.sources]
        paths = sorted((self.work_dir / RECORD_DIR).glob('*.json'), key=lambda path: _place(path.stem, names))
        return {path.stem: _read_json(path, {}) for path in paths}

    @property
    def confusions(self) -> Iterator[tuple[str, list[str], np.ndarray]]:
        """Name of the rung, classes, and int64 (C, C) or (C, C + 1) of each confusion matrix of its test."""
        for name, noted in _read_json(self.work_dir / CONFUSIONS_FILE, {}).items():
            yield name, noted['classes'], np.asarray(noted['counts'], np.int64)

    @property
    def skipped(self) -> dict[str, str]:
        """Why its test left images out, by image id."""
        return {one['image_id']: one['reason'] for one in _read_json(self.work_dir / SKIPPED_FILE, [])}

    @property
    def memory(self) -> dict[str, int]:
        """Peak memory in MB of its phases: `process`, `worker`, `gpu`; empty where none is noted."""
        peaks: dict[str, int] = {}
        for noted in _read_json(self.work_dir / MEMORY_FILE, {}).values():
            for name, value in noted.items():
                peaks[name] = max(peaks.get(name, 0), value)
        return peaks


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


def read_megabytes(folder: Path) -> float | None:
    """Size of all files of a folder in MB, None where there is no such folder."""
    if not folder.is_dir():
        return None
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()) / 1e6


def _place(name: str, names: Sequence[str]) -> int:
    return names.index(name) if name in names else len(names)


def _read_json(path: Path, default: Any) -> Any:
    return json.loads(path.read_text(encoding='utf-8')) if path.is_file() else default
