"""Tables of pages, made of the rows of a grid, never by hand.

A page has regions that begin with the line ``<!-- table: DATA -->`` and end with ``<!-- end of table -->``. What lies
between them is made of the rows of these data.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from statistics import mean

from mmwsss.fileio import DataError

from .rows import Row

END = '<!-- end of table -->'
_REGION = re.compile(rf'(?m)^<!-- table: (?P<data>\S+) -->\n(?P<body>.*?)^{END}$', re.DOTALL)
_BEGIN = re.compile(r'(?m)^<!-- table: (\S+) -->$')
_PICKED = '`*` Of several settings the best one, picked with the masks that it is measured on.'
_LINES = {
    'ladder': ('method', 'network', 'seeds', 'rung', 'mIoU', 'measured on'),
    'costs': ('method', 'network', 'stage', 'minutes', 'peak memory, MB', 'GPU memory, MB', 'machine'),
}


def fill_tables(text: str, rows: Sequence[Row], page: str) -> str:
    """Makes all regions of a page anew.

    Args:
        text (str): The page.
        rows (sequence[Row]): Of all data.
        page (str): Its name, for messages.

    Raises:
        DataError: If a region has no end, or there are no rows of its data.
    """
    begun, whole = _BEGIN.findall(text), [match['data'] for match in _REGION.finditer(text)]
    if begun != whole:
        raise DataError(
            f'{page}: expected {END} after each <!-- table: DATA -->, got begins {begun} and wholes {whole}'
        )
    return _REGION.sub(lambda match: _region(match['data'], rows, page), text)


def _region(data: str, rows: Sequence[Row], page: str) -> str:
    chosen = [row for row in rows if row.data == data]
    if not chosen:
        raise DataError(f'{page}: expected rows of {data}, which a table is for; there are none')
    return f'<!-- table: {data} -->\n\n{describe(chosen)}\n\n{END}'


def describe(rows: Sequence[Row]) -> str:
    """Tables of the figures and costs of some data, and how each figure was made, in Markdown.

    A figure is the mean of all seeds, with the lowest and the highest one.

    Args:
        rows (sequence[Row]): Of the same data.
    """
    # Peers come first, then seeds in their order.
    ordered = sorted(rows, key=lambda row: -1 if row.seed is None else row.seed)
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in ordered:
        groups.setdefault(row.group, []).append(row)
    ladder, costs, notes = [], [], []
    for group in groups.values():
        ladder += _ladder(group)
        if group[0].seed is not None:
            costs += _costs(group)
        notes.append(_note(group))
    parts = [_table('ladder', ladder)]
    if any(row.picked for row in rows):
        parts.append(_PICKED)
    if costs:
        parts.append(_table('costs', costs))
    said = dict.fromkeys(f'- Ground truth: {row.ground_truth}' for row in ordered if row.seed is not None)
    return '\n\n'.join([*parts, '\n'.join([*notes, *said])])


def _table(name: str, lines: Iterable[Sequence[str]]) -> str:
    header = _LINES[name]
    shown = [header, ['---'] * len(header), *lines]
    return '\n'.join('|' + '|'.join(f' {cell} ' if cell != '---' else cell for cell in line) + '|' for line in shown)


def _title(row: Row) -> str:
    return f'{row.method}, {row.variant}' if row.variant else row.method


def _by(rows: Iterable[Row], name: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return found


def _ladder(group: Sequence[Row]) -> list[list[str]]:
    lines = []
    for rung, rows in _by(group, 'rung').items():
        seeds = ', '.join(str(row.seed) for row in rows if row.seed is not None)
        first, counted = rows[0], '' if rows[0].images is None else f'{rows[0].images:,} images'
        where = ', '.join(filter(None, [first.measured_on, counted]))
        rung = rung.replace('_', ' ') + (' `*`' if first.picked else '')
        lines.append([_title(first), first.network, seeds, rung, mean_and_spread(row.mIoU for row in rows), where])
    return lines


def mean_and_spread(values: Iterable[float | None]) -> str:
    """Mean of figures, with the lowest and the highest of several.

    Examples:
        >>> mean_and_spread([50.0, 52.0, None])
        '51.0 (50.0 to 52.0)'
        >>> mean_and_spread([None])
        '-'
    """
    known = [value for value in values if value is not None]
    if not known:
        return '-'
    spread = f' ({one_decimal(min(known))} to {one_decimal(max(known))})' if len(known) > 1 else ''
    return f'{one_decimal(mean(known))}{spread}'


def one_decimal(value: float) -> str:
    """A figure with one digit after the point; halves are rounded up, as readers do it.

    Examples:
        >>> one_decimal(68.35)
        '68.4'
    """
    return str(Decimal(str(round(value, 6))).quantize(Decimal('0.1'), ROUND_HALF_UP))


def _costs(group: Sequence[Row]) -> list[list[str]]:
    lines = []
    for stage, rows in _by(group, 'stage').items():
        lines.append(
            [stage, _minutes(rows, 'seconds'), _peak(row.memory_mb for row in rows), _peak(row.gpu_mb for row in rows)]
        )
    lines.append(['all', _minutes(group, 'total_seconds'), '', ''])
    machines = dict.fromkeys(
        f'{row.device}, {row.cores} cores' + ('' if row.threads is None else f', threads: {row.threads}')
        for row in group
    )
    first = group[0]
    return [[_title(first), first.network, *line, '; '.join(machines)] for line in lines]


def _minutes(rows: Iterable[Row], name: str) -> str:
    seconds = mean_of_seeds(rows, name)
    return '' if seconds is None else f'{seconds / 60:.1f}'


def mean_of_seeds(rows: Iterable[Row], name: str) -> float | None:
    """Mean of a value that all rows of a seed have; None where it is not known."""
    known = {row.seed: getattr(row, name) for row in rows if getattr(row, name) is not None}
    return mean(known.values()) if known else None


def _peak(megabytes: Iterable[int | None]) -> str:
    known = [value for value in megabytes if value is not None]
    return f'{max(known):,}' if known else ''


def _note(group: Sequence[Row]) -> str:
    first = group[0]
    title = ', '.join(filter(None, [_title(first), first.network]))
    if first.seed is None:
        return f'- {title}: {first.source}.' + (f' Ground truth: {first.ground_truth}' if first.ground_truth else '')
    made = dict.fromkeys(
        f'{row.commit or f"mmwsss {row.version}"}{" (changed)" if row.changed else ""}' for row in group
    )
    return f'- {title}: commit {", ".join(made)}; ' + ', '.join(dict.fromkeys(f'`{row.command}`' for row in group))
