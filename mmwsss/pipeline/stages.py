"""Stages of a method: each one config, with what it writes and what it reads of the others."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmwsss.engine import FINAL_CHECKPOINT
from mmwsss.engine.config_errors import KNOWN_KEYS
from mmwsss.engine.config_loading import load_config, run_folder
from mmwsss.engine.tool_options import plain_type
from mmwsss.evaluation.metrics.streaming_metric import StreamingMetric
from mmwsss.fileio import DataError, is_remote
from mmwsss.registry import METRICS

from .fingerprint import part_of_test, part_of_training, strings
from .options import options_by_stage, parse_options

FINAL_HOOK = 'FinalCheckpointHook'
_STORED_SUFFIX = '.npz'


@dataclass(frozen=True)
class Read:
    """A result of another stage that a stage reads.

    Attributes:
        stage (str): The other one.
        path (str): As the config writes it.
        result (str): What the other stage writes: its last checkpoint, or one of its output folders.
    """

    stage: str
    path: str
    result: str


@dataclass(frozen=True)
class Stage:
    """One config of a method, as it runs.

    Attributes:
        name (str): That of the config file.
        leaf (str): The config file, as it was given.
        cfg (Config): The config, with options and folders moved.
        options (tuple[str]): ``key=value`` of the command line.
        outputs (dict[str, str | None]): Folders that the test writes, and the end of the name of the one file for each
            image in them; None where other files are written.
        reads (dict[str, tuple[Read]]): What each phase reads of other stages.
    """

    name: str
    leaf: str
    cfg: Config
    options: tuple[str, ...]
    outputs: Mapping[str, str | None]
    reads: Mapping[str, tuple[Read, ...]]

    @property
    def work_dir(self) -> Path:
        return Path(self.cfg.work_dir)

    @property
    def phases(self) -> tuple[str, ...]:
        """'train' where there is a `train_cfg`, 'test' where there are `test_cfg` and `test_dataloader`."""
        return phases_of(self.cfg)

    @property
    def checkpoint(self) -> str | None:
        """What its test loads: the end of its training, else what its config says; None for neither."""
        return str(self.work_dir / FINAL_CHECKPOINT) if 'train' in self.phases else self.cfg.get('load_from')

    @property
    def inputs(self) -> list[str]:
        """Names of the stages that it reads results of."""
        return list(dict.fromkeys(read.stage for reads in self.reads.values() for read in reads))

    def part(self, phase: str) -> dict[str, Any]:
        """Values of the config that a phase depends on."""
        return part_of(self.cfg, phase)


def phases_of(cfg: Config) -> tuple[str, ...]:
    """The phases of a config."""
    trains = cfg.get('train_cfg') is not None
    tests = cfg.get('test_cfg') is not None and cfg.get('test_dataloader') is not None
    return ('train',) * trains + ('test',) * tests


def part_of(cfg: Config, phase: str) -> dict[str, Any]:
    """Values of a config that a phase depends on."""
    return part_of_training(cfg) if phase == 'train' else part_of_test(cfg)


def find_leaves(places: Sequence[str]) -> list[str]:
    """Configs of stages: files as they are given, and those of folders, in the order of their names.

    Of a folder, files without `model` and `work_dir`, such as one that describes the data, are no stages, and a file
    such as `segmentor_fcn.py` beside `segmentor.py` is another choice for that stage, which has to be named.

    Raises:
        DataError: If there is none.
    """
    found: list[str] = []
    for place in places:
        if not os.path.isdir(place):
            found.append(place)
            continue
        stems = {path.stem for path in Path(place).glob('*.py')}
        chosen = sorted(stem for stem in stems if not any(stem.startswith(f'{other}_') for other in stems))
        files = [os.path.join(place, f'{stem}.py') for stem in chosen]
        leaves = [path for path in files if _is_stage(load_config(path))]
        if not leaves:
            raise DataError(f'{place}: expected configs of stages, with model and work_dir, found none')
        found += leaves
    return found


def _is_stage(cfg: Config) -> bool:
    return cfg.get('model') is not None and cfg.get('work_dir') is not None


def build_stages(
    places: Sequence[str],
    options: Iterable[str] = (),
    data_root: str | None = None,
    run_dir: str | None = None,
) -> list[Stage]:
    """Reads the configs of stages and puts them in order.

    Args:
        places (sequence[str]): Config files, or folders of them. Files run in the order in which they are given; with a
            folder, a stage comes after those that it reads.
        options (iterable[str]): ``STAGE.key=value``. Defaults to ().
        data_root (str, optional): As of :func:`load_config`. Defaults to None.
        run_dir (str, optional): As of :func:`load_config`; the folders of all stages must lie side by side. Defaults to
            None.

    Raises:
        DataError: If a config cannot be used, two are called the same or write into one folder, one reads what no
            stage writes, or the order is impossible.
    """
    names = _names(find_leaves(places))
    chosen = options_by_stage(options, list(names))
    if run_dir is not None:
        _check_side_by_side(list(names.values()))
    configs = _load(names, chosen, data_root, run_dir)
    for name, cfg in configs.items():
        _check_config(name, names[name], cfg)
    _check_folders(configs)
    outputs = {name: dict(_outputs(cfg)) for name, cfg in configs.items()}
    stages = [
        Stage(name, leaf, configs[name], tuple(chosen[name]), outputs[name], _reads(name, configs, outputs))
        for name, leaf in names.items()
    ]
    return sort_stages(stages) if any(map(os.path.isdir, places)) else check_order(stages)


def load_leaves(
    places: Sequence[str],
    options: Iterable[str] = (),
    data_root: str | None = None,
    run_dir: str | None = None,
) -> dict[str, Config]:
    """Reads the configs of stages by name, whether or not they fit together; arguments as of :func:`build_stages`."""
    names = _names(find_leaves(places))
    return _load(names, options_by_stage(options, list(names)), data_root, run_dir)


def _load(
    names: Mapping[str, str], options: Mapping[str, Sequence[str]], data_root: str | None, run_dir: str | None
) -> dict[str, Config]:
    return {name: load_config(leaf, parse_options(options[name]), data_root, run_dir) for name, leaf in names.items()}


def _names(leaves: Sequence[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for leaf in leaves:
        name = Path(leaf).stem
        if name in names:
            raise DataError(f'{leaf}: expected stages of different names, {names[name]} is called {name} too')
        names[name] = leaf
    return names


def _check_side_by_side(leaves: Sequence[str]) -> None:
    folders = {leaf: run_folder(load_config(leaf), leaf) for leaf in leaves}
    first, *others = folders
    for leaf in others:
        if folders[leaf] != folders[first]:
            raise DataError(
                f'--run-dir: expected stages with work_dir in one folder, {first} has {folders[first]} and {leaf} has '
                f'{folders[leaf]}'
            )


def _check_config(name: str, leaf: str, cfg: Config) -> None:
    if not _is_stage(cfg):
        raise DataError(f'{leaf}: expected a stage, with model and work_dir')
    phases = phases_of(cfg)
    if not phases:
        raise DataError(f'{leaf}: expected a train_cfg, or test_cfg and test_dataloader')
    hooks = [*(cfg.get('default_hooks') or {}).values(), *(cfg.get('custom_hooks') or [])]
    if 'train' in phases and not any(hook and plain_type(hook['type']) == FINAL_HOOK for hook in hooks):
        raise DataError(
            f"{leaf}: {name} would leave no {FINAL_CHECKPOINT}, expected dict(type='mmwsss.{FINAL_HOOK}') among its "
            'default_hooks'
        )


def _check_folders(configs: Mapping[str, Config]) -> None:
    for name, cfg in configs.items():
        for other, its in configs.items():
            if name != other and is_below(cfg.work_dir, its.work_dir):
                raise DataError(f'{name}: expected a work_dir of its own, {cfg.work_dir} is that of {other}')


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies below it."""
    if not is_remote(path):
        path = os.path.abspath(path)
    if not is_remote(folder):
        folder = os.path.abspath(folder)
    return path == folder or path.startswith(folder.rstrip('/') + '/')


def _outputs(cfg: Config) -> Iterator[tuple[str, str | None]]:
    """Folders that a test writes; a relative one of our components lies in the work directory."""
    if 'test' not in phases_of(cfg):
        return
    evaluators = cfg.get('test_evaluator') or []
    for evaluator in [evaluators] if isinstance(evaluators, dict) else evaluators:
        folder = evaluator.get('output_dir')
        if not folder:
            continue
        metric = METRICS.get(evaluator['type']) if isinstance(evaluator['type'], str) else evaluator['type']
        if isinstance(metric, type) and issubclass(metric, StreamingMetric):
            yield _below_work_dir(cfg, folder), metric.file_suffix
            if evaluator.get('weight_dir'):
                yield _below_work_dir(cfg, evaluator['weight_dir']), metric.file_suffix
        else:
            yield folder, None
    for key in ('affinity_dir', 'feature_dir'):
        stored = cfg.test_cfg.get(key)
        if stored:
            yield _below_work_dir(cfg, stored), _STORED_SUFFIX


def _below_work_dir(cfg: Config, folder: str) -> str:
    return folder if is_remote(folder) or os.path.isabs(folder) else os.path.join(cfg.work_dir, folder)


def _reads(
    name: str, configs: Mapping[str, Config], outputs: Mapping[str, Mapping[str, str | None]]
) -> dict[str, tuple[Read, ...]]:
    cfg = configs[name]
    named = strings({key: value for key, value in cfg.items() if key in KNOWN_KEYS})
    found = {
        path: Read(other, path, _result(name, path, other, configs[other], outputs[other]))
        for path in named
        for other in configs
        if other != name and is_below(path, configs[other].work_dir)
    }
    parts = {phase: set(strings(part_of(cfg, phase))) for phase in phases_of(cfg)}
    return {phase: tuple(read for path, read in found.items() if path in part) for phase, part in parts.items()}


def _result(name: str, path: str, other: str, cfg: Config, outputs: Mapping[str, str | None]) -> str:
    written = [str(Path(cfg.work_dir, FINAL_CHECKPOINT))] if 'train' in phases_of(cfg) else []
    written += outputs
    for result in written:
        if is_below(path, result):
            return result
    listed = ', '.join(written) or 'nothing'
    raise DataError(f'{name}: reads {path}, which {other} does not write; it writes {listed}')


def check_order(stages: Sequence[Stage]) -> list[Stage]:
    """Refuses stages of which one comes before one that it reads.

    Raises:
        DataError: Naming both.
    """
    for number, stage in enumerate(stages):
        for other in stages[number + 1 :]:
            for read in (read for reads in stage.reads.values() for read in reads if read.stage == other.name):
                raise DataError(f'{stage.name}: reads {read.path}, expected {other.name} before it')
    return list(stages)


def sort_stages(stages: Sequence[Stage]) -> list[Stage]:
    """Puts each stage after those that it reads, and else leaves the order.

    Raises:
        DataError: If stages read each other.
    """
    left = list(stages)
    ordered: list[Stage] = []
    while left:
        done = {stage.name for stage in ordered}
        following = next((stage for stage in left if done.issuperset(stage.inputs)), None)
        if following is None:
            raise DataError(f'{" and ".join(stage.name for stage in left)}: each reads what another one writes')
        ordered.append(following)
        left.remove(following)
    return ordered


def common_folder(stages: Sequence[Stage]) -> Path:
    """The folder that holds the work directories of all stages."""
    parents = [os.path.abspath(stage.work_dir.parent) for stage in stages]
    common = os.path.commonpath(parents)
    own = stages[0].work_dir.parent
    return own if os.path.abspath(own) == common else Path(common)
