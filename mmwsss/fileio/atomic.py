import json
import os
import tempfile
from pathlib import Path
from typing import Any

from mmengine import fileio

PART_SUFFIX = '.part'


def is_remote(path: str | Path) -> bool:
    """Whether a path has the prefix of a file backend, such as ``s3://``, and is no local file."""
    return '://' in str(path)


def atomic_write(path: str | Path, data: bytes | memoryview, durable: bool = False) -> None:
    """Write ``data`` to ``path`` so that a reader sees the old file, the whole new one, or none.

    The bytes go to a temporary file of the same folder, whose name no other process has, and replace ``path`` by
    a rename. Missing folders are made.

    A path such as ``s3://bucket/file`` goes to the file backend that MMEngine has for its prefix, with one ``put``,
    which object stores make atomic themselves. It must be a string: a ``Path`` loses the second slash.

    Args:
        path (str | Path): Target.
        data (bytes): All of its content.
        durable (bool): Wait until the disk has the bytes, so that a loss of power right after does not cut the file
            off. Use it for records and checkpoints. For thousands of small files, :func:`is_whole` checks later.
            Defaults to False.

    Raises:
        OSError: If the folder is read-only or the disk is full; it names ``path``, and the temporary file is removed.
    """
    if is_remote(path):
        fileio.put(data, str(path))
        return
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f'.{path.name[:100]}.', suffix=PART_SUFFIX, dir=path.parent)
        with os.fdopen(handle, 'wb') as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            # A full disk is told without any name, others with that of the temporary file.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def atomic_write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON with :func:`atomic_write`, durably."""
    atomic_write(path, (json.dumps(value, indent=2, ensure_ascii=False) + '\n').encode(), durable=True)


def remove_parts(folder: str | Path) -> None:
    """Remove the temporary files that a killed :func:`atomic_write` left in a folder.

    Args:
        folder (str | Path): Local folder that no other process writes to; it may be missing.
    """
    for path in Path(folder).glob(f'.*{PART_SUFFIX}'):
        path.unlink(missing_ok=True)
