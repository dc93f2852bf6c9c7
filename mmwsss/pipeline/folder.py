"""One step of a pipeline: what it runs, what it makes, and the record of it in its folder."""

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine import fileio

from mmwsss.engine import SKIPPED_FILE, find_trained_checkpoint
from mmwsss.engine.launch import METRICS_FILE, TRAINING_FILE
from mmwsss.fileio import DataError, atomic_write, atomic_write_json, is_remote, is_whole, remove_parts

RECORD_FILE = 'step.json'
IDS_FILE = 'ids.txt'
LOG_FILE = 'log.txt'
_PHASES = {'train': ('train',), 'test': ('test',), 'train+test': ('train', 'test')}


@dataclass(frozen=True)
class Step:
    """An entry of a pipeline config's `steps`.

    Attributes:
        name (str): Also that of its folder in the work directory.
        config (str): Config file, relative to the pipeline config.
        run (str): 'train', 'test', or 'train+test'.
        checkpoint (str, optional): Step whose checkpoint is tested; only and always with 'test'.
        outputs (dict[str, str]): Patterns of the files it writes for each photograph; `{id}` is the
            photograph, other names in braces are settings.
        inputs (tuple[str], optional): Steps whose results it uses. By default, the step before it.
        options (dict): Values to override in the config, as `--cfg-options` does.
    """

    name: str
    config: str
    run: str
    checkpoint: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.run not in _PHASES:
            raise DataError(f'step {self.name}: run must be one of {list(_PHASES)}, got {self.run!r}')
        if (self.run == 'test') != (self.checkpoint is not None):
            raise DataError(f'step {self.name}: checkpoint must name a step if run is "test", and only then')

    @property
    def phases(self) -> tuple[str, ...]:
        return _PHASES[self.run]


def build_steps(entries: Iterable[Mapping[str, Any]]) -> list[Step]:
    """Builds the steps of a pipeline config and checks how they refer to each other.

    Raises:
        DataError: If an entry has an unknown or missing key, a name is there twice, or an entry refers to a
            step that is not before it.
    """
    steps: list[Step] = []
    for entry in entries:
        try:
            step = Step(**{**entry, 'inputs': _default_inputs(entry, steps)})
        except TypeError as error:
            raise DataError(f'step {entry.get("name")}: {error}') from error
        earlier = [other.name for other in steps]
        if step.name in earlier:
            raise DataError(f'step {step.name}: the name is there twice')
        for reference in step.inputs:
            if reference not in earlier:
                raise DataError(f'step {step.name}: expected a step before it, got {reference!r}')
        steps.append(step)
    if not steps:
        raise DataError('steps: expected at least one')
    return steps


def _default_inputs(entry: Mapping[str, Any], steps: list[Step]) -> tuple[str, ...]:
    inputs = entry.get('inputs')
    if inputs is None:
        inputs = [step.name for step in steps[-1:]]
    checkpoint = entry.get('checkpoint')
    return tuple(dict.fromkeys([*inputs, *([checkpoint] if checkpoint else [])]))


class StepFolder:
    """The folder of a step and the record in it, which outlives this process.

    The record holds the fingerprint of what the step is made from, which phases are finished, and once all
    are, a name of the run. Steps that use its results have that name in their fingerprint, so that a step
    that ran again makes them run again.

    Args:
        path (Path): The folder.
        step (Step): The step.
    """

    def __init__(self, path: Path, step: Step) -> None:
        self.path = path
        self.step = step

    @property
    def log_file(self) -> Path:
        return self.path / LOG_FILE

    def record(self) -> dict[str, Any]:
        """What is noted of the last run; empty where there was none.

        A record that is cut off, as a loss of power can leave it, is that of a run of which nothing is known.
        """
        path = self.path / RECORD_FILE
        if not path.is_file():
            return {}
        return json.loads(path.read_text(encoding='utf-8')) if is_whole(path) else dict(fingerprint=None)

    def run_name(self) -> str | None:
        """Name of the finished run, None where it is not finished."""
        return self.record().get('run')

    def missing_outputs(self, patterns: Mapping[str, str], ids: list[str]) -> list[str]:
        """Output files that are not there or cut off, out of those for each photograph and of the step itself."""
        missing = [path for pattern in patterns.values() for path in missing_files(pattern, ids)]
        missing += [str(path) for path in self.path.glob('*.json') if not is_whole(path)]
        if 'train' in self.step.phases and not self.has_trained():
            missing.append(str(self.path / '*.pth'))
        if 'test' in self.step.phases and not (self.path / METRICS_FILE).is_file():
            missing.append(str(self.path / METRICS_FILE))
        return missing

    def has_trained(self) -> bool:
        """Whether the last checkpoint of a training is there, and neither it nor the figures beside it is cut off."""
        checkpoint = find_trained_checkpoint(str(self.path))
        return checkpoint is not None and is_whole(checkpoint) and is_whole(self.path / TRAINING_FILE)

    def is_done(self, fingerprint: str | None, patterns: Mapping[str, str], ids: list[str]) -> bool:
        """Whether the step ran to its end from the same config and inputs, and its outputs are there."""
        record = self.record()
        if fingerprint is None or record.get('fingerprint') != fingerprint or not record.get('run'):
            return False
        return not self.missing_outputs(patterns, ids)

    def begin(self, fingerprint: str | None, patterns: Mapping[str, str], ids: list[str], afresh: bool) -> dict:
        """Prepares the folder: goes on with a run that was cut off, or removes what an older one made.

        Args:
            fingerprint (str): Of the run.
            patterns (dict[str, str]): Output files, where only `{id}` is left to fill in.
            ids (list[str]): Photographs.
            afresh (bool): Remove also what a run with the same fingerprint made.

        Returns:
            dict: The record, to be written with :meth:`write`.

        Raises:
            DataError: If the folder holds files of something else.
        """
        record = self.record()
        if record.get('fingerprint') == fingerprint and not afresh:
            record.pop('run', None)
        else:
            self.clear()
            record = dict(fingerprint=fingerprint, outputs=dict(patterns), finished=[], seconds={})
        self.path.mkdir(parents=True, exist_ok=True)
        # The record comes first: a folder without one is taken for that of something else.
        self.write(record)
        atomic_write(self.path / IDS_FILE, ''.join(f'{image_id}\n' for image_id in ids).encode())
        self._remove_remains(patterns, ids)
        return record

    def _remove_remains(self, patterns: Mapping[str, str], ids: list[str]) -> None:
        """Removes what a run that was killed, or lost its power, left half-written."""
        files = [pattern.replace('{id}', image_id) for pattern in patterns.values() for image_id in ids]
        for folder in {str(self.path), *(os.path.dirname(file) for file in files if not is_remote(file))}:
            remove_parts(folder)
        for path in self.path.glob('*.json'):
            if not is_whole(path):
                path.unlink()

    def clear(self) -> None:
        """Removes the folder and the output files of the run that is recorded in it, and nothing else."""
        record = self.record()
        if not record:
            if self.path.is_dir():
                remove_parts(self.path)
            if self.path.is_dir() and any(self.path.iterdir()):
                raise DataError(f'{self.path}: expected a folder that a pipeline made; move it away')
            return
        ids_file = self.path / IDS_FILE
        ids = ids_file.read_text(encoding='utf-8').splitlines() if ids_file.is_file() else []
        for pattern in record.get('outputs', {}).values():
            remove_files(pattern, ids)
        # The record goes last, so that the rest is still known as a pipeline's where this is cut off.
        for path in self.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != RECORD_FILE:
                path.unlink()
        shutil.rmtree(self.path)

    def write(self, record: Mapping[str, Any]) -> None:
        atomic_write_json(self.path / RECORD_FILE, record)

    def finish(self, record: dict[str, Any]) -> None:
        """Notes that the run is at its end."""
        self.write({**record, 'run': uuid.uuid4().hex})

    def skipped(self) -> set[str]:
        """Photographs that the last test with `--skip-bad` left out; empty without that flag."""
        path = self.path / SKIPPED_FILE
        if not is_whole(path):
            return set()
        return {one['image_id'] for one in json.loads(path.read_text(encoding='utf-8'))}

    def seconds(self) -> float:
        """Seconds that the phases of the recorded run took, 0 where there is none."""
        return sum(self.record().get('seconds', {}).values())

    def metrics(self) -> dict[str, float | None]:
        """What training and test measured; of the same name, that of the test."""
        metrics = {}
        for name in (TRAINING_FILE, METRICS_FILE):
            if (self.path / name).is_file():
                metrics.update(json.loads((self.path / name).read_text(encoding='utf-8')))
        return metrics


def missing_files(pattern: str, ids: Iterable[str]) -> list[str]:
    """Files of a pattern with ``{id}`` that are not there or cut off, of each photograph.

    What is in an object storage is listed, which takes a thousandth of the requests of asking for each file.
    """
    paths = [pattern.replace('{id}', image_id) for image_id in ids]
    if not is_remote(pattern):
        return [path for path in paths if not is_whole(path)]
    folder = pattern.partition('{id}')[0].rpartition('/')[0]
    found = set(fileio.list_dir_or_file(folder, list_dir=False, recursive=True))
    return [path for path in paths if path.removeprefix(f'{folder}/') not in found]


def remove_files(pattern: str, ids: Sequence[str]) -> None:
    """Removes the files of a pattern with ``{id}`` that are there, of each photograph."""
    missing = set(missing_files(pattern, ids)) if is_remote(pattern) else set()
    for image_id in ids:
        path = pattern.replace('{id}', image_id)
        if not is_remote(path):
            Path(path).unlink(missing_ok=True)
        elif path not in missing:
            fileio.remove(path)


def fill_patterns(step: Step, settings: Mapping[str, Any]) -> dict[str, str]:
    """Fills the settings into the patterns of a step's outputs, and leaves `{id}`.

    Raises:
        DataError: If a pattern names no setting, or has no `{id}`.
    """
    filled = {}
    for name, pattern in step.outputs.items():
        if '{id}' not in pattern:
            raise DataError(f'step {step.name}: outputs.{name} must hold {{id}}, got {pattern!r}')
        try:
            filled[name] = pattern.format(**{**settings, 'id': '{id}'})
        except (KeyError, IndexError, ValueError) as error:
            message = f'step {step.name}: outputs.{name}: {pattern!r} names no setting ({error})'
            raise DataError(message) from error
    return filled
