"""Image-level labels as spreadsheets and scripts write them to CSV files."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence

from mmwsss.fileio import DataError

_SEPARATORS = ',;\t|'
_BETWEEN_TAGS = re.compile(r'[,;|\n]')
# First cells of a header, and its other cells where they are no class names.
_IMAGE_HEADERS = frozenset(
    (
        '',
        'id',
        'image',
        'image_id',
        'image id',
        'image name',
        'file',
        'filename',
        'file_name',
        'file name',
        'name',
        'path',
    )
    + ('photo', 'picture')
)
_LABEL_HEADERS = frozenset(
    ('', 'label', 'labels', 'class', 'classes', 'class name', 'tag', 'tags', 'category', 'categories', 'name', 'names')
)
_TRUE = frozenset(('1', '1.0', 'true', 'yes', 'y', 'x', '✓'))
_FALSE = frozenset(('0', '0.0', 'false', 'no', 'n', '-', ''))


def decode_csv(content: bytes) -> str:
    """Text of a CSV file in UTF-8, or in UTF-16 with its byte order mark, as spreadsheets write it.

    Raises:
        UnicodeDecodeError: If it is neither.
    """
    return content.decode('utf-16' if content[:2] in (b'\xff\xfe', b'\xfe\xff') else 'utf-8-sig')


def parse_csv_labels(source: str, text: str) -> dict[str, list[str]]:
    """Reads the labels of images from a table.

    The first column names the image. The columns are separated by commas, semicolons, tabs or ``|``. A header is known
    by its words, such as ``image`` and ``labels``. The other columns hold

    - class names, one or more a cell, separated by a comma, a semicolon or ``|``; an image may have one row for each of
      its classes, or
    - one class each, if the header names the classes and the cells say yes (1, true, yes, x) or no (0, false, no, or
      nothing).

    Args:
        source (str): The file, for messages.
        text (str): What it holds.

    Returns:
        dict[str, list[str]]: Class names by image, in the order of the rows.

    Raises:
        DataError: If a row has no image, more cells than the header, or says something else than another one.
    """
    rows = _rows(source, text)
    header = rows[0][1] if rows else []
    if _is_one_hot(rows):
        return _parse_one_hot(source, header, rows[1:])
    if header and header[0].casefold() in _IMAGE_HEADERS and (header[0] or _says_labels(header)):
        rows = rows[1:]
    return _parse_names(source, rows)


def _rows(source: str, text: str) -> list[tuple[int, list[str]]]:
    """Number and cells of each row that is not empty."""
    stated = re.match(r'sep=(.)\r?\n', text, re.IGNORECASE)
    start = stated.end() if stated else 0
    separator = stated[1] if stated else _separator(text)
    reader = csv.reader(io.StringIO(text[start:], newline=''), delimiter=separator, skipinitialspace=True)
    try:
        listed = [(number, [cell.strip() for cell in row]) for number, row in enumerate(reader, 1 + bool(stated))]
    except csv.Error as error:
        raise DataError(f'{source}: expected comma-separated values ({error})') from error
    return [(number, row) for number, row in listed if any(row)]


def _separator(text: str) -> str:
    """The one that comes first in most lines, as the image does; others may stand between the tags of a cell."""
    first = Counter(
        found[0]
        for line in text.splitlines()
        if (found := re.search(rf'[{_SEPARATORS}]', re.sub(r'"[^"]*"', '', line)))
    )
    return first.most_common(1)[0][0] if first else ','


def _says_labels(header: Sequence[str]) -> bool:
    return all(re.sub(r'[\s_]*\d+$', '', cell.casefold()) in _LABEL_HEADERS for cell in header[1:])


def _is_one_hot(rows: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether the first row names classes and all others say yes or no to each."""
    if len(rows) < 2 or len(rows[0][1]) < 2:
        return False
    _, header = rows[0]
    cells = [cell.casefold() for _, row in rows[1:] for cell in row[1:]]
    names_classes = not _says_labels(header) and not any(cell.casefold() in _TRUE | _FALSE for cell in header[1:])
    return names_classes and any(cells) and all(cell in _TRUE or cell in _FALSE for cell in cells)


def _parse_one_hot(
    source: str, header: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]
) -> dict[str, list[str]]:
    labels: dict[str, list[str]] = {}
    for number, (image, *cells) in rows:
        if len(cells) >= len(header):
            raise DataError(f'{source}: row {number} has {len(cells) + 1} cells, but the header has {len(header)}')
        _check_image(source, number, image)
        if image in labels:
            raise DataError(f'{source}: row {number} repeats the image id {image!r}')
        labels[image] = [name for name, cell in zip(header[1:], cells) if cell.casefold() in _TRUE]
    return labels


def _parse_names(source: str, rows: Sequence[tuple[int, Sequence[str]]]) -> dict[str, list[str]]:
    labels: dict[str, list[str]] = {}
    several: set[str] = set()
    for number, (image, *cells) in rows:
        _check_image(source, number, image)
        names = [name.strip() for cell in cells for name in _BETWEEN_TAGS.split(cell) if name.strip()]
        if len(names) != 1:
            several.add(image)
        if image in labels and image in several:
            raise DataError(f'{source}: row {number} repeats the image id {image!r}')
        known = labels.setdefault(image, [])
        known += [name for name in names if name not in known]
    return labels


def _check_image(source: str, number: int, image: str) -> None:
    if not image:
        raise DataError(f'{source}: row {number} has no image id')


def is_no_name(name: str) -> bool:
    """Whether a class name is a number or a truth value, as of a table that was understood wrongly."""
    return name.casefold() in ('true', 'false') or re.fullmatch(r'[-+]?\d*[.,]?\d+', name) is not None
