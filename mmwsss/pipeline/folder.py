"""The folder of a stage and the record in it, which outlives the process that runs the stage."""

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine import fileio

from mmwsss.engine import FINAL_CHECKPOINT, PROGRESS_FILE, SKIPPED_FILE, find_trained_checkpoint
from mmwsss.engine.launch import (
    CONFUSIONS_FILE,
    METRICS_FILE,
    TEST_STATISTICS_FILE,
    TRAIN_STATISTICS_FILE,
    TRAINING_FILE,
)
from mmwsss.engine.memory import MEMORY_FILE
from mmwsss.evaluation.records import RECORD_DIR
from mmwsss.fileio import DataError, atomic_write, atomic_write_json, is_remote, is_whole, remove_parts

from .fingerprint import digest_of_files
from .stages import Stage

RECORD_FILE = 'stage.json'
IDS_FILE = 'ids.txt'
LOG_FILE = 'log.txt'
_TEST_FILES = (METRICS_FILE, CONFUSIONS_FILE, SKIPPED_FILE, TEST_STATISTICS_FILE)
_OWN_FILES = (RECORD_FILE, TRAINING_FILE, METRICS_FILE, PROGRESS_FILE)


class StageFolder:
    """The work directory of a stage.

    The record holds for each phase the fingerprint of what it is made from, whether it is finished, its seconds and
    digests of its results. Phases that read a result have its digest in their fingerprint, so that a phase that gave
    something else makes them run again, and one that gave the same does not.

    Args:
        stage (Stage): The stage.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.path = stage.work_dir

    @property
    def log_file(self) -> Path:
        return self.path / LOG_FILE

    @property
    def progress_file(self) -> Path:
        return self.path / PROGRESS_FILE

    @property
    def final_checkpoint(self) -> Path:
        return self.path / FINAL_CHECKPOINT

    def record(self) -> dict[str, Any] | None:
        """What is noted of the last run by phase; None where there was none.

        A record that is cut off, as a loss of power can leave it, is that of a run of which nothing is known.
        """
        path = self.path / RECORD_FILE
        if not path.is_file():
            return None
        return json.loads(path.read_text(encoding='utf-8')) if is_whole(path) else {}

    def phase(self, phase: str) -> dict[str, Any]:
        """What is noted of a phase; empty where it has not begun."""
        return (self.record() or {}).get(phase, {})

    def digest(self, result: str) -> str | None:
        """Digest of a result of the stage: its last checkpoint or an output folder; None where it is not finished."""
        phase = self.phase('train' if result == str(self.final_checkpoint) else 'test')
        return phase.get('digests', {}).get(self._key(result)) if phase.get('finished') else None

    def _key(self, path: str) -> str:
        """A path as the record has it: what lies in the folder moves with it."""
        inside = not is_remote(path) and Path(path).is_relative_to(self.path)
        return Path(path).relative_to(self.path).as_posix() if inside else path

    def _recorded_outputs(self) -> dict[str, str | None]:
        """Folders that the recorded test wrote, and the end of the names of their files."""
        outputs = self.phase('test').get('outputs', {})
        return {key if is_remote(key) else str(self.path / key): suffix for key, suffix in outputs.items()}

    def missing(self, phase: str, ids: Sequence[str]) -> list[str]:
        """Files of a phase that are not there or cut off.

        Args:
            phase (str): 'train' or 'test'.
            ids (sequence[str]): Images that the test writes files for.
        """
        if phase == 'train':
            needed = [self.final_checkpoint, self.path / TRAINING_FILE]
            missing = [str(path) for path in needed if not is_whole(path)]
        else:
            patterns = _patterns(self.stage.outputs)
            missing = [path for pattern in patterns for path in missing_files(pattern, ids)]
            missing += [path for path, suffix in self.stage.outputs.items() if suffix is None and not _is_there(path)]
            missing += [str(self.path / METRICS_FILE)] * (not is_whole(self.path / METRICS_FILE))
        if phase == self.stage.phases[-1]:
            missing += [str(path) for path in self._other_files() if not is_whole(path)]
        return missing

    def _other_files(self) -> Iterator[Path]:
        """What commands leave beside the results, such as memory and the records of a report."""
        yield from (path for path in sorted(self.path.glob('*.json')) if path.name not in _OWN_FILES)
        yield from (path for path in sorted((self.path / RECORD_DIR).rglob('*')) if path.is_file())

    def is_done(self, phase: str, fingerprint: str | None, ids: Sequence[str]) -> bool:
        """Whether a phase ran to its end from the same config and inputs, and its results are there."""
        noted = self.phase(phase)
        if fingerprint is None or noted.get('fingerprint') != fingerprint or not noted.get('finished'):
            return False
        return not self.missing(phase, ids)

    def begin(self, phase: str, fingerprint: str | None, ids: Sequence[str], afresh: bool) -> None:
        """Prepares the folder: goes on with a phase that was cut off, or removes what an older one made.

        Args:
            phase (str): 'train' or 'test'.
            fingerprint (str): Of what it is made from.
            ids (sequence[str]): Images that the test writes files for.
            afresh (bool): Remove also what a phase with the same fingerprint made.

        Raises:
            DataError: If the folder holds files of something else.
        """
        known = self.phase(phase)
        goes_on = bool(known) and known.get('fingerprint') == fingerprint and not afresh
        if not goes_on:
            self.clear(phase)
            known = dict(fingerprint=fingerprint, seconds=0.0)
            if phase == 'test':
                known['outputs'] = {self._key(folder): suffix for folder, suffix in self.stage.outputs.items()}
        self.path.mkdir(parents=True, exist_ok=True)
        # The record comes first: a folder without one is taken for that of something else.
        self.note(phase, {**known, 'finished': False})
        if phase == 'test':
            shutil.rmtree(self.path / RECORD_DIR, ignore_errors=True)
            atomic_write(self.path / IDS_FILE, ''.join(f'{image_id}\n' for image_id in ids).encode())
        self._remove_remains(ids)

    def _remove_remains(self, ids: Sequence[str]) -> None:
        """Removes what a run that was killed, or lost its power, left half-written."""
        folders = {str(self.path)}
        for pattern in _patterns(self.stage.outputs):
            if not is_remote(pattern):
                folders.update(os.path.dirname(path) for path in _fill(pattern, ids))
        for folder in folders:
            remove_parts(folder)
        for path in self.path.glob('*.json'):
            if not is_whole(path):
                path.unlink()
        self.progress_file.unlink(missing_ok=True)

    def clear(self, phase: str) -> None:
        """Removes what a phase made, and what was made of it: of a test its outputs, of a training the folder.

        Raises:
            DataError: If the folder holds files of something else.
        """
        record = self.record()
        if record is None:
            if self.path.is_dir():
                remove_parts(self.path)
            if self.path.is_dir() and any(self.path.iterdir()):
                raise DataError(
                    f'{self.path}: expected a folder that a pipeline made; move it away, or run in another one with '
                    '--run-dir'
                )
            return
        self._clear_outputs(self._recorded_outputs())
        if phase == 'test' and record:
            for name in _TEST_FILES:
                (self.path / name).unlink(missing_ok=True)
            return
        # The record goes last, so that the rest is still known as a pipeline's where this is cut off.
        for path in self.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != RECORD_FILE:
                path.unlink()
        shutil.rmtree(self.path)

    def _clear_outputs(self, outputs: Mapping[str, str | None]) -> None:
        ids_file = self.path / IDS_FILE
        ids = ids_file.read_text(encoding='utf-8').splitlines() if ids_file.is_file() else []
        for pattern in _patterns(outputs):
            remove_files(pattern, ids)
        for folder, suffix in outputs.items():
            if suffix is None and Path(folder).is_relative_to(self.path):
                shutil.rmtree(folder, ignore_errors=True)

    def note(self, phase: str, values: Mapping[str, Any]) -> None:
        """Adds values to what is noted of a phase."""
        record = self.record() or {}
        atomic_write_json(self.path / RECORD_FILE, {**record, phase: {**record.get(phase, {}), **values}})

    def note_maker(self, phase: str, maker: Mapping[str, Any], resumed: bool) -> None:
        """Notes which code on which machine runs a phase; of a phase that goes on, also those before."""
        before = self.phase(phase).get('made_by', []) if resumed else []
        self.note(phase, dict(made_by=[*(one for one in before if one != maker), dict(maker)]))

    def makers(self) -> dict[str, list[dict[str, Any]]]:
        """What made each phase: `version`, `commit`, `changed`, `device`, `cores` and `threads`."""
        return {phase: self.phase(phase).get('made_by', []) for phase in self.stage.phases}

    def finish(self, phase: str, ids: Iterable[str]) -> None:
        """Notes that a phase is at its end, with digests of its results."""
        if phase == 'train':
            path = str(self.final_checkpoint)
            digests = {self._key(path): digest_of_files([path], str(self.path))}
        else:
            digests = {self._key(path): _digest(path, suffix, ids) for path, suffix in self.stage.outputs.items()}
        self.note(phase, dict(finished=True, digests=digests))

    def has_begun_training(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return find_trained_checkpoint(str(self.path)) is not None

    def is_finished(self) -> bool:
        """Whether all phases of the recorded run came to their end."""
        return all(self.phase(phase).get('finished') for phase in self.stage.phases)

    def skipped(self) -> set[str]:
        """Images that the last test with `--skip-bad` left out; empty without that flag."""
        path = self.path / SKIPPED_FILE
        if not is_whole(path):
            return set()
        return {one['image_id'] for one in json.loads(path.read_text(encoding='utf-8'))}

    def seconds(self) -> float:
        """Seconds that the phases of the recorded run took, 0 where there is none."""
        return sum(self.phase(phase).get('seconds', 0.0) for phase in self.stage.phases)

    def memory(self) -> dict[str, dict[str, int]]:
        """Peak memory in MB of each phase, as :func:`mmwsss.engine.memory.note_memory` noted it."""
        return self._read(MEMORY_FILE)

    def metrics(self) -> dict[str, float | None]:
        """What training and test measured; of the same name, that of the test."""
        return {**self._read(TRAINING_FILE), **self.test_metrics()}

    def test_metrics(self) -> dict[str, float | None]:
        """What the test measured."""
        return self._read(METRICS_FILE)

    def statistics(self) -> dict[str, dict[str, Any]]:
        """What training and test measured without masks, by name."""
        return {**self._read(TRAIN_STATISTICS_FILE), **self._read(TEST_STATISTICS_FILE)}

    def _read(self, name: str) -> dict[str, Any]:
        path = self.path / name
        return json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}


def _patterns(outputs: Mapping[str, str | None]) -> list[str]:
    """Files for each image, with ``{id}`` for it."""
    return [os.path.join(folder, f'{{id}}{suffix}') for folder, suffix in outputs.items() if suffix is not None]


def _fill(pattern: str, ids: Iterable[str]) -> list[str]:
    return [pattern.replace('{id}', image_id) for image_id in ids]


def _is_there(folder: str) -> bool:
    return is_remote(folder) or os.path.isdir(folder)


def _digest(folder: str, suffix: str | None, ids: Iterable[str]) -> str:
    """Digest of an output folder; in an object storage, one that no other run has."""
    if is_remote(folder):
        return uuid.uuid4().hex
    if suffix is None:
        files = [str(path) for path in Path(folder).rglob('*') if path.is_file()]
    else:
        files = [path for path in _fill(os.path.join(folder, f'{{id}}{suffix}'), ids) if os.path.isfile(path)]
    return digest_of_files(files, folder)


def missing_files(pattern: str, ids: Iterable[str]) -> list[str]:
    """Files of a pattern with ``{id}`` that are not there or cut off, of each image.

    What is in an object storage is listed, which takes a thousandth of the requests of asking for each file.
    """
    paths = _fill(pattern, ids)
    if not is_remote(pattern):
        return [path for path in paths if not is_whole(path)]
    folder = pattern.partition('{id}')[0].rpartition('/')[0]
    found = set(fileio.list_dir_or_file(folder, list_dir=False, recursive=True))
    return [path for path in paths if path.removeprefix(f'{folder}/') not in found]


def remove_files(pattern: str, ids: Sequence[str]) -> None:
    """Removes the files of a pattern with ``{id}`` that are there, of each image."""
    missing = set(missing_files(pattern, ids)) if is_remote(pattern) else set()
    for path in _fill(pattern, ids):
        if not is_remote(path):
            Path(path).unlink(missing_ok=True)
        elif path not in missing:
            fileio.remove(path)
