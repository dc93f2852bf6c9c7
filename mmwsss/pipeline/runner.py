"""Runs the stages of a method in order: skips what is done, resumes what was cut off, ends with a table."""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from mmengine.dataset import BaseDataset

from mmwsss.evaluation.functional.label_statistics import describe_image_labels
from mmwsss.evaluation.functional.verdict import (
    NOTHING_LEARNT,
    are_nearly_all_background,
    describe_background,
    skill,
)
from mmwsss.fileio import DataError, atomic_write, atomic_write_json

from .command import Launcher, last_lines, run_command
from .fingerprint import fingerprint
from .folder import StageFolder
from .lock import locked
from .preflight import check_phases, count_images, load_dataset
from .progress import ProgressWatch, TimeLeft, format_seconds
from .provenance import code_state, machine
from .results import measured_on, rungs, summarize
from .stages import Stage, build_stages, common_folder

RESULTS_FILE = 'results.json'
LOOK_AT_FILE = 'look_at.txt'


class StageFailed(RuntimeError):
    """A stage ended with an error.

    Attributes:
        code (int): Exit code of its command.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class LabelsRefused(StageFailed):
    """A stage was not started, since the labels that it would train on are nearly all background.

    Attributes:
        results (dict): Those of the stages before it, as of :meth:`Pipeline.run`.
    """

    def __init__(self, message: str, results: dict[str, Any]) -> None:
        super().__init__(message, 1)
        self.results = results


class Pipeline:
    """The stages of a method, each one config.

    Args:
        places (sequence[str]): Config files, or folders of them, as of :func:`build_stages`.
        launcher (Launcher): How commands are started.
        options (iterable[str]): ``STAGE.key=value``. Defaults to ().
        data_root (str, optional): Takes the place of the configs' own. Defaults to None.
        run_dir (str, optional): Takes the place of the folder of the stages. Defaults to None.
        runner (callable): Runs a command, as :func:`run_command` does.
        skip_bad (bool): Go on without images whose files cannot be used. Defaults to False.
        go_on (bool): Also train on labels that are nearly all background. Defaults to False.

    Raises:
        DataError: If a config cannot be used, or stages do not fit together.
    """

    def __init__(
        self,
        places: Sequence[str],
        launcher: Launcher,
        options: Iterable[str] = (),
        data_root: str | None = None,
        run_dir: str | None = None,
        runner: Callable[..., int] = run_command,
        skip_bad: bool = False,
        go_on: bool = False,
    ) -> None:
        self.places, self.options = tuple(places), tuple(options)
        self.stages = build_stages(self.places, self.options, data_root, run_dir)
        self.run_folder = common_folder(self.stages)
        self.folders = {stage.name: StageFolder(stage) for stage in self.stages}
        self.launcher = launcher
        self.data_root, self.run_dir = data_root, run_dir
        self.runner = runner
        self.skip_bad, self.go_on = skip_bad, go_on
        self._loaded = cache(self._load)

    @property
    def results_folder(self) -> Path:
        """Where the results lie: beside the folder of the last stage, of a method or of a combination of methods."""
        return self.stages[-1].work_dir.parent

    def _load(self, name: str) -> tuple[BaseDataset | None, list[dict]]:
        cfg = self._stage(name).cfg
        return load_dataset(name, cfg.get('test_dataloader'), cfg.get('default_scope', 'mmseg'))

    def _samples(self, name: str) -> list[dict]:
        return self._loaded(name)[1]

    def ids_of(self, stage: Stage) -> list[str]:
        """Images that the test of a stage writes a file for."""
        if not any(stage.outputs.values()):
            return []
        return [sample['image_id'] for sample in self._samples(stage.name) if 'image_id' in sample]

    def _expected_ids(self, stage: Stage) -> list[str]:
        """Of :meth:`ids_of`, those whose files must be there once the test is done."""
        skipped = self.folders[stage.name].skipped() if self.skip_bad else set()
        return [image_id for image_id in self.ids_of(stage) if image_id not in skipped]

    def fingerprint(self, stage: Stage, phase: str) -> str | None:
        """What a phase is made from; None as long as something that it uses is not done."""
        inputs = {}
        if phase == 'test' and 'train' in stage.phases:
            if not self.is_done(stage, 'train'):
                return None
            checkpoint = str(self.folders[stage.name].final_checkpoint)
            inputs[checkpoint] = self.folders[stage.name].digest(checkpoint)
        for read in stage.reads[phase]:
            if not self._is_made(read.stage, read.result):
                return None
            inputs[read.path] = self.folders[read.stage].digest(read.result)
        if None in inputs.values():
            return None
        return fingerprint(stage.part(phase), str(self.run_folder), {path: str(one) for path, one in inputs.items()})

    def _is_made(self, name: str, result: str) -> bool:
        phase = 'train' if result == str(self.folders[name].final_checkpoint) else 'test'
        return self.is_done(self._stage(name), phase)

    def is_done(self, stage: Stage, phase: str) -> bool:
        """Whether a phase need not run: what it uses is done and unchanged, and all it makes is there."""
        ids = self._expected_ids(stage) if phase == 'test' else []
        return self.folders[stage.name].is_done(phase, self.fingerprint(stage, phase), ids)

    def is_stage_done(self, stage: Stage) -> bool:
        """Whether no phase of a stage need run."""
        return all(self.is_done(stage, phase) for phase in stage.phases)

    def _stage(self, name: str) -> Stage:
        return next(stage for stage in self.stages if stage.name == name)

    def select(self, first: str | None = None, only: str | None = None) -> tuple[list[Stage], bool]:
        """Stages that are asked for.

        Args:
            first (str, optional): Begin with this one. Defaults to None.
            only (str, optional): Run no other. Defaults to None.

        Returns:
            tuple: The stages, and whether they run even if they are done.

        Raises:
            DataError: If the name is no stage, or a stage before it is not done.
        """
        name = first if only is None else only
        if name is None:
            return self.stages, False
        names = [stage.name for stage in self.stages]
        if name not in names:
            raise DataError(f'{"--only" if only else "--from"}: {name!r} is no stage; expected one of {names}')
        position = names.index(name)
        chosen = self.stages[position : position + 1] if only else self.stages[position:]
        needed = chosen[0].inputs if only else names[:position]
        for other in needed:
            if not self.is_stage_done(self._stage(other)):
                raise DataError(
                    f'stage {name}: stage {other} before it is not done, or its config or inputs have changed since; '
                    'run the pipeline without --from and --only'
                )
        return chosen, True

    def phase_command(self, stage: Stage, phase: str, resume: bool = False) -> list[str]:
        """The command line of one phase of a stage, 'train' or 'test'."""
        arguments = [stage.leaf]
        if phase == 'test' and 'train' in stage.phases:
            arguments.append(str(self.folders[stage.name].final_checkpoint))
        for flag, value in (('--data-root', self.data_root), ('--run-dir', self.run_dir)):
            if value is not None:
                arguments += [flag, value]
        arguments += ['--resume'] * resume + ['--skip-bad'] * self.skip_bad
        if stage.options:
            arguments += ['--cfg-options', *stage.options]
        return self.launcher.command(f'{phase}.py', arguments)

    def command(self) -> str:
        """The command line that runs all stages."""
        words = ['python', str(self.launcher.tools / 'pipeline.py'), *self.places]
        for flag, value in (('--data-root', self.data_root), ('--run-dir', self.run_dir)):
            if value is not None:
                words += [flag, value]
        if self.launcher.launcher != 'none':
            words += ['--launcher', self.launcher.launcher]
        if self.launcher.gpus > 1:
            words += ['--gpus', str(self.launcher.gpus)]
        words += ['--skip-bad'] * self.skip_bad + ['--go-on'] * self.go_on
        if self.options:
            words += ['--cfg-options', *self.options]
        return shlex.join(_shown(words))

    def planned(self, chosen: Sequence[Stage], forced: bool) -> dict[str, list[str]]:
        """Phases that will run of each stage, as far as it is known before.

        A phase that uses what will run may turn out to be done, where the same comes out again.
        """
        made_again: set[tuple[str, str]] = set()
        planned = {}
        for stage in chosen:
            phases = []
            for phase in stage.phases:
                uses = {self._producer(read.stage, read.result) for read in stage.reads[phase]}
                uses |= {(stage.name, 'train')} if phase == 'test' else set()
                if forced or uses & made_again or not self.is_done(stage, phase):
                    phases.append(phase)
                    made_again.add((stage.name, phase))
            planned[stage.name] = phases
        return planned

    def _producer(self, name: str, result: str) -> tuple[str, str]:
        return name, 'train' if result == str(self.folders[name].final_checkpoint) else 'test'

    def describe(self, first: str | None = None, only: str | None = None) -> str:
        """What a run would do, with the commands; nothing is written."""
        chosen, forced = self.select(first, only)
        planned, lines = self.planned(chosen, forced), []
        for stage in chosen:
            phases = planned[stage.name]
            lines.append(f'{stage.name}: {"to run" if phases else "done"}')
            lines += [f'  {shlex.join(_shown(self.phase_command(stage, phase)))}' for phase in phases]
        return '\n'.join(lines)

    def check_data(self, planned: dict[str, list[str]]) -> None:
        """Checks the data and weights of phases that will run; see :func:`check_phases`."""
        running = {name: (self._stage(name).cfg, phases) for name, phases in planned.items() if phases}
        check_phases(running, [str(stage.work_dir) for stage in self.stages], self.skip_bad)

    def run(
        self,
        first: str | None = None,
        only: str | None = None,
        verbose: bool = False,
        output: Callable[[str], None] = print,
    ) -> dict[str, Any]:
        """Runs what is asked for and is not done.

        Args:
            first (str, optional): Begin with this stage, even if it is done. Defaults to None.
            only (str, optional): Run only this stage, even if it is done. Defaults to None.
            verbose (bool): Show all output of the commands. Defaults to False.
            output (callable): Receives lines for the user. Defaults to `print`.

        Returns:
            dict: The results, which are also in `results.json` beside the folder of the last stage, with `look_at.txt`
            where there are images to look at.

        Raises:
            DataError: If data, weights or a config cannot be used; before the first stage where possible.
            StageFailed: If a command fails; its last lines are in the message.
            LabelsRefused: If a stage would train on labels that are nearly all background.
        """
        chosen, forced = self.select(first, only)
        planned = self.planned(chosen, forced)
        self.check_data(planned)
        with (
            locked(self.run_folder, [self.results_folder, *(stage.work_dir for stage in self.stages)]) as lock,
            _ended_by_signals(),
        ):
            left = TimeLeft(self._expected_seconds())
            for number, stage in enumerate(chosen, 1):
                title = f'[{number}/{len(chosen)}] {stage.name}'
                if not forced and self.is_stage_done(stage):
                    output(f'{title}: done, nothing has changed')
                    continue
                refused = self._refused_labels(stage, forced)
                if refused is not None:
                    raise LabelsRefused(refused, self.write_results())
                following = [other.name for other in chosen[number:] if planned[other.name]]
                left.start(stage.name)
                progress = self.folders[stage.name].progress_file
                watch = ProgressWatch(title, left, progress, following, verbose, output)
                self._run_stage(stage, forced, watch, lock)
                left.finish()
                output(f'{title}: {format_seconds(left.elapsed())}{self._headline(stage)}')
            return self.write_results()

    def write_results(self) -> dict[str, Any]:
        """Writes `results.json`, and `look_at.txt` where there are images to look at; gives the results."""
        results = self.summarize()
        atomic_write_json(self.results_folder / RESULTS_FILE, results)
        images = results['verdict']['images']
        if images:
            lines = (f'{image_id}\t{reason}\n' for image_id, reason in images.items())
            atomic_write(self.look_at_file, ''.join(lines).encode())
        else:
            self.look_at_file.unlink(missing_ok=True)
        return results

    @property
    def look_at_file(self) -> Path:
        """Lists the images to look at, a line each: its id, a tab and what is the matter."""
        return self.results_folder / LOOK_AT_FILE

    def _refused_labels(self, stage: Stage, forced: bool) -> str | None:
        """Why a stage should not train on the labels that it reads; None where it may."""
        if self.go_on or 'train' not in stage.phases or (self.is_done(stage, 'train') and not forced):
            return None
        for read in stage.reads['train']:
            folder, written = self.folders[read.stage], Path(read.result)
            for record in folder.statistics().values():
                if (
                    record['kind'] == 'labels'
                    and record['written'] == written.name
                    and are_nearly_all_background(record)
                ):
                    return (
                        f'stopped before {stage.name}: {describe_background(record)} in {written}, and nothing but '
                        f'background can be learnt from them; {self._cure()} (docs/when_masks_are_bad.md), or train on '
                        'them with --go-on'
                    )
        return None

    def _cure(self) -> str:
        """What to turn where labels are nearly all background."""
        for folder in self.folders.values():
            for record in folder.statistics().values():
                learnt = skill(record) if record['kind'] == 'classifier' else None
                if learnt is not None and learnt < NOTHING_LEARNT:
                    return (
                        f'the classifier of {folder.stage.name} learnt nothing: lower its learning rate, train it '
                        'longer, or check the image-level labels'
                    )
        return 'lower the background score of its label chain, or raise its alpha'

    def _run_stage(self, stage: Stage, forced: bool, watch: ProgressWatch, lock: int) -> None:
        afresh = forced and self.folders[stage.name].is_finished()
        for phase in stage.phases:
            if afresh or not self.is_done(stage, phase):
                self._run_phase(stage, phase, afresh, watch, lock)

    def _run_phase(self, stage: Stage, phase: str, afresh: bool, watch: ProgressWatch, lock: int) -> None:
        folder = self.folders[stage.name]
        folder.begin(phase, self.fingerprint(stage, phase), self.ids_of(stage) if phase == 'test' else [], afresh)
        resumed = phase == 'train' and folder.has_begun_training()
        before = folder.phase(phase).get('seconds', 0.0) if resumed else 0.0
        folder.note_maker(phase, {**code_state(), **machine()}, resumed)
        watch.begin(f'{phase}, resumed' if resumed else phase)
        started = time.monotonic()
        try:
            code = self.runner(self.phase_command(stage, phase, resumed), folder.log_file, watch, keep_open=(lock,))
        finally:
            watch.end()
            folder.note(phase, dict(seconds=before + time.monotonic() - started))
        if code != 0:
            raise StageFailed(
                f'{last_lines(folder.log_file)}\n\nstage {stage.name} failed with exit code {code}; all its output is '
                f'in {folder.log_file}',
                code,
            )
        ids = self._expected_ids(stage) if phase == 'test' else []
        missing = folder.missing(phase, ids)
        if missing:
            raise StageFailed(
                f'stage {stage.name} ended without writing {len(missing)} of its files, such as '
                f'{", ".join(missing[:3])}; its output is in {folder.log_file}',
                1,
            )
        folder.finish(phase, ids)

    def _headline(self, stage: Stage) -> str:
        metrics = self.folders[stage.name].test_metrics()
        shown = [(rung, metrics[metric]) for rung, metric in rungs(stage.name, metrics).items()]
        return ', '.join(['', *(f'{rung} {value:.2f}' for rung, value in shown if value is not None)])

    def _expected_seconds(self) -> dict[str, float]:
        """Seconds of each stage in an earlier run here."""
        return {name: folder.seconds() for name, folder in self.folders.items() if folder.is_finished()}

    def summarize(self) -> dict[str, Any]:
        """Collects the results of the stages that are done, of this run and of earlier ones."""
        done = [self.folders[stage.name] for stage in self.stages if self.is_stage_done(stage)]
        tested = next((stage.name for stage in self.stages if 'test' in stage.phases), None)
        dataset, samples = self._loaded(tested) if tested else (None, [])
        counts = count_images(samples) if tested else {}
        labels = [sample['gt_class_ids'] for sample in samples if 'gt_class_ids' in sample]
        image_labels = None
        if dataset is not None and labels:
            image_labels = describe_image_labels(labels, dataset.metainfo['classes'])
        settings = dict(
            command=self.command(),
            leaves={stage.name: stage.leaf for stage in self.stages},
            options={stage.name: list(stage.options) for stage in self.stages if stage.options},
            seeds={stage.name: (stage.cfg.get('randomness') or {}).get('seed') for stage in self.stages},
            data_root=self.data_root,
            run_dir=self.run_dir,
        )
        measured = {
            folder.stage.name: measured_on(folder.stage.cfg, self._samples(folder.stage.name))
            for folder in done
            if 'test' in folder.stage.phases
        }
        return summarize(self.stages, done, settings, counts, measured, image_labels)


def _shown(command: Sequence[str]) -> list[str]:
    """A command as one would type it."""
    shown = ['python' if part == sys.executable else part for part in command]
    here = os.getcwd() + os.sep
    return [part.removeprefix(here) if part.endswith('.py') else part for part in shown]


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Lets SIGTERM end this process as an exception does, which takes the running command down too."""

    def stop(number: int, _frame: Any) -> None:
        sys.exit(128 + number)

    try:
        previous = signal.signal(signal.SIGTERM, stop)
    except ValueError:
        # Signals can only be handled in the main thread.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
