"""Index files of models, whose figures are made of the rows of a grid."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import yaml

from mmwsss.fileio import DataError

from .rows import Row
from .tables import mean_of_seeds, one_decimal

TASKS = dict(
    cam='Class Activation Maps',
    affinity='Pseudo Masks',
    relabel='Pseudo Masks',
    segmentor='Semantic Segmentation',
)
_MADE = ('Memory (MB)', 'GPU Memory (MB)', 'Training Time (minutes)', 'Seeds', 'Commit', 'Command')


class _Dumper(yaml.SafeDumper):
    """Indents lists, as index files do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def fill_metafile(text: str, rows: Sequence[Row], name: str) -> str:
    """Makes the figures of an index file anew.

    Of each model these are `Results`, and in `Metadata` memory, time, seeds, commit and command: those of the cells of
    its method, the folder below ``configs``, that ran `Config` of the model, without a variant. A model that no row is
    of has none of them. All else stays, and so does the comment that the file begins with.

    Args:
        text (str): The file.
        rows (sequence[Row]): Of all data.
        name (str): Its name, for messages.

    Raises:
        DataError: If it is no index of models.
    """
    lines = text.splitlines(keepends=True)
    head = ''.join(lines[: next((i for i, line in enumerate(lines) if not line.startswith('#')), len(lines))])
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f'{name}: expected an index of models in YAML ({error})') from error
    if not isinstance(content, dict) or not isinstance(content.get('Models'), list):
        raise DataError(f'{name}: expected an index with a list of Models')
    for model in content['Models']:
        if not isinstance(model, dict) or len(Path(str(model.get('Config', ''))).parts) < 3:
            raise DataError(f'{name}: expected models with a Config such as configs/METHOD/cam.py, got {model}')
    content['Models'] = [fill_model(model, rows) for model in content['Models']]
    return head + yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096)


def fill_model(model: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """The entry of a model with the figures of its rows; see :func:`fill_metafile`."""
    method = Path(model['Config']).parts[1]
    cells = {row.cell for row in rows if (row.config, row.method, row.variant) == (model['Config'], method, '')}
    own = [row for row in rows if row.cell in cells]
    metadata = {key: value for key, value in model.get('Metadata', {}).items() if key not in _MADE}
    filled = {key: value for key, value in model.items() if key not in ('Metadata', 'Results', 'Weights')}
    filled['Metadata'] = {**metadata, **_metadata(own)} if own else metadata
    if own:
        filled['Results'] = _results(own, str(metadata.get('Training Data', own[0].data)))
    return {**filled, **{key: model[key] for key in ('Weights',) if key in model}}


def _metadata(rows: Sequence[Row]) -> dict[str, Any]:
    memory = [row.memory_mb for row in rows if row.memory_mb is not None]
    gpu = [row.gpu_mb for row in rows if row.gpu_mb is not None]
    seconds = mean_of_seeds(rows, 'total_seconds')
    made = {
        'Memory (MB)': max(memory, default=None),
        'GPU Memory (MB)': max(gpu, default=None),
        'Training Time (minutes)': None if seconds is None else round(seconds / 60, 1),
        'Seeds': sorted({row.seed for row in rows if row.seed is not None}),
        'Commit': ', '.join(dict.fromkeys(row.commit or f'mmwsss {row.version}' for row in rows)),
        'Command': rows[0].command,
    }
    return {key: value for key, value in made.items() if value is not None}


def _results(rows: Sequence[Row], data: str) -> list[dict[str, Any]]:
    """One result a stage: the mean of all seeds of each rung that masks did not pick."""
    results: dict[str, dict[str, Any]] = {}
    for row in rows:
        values = [one.mIoU for one in rows if (one.stage, one.rung) == (row.stage, row.rung) and one.mIoU is not None]
        if row.picked or not values:
            continue
        measured = ', '.join(filter(None, [data, row.measured_on]))
        result = results.setdefault(row.stage, dict(Task=TASKS.get(row.stage, row.stage), Dataset=measured, Metrics={}))
        metric = 'mIoU' if row.rung == row.stage else f'mIoU, {row.rung.replace("_", " ")}'
        result['Metrics'][metric] = float(one_decimal(mean(values)))
    return list(results.values())
