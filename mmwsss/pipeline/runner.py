"""Runs the steps of a method in order: skips what is done, resumes what was cut off, ends with a table."""

import fcntl
import os
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmwsss.engine import find_trained_checkpoint
from mmwsss.engine.launch import load_config
from mmwsss.fileio import DataError, atomic_write_json, remove_parts

from .command import Launcher
from .fingerprint import fingerprint
from .folder import Step, StepFolder, build_steps, fill_patterns
from .preflight import check_configs, read_image_ids
from .progress import ProgressWatch, TimeLeft, format_seconds, last_lines, run_command
from .results import summarise
from .settings import load_settings, write_settings

RESULTS_FILE = 'results.json'
SETTINGS_FILE = 'settings.py'
LOCK_FILE = '.lock'
# Workers of a run that was killed look after their parent every five seconds.
LOCK_SECONDS = 20.0


def _without_masks(step: Step) -> Step:
    """A step that trains and is neither validated nor tested."""
    validation = dict.fromkeys(['val_dataloader', 'val_evaluator', 'val_cfg'])
    return replace(step, run='train', options={**step.options, **validation})


class StepFailed(RuntimeError):
    """A step ended with an error.

    Attributes:
        code (int): Exit code of its command.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Pipeline:
    """The steps of a pipeline config under its settings.

    Args:
        config_file (str): Pipeline config: `config_dir` (folder of the next two; its own by default),
            `settings` (a file), `overrides` (settings, optional),
            `work_dir` (optional), `steps` (entries of :class:`Step`), `results` (the ladder as
            `{name: (step, metric)}`), `used_ground_truth` (a note for the results, optional).
        launcher (Launcher): How commands are started.
        overrides (dict, optional): Settings to override, before those of the config. Defaults to None.
        work_dir (str, optional): Takes the place of the configured work directory. Defaults to None.
        runner (callable): Runs a command, as :func:`run_command` does.
        skip_bad (bool): Go on without photographs whose files cannot be used. Defaults to False.

    Raises:
        DataError: If the config, the settings or their lists cannot be used.
    """

    def __init__(
        self,
        config_file: str,
        launcher: Launcher,
        overrides: Mapping[str, Any] | None = None,
        work_dir: str | None = None,
        runner: Callable[..., int] = run_command,
        skip_bad: bool = False,
    ) -> None:
        config = load_config(config_file).to_dict()
        self.folder = Path(os.path.normpath(config.get('config_dir', Path(config_file).resolve().parent)))
        for key in ('settings', 'steps', 'results'):
            if key not in config:
                raise DataError(f'{config_file}: a pipeline config must have {key!r}')
        self.steps = build_steps(config['steps'])
        self.results = {name: tuple(source) for name, source in config['results'].items()}
        for name, (step, _) in self.results.items():
            self._check_is_step(step, f'results.{name}')
        self.used_ground_truth = config.get('used_ground_truth')
        self.launcher = launcher
        self.runner = runner
        self.skip_bad = skip_bad
        given = {**config.get('overrides', {}), **(overrides or {})}
        chosen_dir = work_dir or given.get('work_dir') or config.get('work_dir')
        if chosen_dir:
            given['work_dir'] = chosen_dir
        self.settings = load_settings(self.folder / config['settings'], given)
        if 'work_dir' not in self.settings:
            raise DataError(f'{config_file}: expected a work_dir in the settings or the pipeline config')
        if not self.settings.get('test_segmentor', True):
            self.steps = [_without_masks(step) if step.run == 'train+test' else step for step in self.steps]
        self.work_dir = Path(self.settings['work_dir'])
        self.folders = {step.name: StepFolder(self.work_dir / step.name, step) for step in self.steps}
        self.patterns = {step.name: fill_patterns(step, self.settings) for step in self.steps}
        self.ids = read_image_ids(self.settings)
        self.configs = self._load_configs()

    def _load_configs(self) -> dict[str, Config]:
        with tempfile.TemporaryDirectory() as temporary:
            settings_file = Path(temporary) / SETTINGS_FILE
            write_settings(settings_file, self.settings)
            configs = {
                step.name: load_config(str(self.folder / step.config), str(settings_file), dict(step.options))
                for step in self.steps
            }
        for step in self.steps:
            if 'test' not in step.phases:
                configs[step.name].pop('test_dataloader', None)
        return configs

    def ids_of(self, step: Step) -> list[str]:
        """Photographs that a step writes a file for."""
        return self.ids if self.patterns[step.name] else []

    def _expected_ids(self, step: Step) -> list[str]:
        """Of :meth:`ids_of`, those whose files must be there once the step is done."""
        skipped = self.folders[step.name].skipped() if self.skip_bad else set()
        return [image_id for image_id in self.ids_of(step) if image_id not in skipped]

    def fingerprint(self, step: Step) -> str | None:
        """What a step is made from; None as long as one of the steps it uses is not finished."""
        runs = [self.folders[name].run_name() for name in step.inputs]
        known = [run for run in runs if run is not None]
        if len(known) < len(runs):
            return None
        return fingerprint(self.configs[step.name].to_dict(), self.settings, known)

    def is_done(self, step: Step) -> bool:
        """Whether a step need not run: what it uses is done and unchanged, and all it makes is there."""
        if not all(self.is_done(self._step(name)) for name in step.inputs):
            return False
        patterns, ids = self.patterns[step.name], self._expected_ids(step)
        return self.folders[step.name].is_done(self.fingerprint(step), patterns, ids)

    def _check_is_step(self, name: str, asked_by: str) -> None:
        names = [step.name for step in self.steps]
        if name not in names:
            raise DataError(f'{asked_by}: {name!r} is no step; expected one of {names}')

    def _step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def select(self, first: str | None = None, only: str | None = None) -> tuple[list[Step], bool]:
        """Steps that are asked for.

        Args:
            first (str, optional): Begin with this one. Defaults to None.
            only (str, optional): Run no other. Defaults to None.

        Returns:
            tuple: The steps, and whether they run even if they are done.

        Raises:
            DataError: If the name is no step, or a step before it is not done.
        """
        name = first if only is None else only
        if name is None:
            return self.steps, False
        self._check_is_step(name, '--only' if only else '--from')
        position = self.steps.index(self._step(name))
        chosen = self.steps[position : position + 1] if only else self.steps[position:]
        needed = chosen[0].inputs if only else [step.name for step in self.steps[:position]]
        for name in needed:
            if not self.is_done(self._step(name)):
                raise DataError(
                    f'step {chosen[0].name}: step {name} before it is not done, or its config or '
                    'inputs have changed since; run the pipeline without --from and --only'
                )
        return chosen, True

    def phase_command(self, step: Step, phase: str, resume: bool = False) -> list[str]:
        """The command line of one phase of a step, 'train' or 'test'."""
        arguments = [str(self.folder / step.config)]
        if phase == 'test':
            arguments.append(self._checkpoint(step.checkpoint or step.name))
        arguments += ['--settings', str(self.work_dir / SETTINGS_FILE)]
        arguments += ['--work-dir', str(self.folders[step.name].path)]
        if resume:
            arguments.append('--resume')
        if self.skip_bad:
            arguments.append('--skip-bad')
        if step.options:
            arguments += ['--cfg-options', *(f'{name}={value}' for name, value in step.options.items())]
        return self.launcher.command(f'{phase}.py', arguments)

    def _checkpoint(self, name: str) -> str:
        folder = self.folders[name].path
        return find_trained_checkpoint(str(folder)) or str(folder / '<last checkpoint>.pth')

    def describe(self, first: str | None = None, only: str | None = None) -> str:
        """What a run would do, with the commands; nothing is written."""
        chosen, forced = self.select(first, only)
        lines = []
        runs_again = False
        for step in chosen:
            runs_again = runs_again or forced or not self.is_done(step)
            lines.append(f'{step.name}: {"to run" if runs_again else "done"}')
            if runs_again:
                lines += [f'  {shlex.join(self.phase_command(step, phase))}' for phase in step.phases]
        return '\n'.join(lines)

    def check_data(self) -> dict[str, int]:
        """Checks the data and weights of all steps; see :func:`check_configs`."""
        return check_configs(self.configs, [str(self.work_dir)], self.skip_bad)

    def run(
        self,
        first: str | None = None,
        only: str | None = None,
        verbose: bool = False,
        output: Callable[[str], None] = print,
    ) -> dict[str, Any]:
        """Runs what is asked for and is not done.

        Args:
            first (str, optional): Begin with this step, even if it is done. Defaults to None.
            only (str, optional): Run only this step, even if it is done. Defaults to None.
            verbose (bool): Show all output of the commands. Defaults to False.
            output (callable): Receives lines for the user. Defaults to `print`.

        Returns:
            dict: The results, which are also in `results.json` of the work directory.

        Raises:
            DataError: If data, weights or a setting cannot be used; before the first step where possible.
            StepFailed: If a command fails; its last lines are in the message.
        """
        chosen, forced = self.select(first, only)
        counts = self.check_data()
        with self._locked() as lock, _ended_by_signals():
            write_settings(self.work_dir / SETTINGS_FILE, self.settings)
            left = TimeLeft(self._expected_seconds())
            for number, step in enumerate(chosen, 1):
                title = f'[{number}/{len(chosen)}] {step.name}'
                if not forced and self.is_done(step):
                    output(f'{title}: done, nothing has changed')
                    continue
                following = [other.name for other in chosen[number:] if forced or not self.is_done(other)]
                left.start(step.name)
                self._run_step(step, forced, ProgressWatch(title, left, following, verbose, output), lock)
                left.finish()
                output(f'{title}: {format_seconds(left.elapsed())}{self._headline(step)}')
            results = self.summarise(counts)
            atomic_write_json(self.work_dir / RESULTS_FILE, results)
        return results

    def _run_step(self, step: Step, forced: bool, watch: 'ProgressWatch', lock: int) -> None:
        folder = self.folders[step.name]
        current = self.fingerprint(step)
        afresh = forced and folder.run_name() is not None
        record = folder.begin(current, self.patterns[step.name], self.ids_of(step), afresh)
        for phase in step.phases:
            trained = phase == 'train' and find_trained_checkpoint(str(folder.path)) is not None
            if phase == 'train' and phase in record['finished'] and folder.has_trained():
                continue
            command = self.phase_command(step, phase, resume=trained)
            watch.begin(f'{phase}, resumed' if trained else phase)
            before = record['seconds'].get(phase, 0.0) if trained else 0.0
            started = time.monotonic()
            try:
                code = self.runner(command, folder.log_file, watch, keep_open=(lock,))
            finally:
                watch.end()
                record['seconds'][phase] = before + time.monotonic() - started
                folder.write(record)
            if code != 0:
                raise StepFailed(
                    f'{last_lines(folder.log_file)}\n\nstep {step.name} failed with exit code '
                    f'{code}; all its output is in {folder.log_file}',
                    code,
                )
            record['finished'] = [*(name for name in record['finished'] if name != phase), phase]
            folder.write(record)
        missing = folder.missing_outputs(self.patterns[step.name], self._expected_ids(step))
        if missing:
            listed = ', '.join(missing[:3])
            raise StepFailed(
                f'step {step.name} ended without writing {len(missing)} of its files, such as '
                f'{listed}; its output is in {folder.log_file}',
                1,
            )
        folder.finish(record)

    def _headline(self, step: Step) -> str:
        metrics = self.folders[step.name].metrics()
        shown = [
            f'{name} {metrics[metric]:.2f}'
            for name, (source, metric) in self.results.items()
            if source == step.name and metrics.get(metric) is not None
        ]
        return ', '.join(['', *shown])

    def _expected_seconds(self) -> dict[str, float]:
        """Seconds of each step in an earlier run here, else as the settings expect."""
        expected = dict(self.settings.get('expected_seconds', {}))
        for name, folder in self.folders.items():
            if folder.run_name() is not None:
                expected[name] = folder.seconds()
        return expected

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Holds the work directory for this run and for commands that it leaves behind when it is killed."""
        self.work_dir.mkdir(parents=True, exist_ok=True)
        with open(self.work_dir / LOCK_FILE, 'w', encoding='utf-8') as file:
            waiting_until = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if time.monotonic() > waiting_until:
                        raise DataError(f'{self.work_dir}: another run of a pipeline is at work here') from error
                    time.sleep(0.5)
            remove_parts(self.work_dir)
            yield file.fileno()

    def summarise(self, counts: Mapping[str, int] | None = None) -> dict[str, Any]:
        """Collects the results of the steps that are done, of this run and of earlier ones."""
        done = [self.folders[step.name] for step in self.steps if self.is_done(step)]
        return summarise(done, self.results, self.settings, counts or {}, self.used_ground_truth)


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
