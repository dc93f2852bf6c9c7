"""Configs for a data set of a folder of images: those of `custom` of a method, filled in."""

from collections.abc import Sequence
from pathlib import Path
from pprint import pformat

from mmwsss.fileio import DataError, atomic_write
from mmwsss.fileio.packaged_folders import find_folder

# The first one is the default.
METHODS = ('fast', 'affinitynet')
_HEADER = '# Written by tools/dataset_converters/folder.py: where the images are and what is on them.\n'
_WITHOUT_MASKS = '# The held-out images have no masks'


def write_folder_configs(
    folder: str | Path,
    root: str | Path,
    classes: Sequence[str],
    has_masks: bool,
    method: str = METHODS[0],
    max_side: int | None = None,
) -> list[str]:
    """Writes the leaves of a data set and the file of its classes and folders.

    They inherit the configs of the clone by their path, or of the installed package by its name, so that they work from
    wherever they are. Work directories are named by the last part of ``root``. A file that is there already and says
    something else is left as it is.

    Args:
        folder (str | Path): Folder of the configs.
        root (str | Path): Folder of the data set.
        classes (sequence[str]): Names, background first.
        has_masks (bool): Whether the held-out images have masks, for the segmentor to be measured on.
        method (str): 'fast' or 'affinitynet'. Defaults to 'fast'.
        max_side (int, optional): Long side in pixels that images are resized to. Defaults to None: that of the method.

    Returns:
        list[str]: What was left as it is, one line each.

    Raises:
        DataError: If the package has no configs, or the long side is less than 64 pixels.
    """
    if max_side is not None and max_side < 64:
        raise DataError(f'--max-side: expected a long side of at least 64 pixels, got {max_side}')
    configs = find_folder('configs')
    in_clone = configs.parent.name != '.mim'
    base = f'{configs.as_posix()}/_base_/' if in_clone else 'mmwsss::_base_/'
    warnings = []
    for name in sorted(path.name for path in (configs / method / 'custom').glob('*.py')):
        text = (configs / method / 'custom' / name).read_text(encoding='utf-8')
        if name == 'data.py':
            text = _fill_in(text, str(root), list(classes), max_side)
        else:
            run = Path(root).resolve().name
            text = text.replace("'../../_base_/", f"'{base}").replace(f'{method}/custom/', f'{method}/{run}/')
        if name == 'segmentor.py' and has_masks:
            text = text[: text.index(_WITHOUT_MASKS)]
        path = Path(folder, name)
        if path.is_file() and path.read_text(encoding='utf-8') != text:
            warnings.append(f'{path}: left as it is, it says something else; delete it to have it written')
            continue
        atomic_write(path, text.encode())
    return warnings


def _fill_in(text: str, root: str, classes: list[str], max_side: int | None) -> str:
    """The file of classes and folders with those of a data set; its comment is about the one that it comes from."""
    lines = text.splitlines(keepends=True)
    values = dict(data_root=repr(root), classes=pformat(classes, width=100, compact=True))
    if max_side is not None:
        values['max_side'] = str(max_side)
    for index, line in enumerate(lines):
        name = line.partition(' = ')[0]
        if name in values:
            lines[index] = f'{name} = {values[name]}\n'
    start = next(index for index, line in enumerate(lines) if not line.startswith('#'))
    return _HEADER + ''.join(lines[start:])
