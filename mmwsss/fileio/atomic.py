import json
import os
import tempfile
from pathlib import Path
from typing import Any

from mmengine import fileio


def is_remote(path: str | Path) -> bool:
    """Whether a path has the prefix of a file backend, such as ``s3://``, and is no local file."""
    return '://' in str(path)


def atomic_write(path: str | Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that a reader sees the old file, the whole new one, or none.

    The bytes go to a temporary file of the same folder, whose name no other process has, and replace ``path`` by
    a rename. Missing folders are made.

    A path such as ``s3://bucket/file`` goes to the file backend that MMEngine has for its prefix, with one ``put``,
    which object stores make atomic themselves. It must be a string: a ``Path`` loses the second slash.

    Raises:
        OSError: If the folder is read-only or the disk is full; the temporary file is removed.
    """
    if is_remote(path):
        fileio.put(data, str(path))
        return
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f'.{path.name[:100]}.', suffix='.part', dir=path.parent)
    try:
        with os.fdopen(handle, 'wb') as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def atomic_write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON with :func:`atomic_write`."""
    atomic_write(path, (json.dumps(value, indent=2, ensure_ascii=False) + '\n').encode())
