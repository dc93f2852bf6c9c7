"""What the converters of data sets share: lists, labels, checks, and a progress bar over files."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from mmwsss.fileio import DataError, atomic_write, atomic_write_json, map_parallel
from mmwsss.visualization.progress_bar import track

Item = TypeVar('Item')
Result = TypeVar('Result')
LABELS_FILE = 'image_labels.json'
MAX_LISTED = 5


def read_list(path: str | Path) -> list[str]:
    """Read image ids, one a line.

    Raises:
        DataError: If the file is missing, empty or has an id twice.
    """
    try:
        lines = Path(path).read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{path}: expected a list of image ids ({error})') from error
    ids = [line.strip() for line in lines if line.strip()]
    repeated = [image_id for image_id, count in Counter(ids).items() if count > 1]
    if repeated or not ids:
        found = f'{", ".join(repeated[:MAX_LISTED])} twice' if repeated else 'none'
        raise DataError(f'{path}: expected image ids, one a line, each once; found {found}')
    return ids


def write_list(path: str | Path, ids: Iterable[str]) -> None:
    """Write image ids, one a line."""
    atomic_write(path, ''.join(f'{image_id}\n' for image_id in ids).encode())


def write_labels(path: str | Path, labels: Mapping[str, Sequence[str]]) -> None:
    """Write image-level labels as ``{image id: [class name, ...]}``.

    Raises:
        DataError: If no image has a label.
    """
    if not any(labels.values()):
        raise DataError(f'{path}: not written, as none of the {len(labels)} images has a label')
    atomic_write_json(path, labels)


def check_counts(found: Mapping[str, int], expected: Mapping[str, int] | None, source: str | Path) -> None:
    """Compare the sizes of lists with the published ones.

    Args:
        found (dict[str, int]): Number of images of each list.
        expected (dict[str, int], optional): The same, as published. None checks nothing.
        source (str | Path): Data set, for the message.

    Raises:
        DataError: If a number differs, naming all that do.
    """
    wrong = [
        f'{name}: expected {expected[name]:,} images, found {count:,}'
        for name, count in found.items()
        if expected is not None and count != expected[name]
    ]
    if wrong:
        raise DataError(f'{source}: {"; ".join(wrong)}; --partial converts a part of the data set')


def check_files(paths: Iterable[str | Path], what: str) -> None:
    """Make sure that files exist.

    Raises:
        DataError: If some are missing; the message has their number and the first ones.
    """
    missing = [str(path) for path in paths if not os.path.isfile(path)]
    if missing:
        listed = '\n  '.join(missing[:MAX_LISTED])
        more = f'\n  and {len(missing) - MAX_LISTED} more' if len(missing) > MAX_LISTED else ''
        raise DataError(f'expected {what}, {len(missing)} are missing:\n  {listed}{more}')


def convert_files(function: Callable[[Item], Result], items: Sequence[Item], num_workers: int = 0) -> list[Result]:
    """Apply a function to every file, in threads and under a progress bar.

    Args:
        function (callable): Of one item.
        items (sequence): What to convert.
        num_workers (int): Threads; 0 works in this one. Defaults to 0.

    Returns:
        list: The results in the order of the items.
    """
    return list(track(map_parallel(function, items, num_workers), len(items)))


def link_folder(path: str | Path, target: str | Path) -> None:
    """Makes a link to a folder, or changes that of an earlier call.

    Args:
        path (str | Path): The link.
        target (str | Path): Where it leads. If that is the path itself, nothing is done.

    Raises:
        DataError: If the path is a file or a folder.
    """
    path, target = Path(path), Path(target).resolve()
    if path.is_symlink():
        path.unlink()
    elif path.resolve() == target:
        return
    elif path.exists():
        raise DataError(f'{path}: expected none or a link of an earlier call; it is left as it is')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target, target_is_directory=True)
