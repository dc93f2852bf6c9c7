"""Folders beside the package: in a clone they lie next to it, an installed package brings them in ``.mim``."""

from pathlib import Path

import mmwsss

from .errors import DataError


def find_folder(name: str) -> Path:
    """The folder ``configs``, ``tools`` or ``demo`` of a clone, else the one that the installed package brings.

    Args:
        name (str): Name of the folder.

    Returns:
        Path: The folder, absolute.

    Raises:
        DataError: If it is in neither place.

    Examples:
        >>> find_folder('configs').name
        'configs'
    """
    package = Path(mmwsss.__file__).resolve().parent
    # Any project may have a folder of that name; only a clone has the metadata of this package beside it.
    clone = package.parent
    candidates = [clone / name] if (clone / 'model-index.yml').is_file() else []
    for folder in (*candidates, package / '.mim' / name):
        if folder.is_dir():
            return folder
    raise DataError(f'{package}: expected its {name} in .mim, found none; install the package again')
