"""Rows of the file that a grid writes: one a rung, with all that is needed to make its figure again."""

import csv
import io
import itertools
import os
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mmwsss.fileio import DataError, atomic_write
from mmwsss.pipeline.runner import RESULTS_FILE


@dataclass(frozen=True)
class Row:
    """A figure.

    Attributes:
        method (str): Such as 'fast', or the name of a peer.
        variant (str): What differs from the plain method.
        network (str): Such as 'efficientnet_lite1'.
        data (str): Name of the images.
        seed (int | None): None of a peer.
        rung (str): Such as 'cam'.
        mIoU (float | None): In percent; None where it was not measured.
        picked (bool): Whether masks picked the best of several settings for it.
        measured_on (str): List of the images that it was measured on.
        images (int | None): How many have masks.
        stage (str): That made it.
        config (str): Of the stage.
        seconds (float | None): Of the stage, training and test.
        total_seconds (float | None): Of all stages.
        memory_mb (int | None): Peak of the process of the stage.
        gpu_mb (int | None): Peak on the GPU; None without one.
        commit (str): Of the code, 12 hexadecimal digits. Several are joined by +. '(stated)' follows one that a person
            said, where no record does.
        changed (bool): Whether the code differed from that commit.
        version (str): Of the package.
        device (str): GPU or processor.
        cores (int | None): Of the processor.
        threads (int | None): Of each process.
        ground_truth (str): What masks were used for.
        command (str): Makes the figure.
        source (str): Of the figure of a peer.
    """

    method: str
    variant: str = ''
    network: str = ''
    data: str = ''
    seed: int | None = None
    rung: str = ''
    mIoU: float | None = None
    picked: bool = False
    measured_on: str = ''
    images: int | None = None
    stage: str = ''
    config: str = ''
    seconds: float | None = None
    total_seconds: float | None = None
    memory_mb: int | None = None
    gpu_mb: int | None = None
    commit: str = ''
    changed: bool = False
    version: str = ''
    device: str = ''
    cores: int | None = None
    threads: int | None = None
    ground_truth: str = ''
    command: str = ''
    source: str = ''

    @property
    def cell(self) -> tuple[Any, ...]:
        """Rows of one cell have the same."""
        return self.data, self.method, self.variant, self.network, self.seed

    @property
    def group(self) -> tuple[str, str, str]:
        """Rows of all seeds of a cell have the same."""
        return self.method, self.variant, self.network


COLUMNS = tuple(field.name for field in fields(Row))
_YES = 'yes'
_TYPES = typing.get_type_hints(Row)


def rows_of(
    results: Mapping[str, Any], identity: Mapping[str, Any], run_dir: Path, commit: str | None = None
) -> list[Row]:
    """The rows of a run.

    Args:
        results (dict): Content of its `results.json`.
        identity (dict): `method`, `variant`, `network`, `data`, `seed`, `command` and `ground_truth` of its cell.
        run_dir (Path): Its folder, for messages.
        commit (str, optional): Of a run that does not say it. Defaults to None.

    Raises:
        DataError: If it does not say which code made a stage.
    """
    said = ' '.join(filter(None, [results['used_ground_truth'], identity['ground_truth']]))
    costs = {stage: _costs(results, stage) for stage in dict.fromkeys(results['stages'].values())}
    code = {stage: _code(results, stage, run_dir, commit) for stage in costs}
    rows = []
    for rung, value in results['ladder'].items():
        stage = results['stages'][rung]
        measured = results.get('measured_on', {}).get(stage, {})
        rows.append(
            Row(
                **{**identity, 'ground_truth': said},
                rung=rung,
                mIoU=None if value is None else round(value, 4),
                picked=rung in results['picked_with_masks'],
                measured_on=_list_name(measured.get('list')),
                images=measured.get('images'),
                stage=stage,
                config=os.path.relpath(results['settings']['leaves'][stage]).replace(os.sep, '/'),
                **costs[stage],
                **code[stage],
            )
        )
    return rows


def _list_name(path: str | None) -> str:
    """A list as a reader knows it: no folder of a machine."""
    return '' if path is None else os.path.basename(path) if os.path.isabs(path) else path


def _costs(results: Mapping[str, Any], stage: str) -> dict[str, Any]:
    noted = results.get('memory_mb', {}).get(stage, {}).values()
    return dict(
        seconds=results['seconds'][stage],
        total_seconds=results['seconds']['total'],
        memory_mb=max((one['process'] for one in noted), default=None),
        gpu_mb=max((one['gpu'] for one in noted), default=0) or None,
    )


def _code(results: Mapping[str, Any], stage: str, run_dir: Path, commit: str | None) -> dict[str, Any]:
    phases = results.get('made_by', {}).get(stage) or {'all': []}
    makers = [maker for makers in phases.values() for maker in makers]
    complete = bool(makers) and all(phases.values())
    if not complete and commit is None:
        raise DataError(
            f'{run_dir / RESULTS_FILE}: expected the code that made stage {stage}; run it again, or state it: --commit'
        )
    commits = list(dict.fromkeys(maker['commit'][:12] for maker in makers if maker['commit']))
    if not complete:
        commits.append(f'{commit} (stated)')
    last = makers[-1] if makers else results['versions']
    return dict(
        commit='+'.join(commits),
        changed=any(maker['changed'] for maker in makers),
        version=last.get('version') or results['versions']['mmwsss'],
        device=last['device'],
        cores=last.get('cores', results['versions'].get('cpus')),
        threads=last.get('threads'),
    )


def read_rows(path: str | Path) -> list[Row]:
    """Reads the file of a grid.

    Raises:
        DataError: If it is no such file, or a value cannot be read.
    """
    with open(path, encoding='utf-8', newline='') as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise DataError(f'{path}: expected the columns {", ".join(COLUMNS)}; got {reader.fieldnames}')
        return [_parse(values, f'{path}:{reader.line_num}') for values in reader]


def _parse(values: Mapping[str, str], place: str) -> Row:
    try:
        if len(values) != len(COLUMNS) or None in values.values():
            raise ValueError(f'it has not {len(COLUMNS)} values')
        return Row(**{name: _read(values[name], _TYPES[name]) for name in COLUMNS})
    except ValueError as error:
        raise DataError(f'{place}: expected a row of a grid ({error})') from error


def _read(text: str, kind: Any) -> Any:
    if kind is bool:
        if text not in ('', _YES):
            raise ValueError(f'{text!r} is neither {_YES} nor empty')
        return text == _YES
    if kind is str:
        return text
    number = int if int in typing.get_args(kind) else float
    return number(text) if text else None


def write_rows(path: str | Path, rows: Iterable[Row]) -> None:
    """Writes the file of a grid, whole."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(COLUMNS)
    writer.writerows([_text(getattr(row, name)) for name in COLUMNS] for row in rows)
    atomic_write(path, text.getvalue().encode(), durable=True)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _YES if value else ''
    return '' if value is None else str(value)


def replace_rows(path: str | Path, rows: Iterable[Row]) -> None:
    """Puts rows in the place of those of the same cells; new cells come last, others stay.

    Args:
        path (str | Path): The file; it need not be there.
        rows (iterable[Row]): All rows of some cells.
    """
    known = _by_cell(read_rows(path)) if Path(path).is_file() else {}
    write_rows(path, itertools.chain(*{**known, **_by_cell(rows)}.values()))


def _by_cell(rows: Iterable[Row]) -> dict[tuple[Any, ...], list[Row]]:
    cells: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        cells.setdefault(row.cell, []).append(row)
    return cells
