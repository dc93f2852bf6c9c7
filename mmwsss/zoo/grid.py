"""A grid: methods x networks x data x seeds, each cell of it the stages of one method."""

import itertools
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmwsss.engine.config_loading import run_folder
from mmwsss.fileio import DataError
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.options import options_by_stage
from mmwsss.pipeline.runner import RESULTS_FILE, Pipeline, StageFailed
from mmwsss.pipeline.stages import load_leaves
from mmwsss.report import write_report

from .rows import Row, replace_rows, rows_of

LEAVES = 'configs/{method}/{data}/{network}'
_SEED = 'randomness.seed='
_AXES = ('method', 'network', 'data')
_PEER_KEYS = ('method', 'network', 'data', 'rung', 'mIoU', 'measured_on', 'images', 'source', 'ground_truth')


@dataclass(frozen=True)
class Cell:
    """One run of a grid.

    Attributes:
        method (str): Such as 'fast'.
        network (str): Such as 'efficientnet_lite1'.
        data (str): Name of the images; the cells of one name are in one table.
        seed (int): Of all stages.
        leaves (tuple[str]): Configs of stages, or folders of them.
        options (tuple[str]): ``STAGE.key=value``. Defaults to ().
        variant (str): What tells apart cells of one method, network and data, such as 'without PAR'. Defaults to ''.
        ground_truth (str): What masks picked, beside what `results.json` says. Defaults to ''.
    """

    method: str
    network: str
    data: str
    seed: int
    leaves: tuple[str, ...]
    options: tuple[str, ...] = ()
    variant: str = ''
    ground_truth: str = ''

    @property
    def name(self) -> str:
        """The folder of its run, below that of the grid; seeds are the last part."""
        variant = re.sub(r'[^\w.+-]+', '_', self.variant)
        return '/'.join(filter(None, [self.method, self.data, self.network, variant, f'seed{self.seed}']))

    def is_named(self, name: str) -> bool:
        """Whether a name is that of the cell, or of a folder that its run lies in."""
        return f'{self.name}/'.startswith(f'{name.strip("/")}/')

    @cached_property
    def _configs(self) -> dict[str, Config]:
        """The configs of its stages."""
        return load_leaves(self.leaves, self.options)

    def all_options(self) -> list[str]:
        """Its options, with the seed for each stage whose config has another one."""
        seeds = {name: (cfg.get('randomness') or {}).get('seed') for name, cfg in self._configs.items()}
        return [*self.options, *(f'{name}.{_SEED}{self.seed}' for name, seed in seeds.items() if seed != self.seed)]

    def run_dir(self, work_dir: str | Path) -> str | None:
        """Folder of its stages; None where configs put them into several folders, which only they can name."""
        folders = {run_folder(cfg, cfg.filename) for cfg in self._configs.values()}
        return str(Path(work_dir) / self.name) if len(folders) == 1 else None

    def command(self) -> str:
        """Its command line, without the folders of a machine."""
        words = ['python tools/pipeline.py', *self.leaves, '--data-root DATA_ROOT']
        words += ['--run-dir RUN_DIR'] * (self.run_dir('') is not None)
        options = self.all_options()
        return ' '.join([*words, *(['--cfg-options', *map(shlex.quote, options)] if options else [])])

    def identity(self) -> dict[str, Any]:
        """What its rows say of it."""
        named = ('method', 'variant', 'network', 'data', 'seed', 'ground_truth')
        return dict({name: getattr(self, name) for name in named}, command=self.command())

    def made(self, results: Mapping[str, Any]) -> bool:
        """Whether results are those of its command: leaves, options and seeds are the same."""
        settings = results['settings']
        leaves = {_relative(leaf) for leaf in settings['leaves'].values()}
        if leaves != {_relative(cfg.filename) for cfg in self._configs.values()}:
            return False
        ran = {name: [one for one in given if not one.startswith(_SEED)] for name, given in settings['options'].items()}
        asked = options_by_stage(self.options, list(settings['leaves']))
        same = all(ran.get(name, []) == options for name, options in asked.items())
        return same and all(seed == self.seed for seed in settings['seeds'].values())


def _relative(path: str) -> str:
    return os.path.relpath(path).replace(os.sep, '/')


@dataclass(frozen=True)
class Grid:
    """What a grid file says.

    Attributes:
        name (str): That of the file.
        cells (tuple[Cell]): In its order.
        peers (tuple[Row]): Figures of other groups, to compare with.
    """

    name: str
    cells: tuple[Cell, ...]
    peers: tuple[Row, ...]

    def select(self, names: Sequence[str] | None) -> list[Cell]:
        """Cells that are named, or lie in a folder that is; all without names.

        Raises:
            DataError: If a name is of none.
        """
        for name in names or ():
            if not any(cell.is_named(name) for cell in self.cells):
                raise DataError(f'--only: {name!r} is no cell; expected one of {[cell.name for cell in self.cells]}')
        return [cell for cell in self.cells if not names or any(map(cell.is_named, names))]


def read_grid(path: str | Path) -> Grid:
    """Reads a grid file.

    It is a Python config with ``grid``, a list of dicts, and ``peers``, rows of figures of other groups. In an entry of
    the grid, ``method``, ``network``, ``data`` and ``seeds`` (default: 0) are one value or a list of them; each
    combination is a cell. ``leaves`` (default: ``configs/{method}/{data}/{network}``) are its configs, where the names
    stand for the values of the cell; ``options`` are ``STAGE.key=value``; ``variant`` and ``ground_truth`` as of
    :class:`Cell`.

    Args:
        path (str | Path): The file.

    Raises:
        DataError: If it cannot be read, a key is unknown or missing, configs are not there, or two cells are called the
            same.
    """
    try:
        cfg = Config.fromfile(str(path)).to_dict()
    except Exception as error:  # a config is code and fails as it likes
        raise DataError(f'{path}: the grid cannot be read ({type(error).__name__}: {error})') from error
    entries = cfg.get('grid')
    if not isinstance(entries, list) or not entries:
        raise DataError(f'{path}: expected grid, a list of dicts, got {entries!r}')
    cells = [cell for number, entry in enumerate(entries) for cell in _cells(entry, f'{path}: grid[{number}]')]
    for name, same in itertools.groupby(sorted(cell.name for cell in cells)):
        if len(list(same)) > 1:
            raise DataError(f'{path}: expected cells of different names, {name} is there twice; give one a variant')
    peers = [_peer(entry, f'{path}: peers[{number}]') for number, entry in enumerate(cfg.get('peers', ()))]
    return Grid(Path(path).stem, tuple(cells), tuple(peers))


def _cells(entry: Mapping[str, Any], place: str) -> Iterator[Cell]:
    known = {'seeds', *(field.name for field in fields(Cell))} - {'seed'}
    _check_keys(entry, _AXES, known, place)
    plain = {key: entry[key] for key in ('variant', 'ground_truth') if key in entry}
    axes = [_listed(entry[axis]) for axis in _AXES]
    for values in itertools.product(*axes):
        named = dict(zip(_AXES, values, strict=True))
        leaves = tuple(leaf.format(**named) for leaf in _listed(entry.get('leaves', LEAVES)))
        for leaf in leaves:
            if not os.path.exists(leaf):
                raise DataError(f'{place}: expected configs, {leaf} is not there')
        for seed in _listed(entry.get('seeds', 0)):
            yield Cell(**named, seed=seed, leaves=leaves, options=tuple(entry.get('options', ())), **plain)


def _peer(entry: Mapping[str, Any], place: str) -> Row:
    _check_keys(entry, ('method', 'data', 'rung', 'mIoU', 'source'), set(_PEER_KEYS), place)
    return Row(**entry)


def _check_keys(entry: Any, needed: Sequence[str], known: set[str], place: str) -> None:
    if not isinstance(entry, Mapping):
        raise DataError(f'{place}: expected a dict, got {entry!r}')
    for key in needed:
        if key not in entry:
            raise DataError(f'{place}: expected {key}')
    for key in set(entry) - known:
        raise DataError(f'{place}: unknown key {key!r}, expected one of {sorted(known)}')


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


class GridRun:
    """Runs the cells of a grid one after the other, each as a pipeline that skips what is done.

    Args:
        grid (Grid): The grid.
        work_dir (str | Path): The run of each cell lies in a folder of this one. A cell whose stages are configs of
            several methods runs where these say.
        csv (str | Path): Rows of finished cells take the place of those of the same cells here; others stay.
        launcher (Launcher): How commands of stages are started.
        data_root (str, optional): In place of that of the configs. Defaults to None.
        make_pipeline (callable): Defaults to :class:`mmwsss.pipeline.runner.Pipeline`.
    """

    def __init__(
        self,
        grid: Grid,
        work_dir: str | Path,
        csv: str | Path,
        launcher: Launcher,
        data_root: str | None = None,
        make_pipeline: Callable[..., Pipeline] = Pipeline,
    ) -> None:
        self.grid, self.work_dir, self.csv = grid, Path(work_dir), Path(csv)
        self.launcher, self.data_root = launcher, data_root
        self._make_pipeline = make_pipeline

    def pipeline(self, cell: Cell) -> Pipeline:
        """The stages of a cell."""
        run_dir = cell.run_dir(self.work_dir)
        return self._make_pipeline(cell.leaves, self.launcher, cell.all_options(), self.data_root, run_dir)

    def describe(self, only: Sequence[str] | None = None) -> str:
        """What a run would do, with the commands; nothing is written."""
        lines = []
        for cell in self.grid.select(only):
            lines += [f'{cell.name}:', *(f'  {line}' for line in self.pipeline(cell).describe().splitlines())]
        return '\n'.join(lines)

    def run(self, only: Sequence[str] | None = None, output: Callable[[str], None] = print) -> dict[str, str]:
        """Runs the cells. The CSV is written anew after each of them.

        Args:
            only (sequence[str], optional): Names of cells, or of folders of them. Defaults to None: all.
            output (callable): Receives lines for the user. Defaults to `print`.

        Returns:
            dict[str, str]: Cells that failed, and why; the others went on.
        """
        failed = {}
        replace_rows(self.csv, self.grid.peers)
        for cell in self.grid.select(only):
            output(f'{cell.name}: {cell.command()}')
            try:
                pipeline = self.pipeline(cell)
                results = pipeline.run(output=output)
                stages = [(stage.name, stage.work_dir, stage.cfg) for stage in pipeline.stages]
                write_report(pipeline.results_folder, stages, results)
                replace_rows(self.csv, rows_of(results, cell.identity(), pipeline.results_folder))
            except (DataError, StageFailed) as error:
                failed[cell.name] = str(error)
                output(f'{cell.name}: failed: {error}')
        return failed


def collect(grid: Grid, run_dirs: Sequence[str | Path], csv: str | Path, commit: str | None = None) -> dict[str, str]:
    """Takes cells of a grid from runs of `tools/pipeline.py`.

    Args:
        grid (Grid): The grid.
        run_dirs (sequence[str | Path]): Folders with `results.json`.
        csv (str | Path): As of :class:`GridRun`.
        commit (str, optional): Of runs that do not say it, which were made before it was noted. Defaults to None.

    Returns:
        dict[str, str]: The cell of each folder.

    Raises:
        DataError: If a folder has no results, they are of no cell, or do not say which code made them.
    """
    replace_rows(csv, grid.peers)
    found = {}
    for run_dir in run_dirs:
        path = Path(run_dir) / RESULTS_FILE
        if not path.is_file():
            raise DataError(f'{path}: expected the results of a run, found no such file')
        results = json.loads(path.read_text(encoding='utf-8'))
        cell = next((cell for cell in grid.cells if cell.made(results)), None)
        if cell is None:
            raise DataError(
                f'{path}: expected leaves, options and seeds of a cell of {grid.name}, got {results["settings"]}'
            )
        replace_rows(csv, rows_of(results, cell.identity(), Path(run_dir), commit))
        found[str(run_dir)] = cell.name
    return found
