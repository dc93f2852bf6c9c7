"""Files that MMEngine writes, such as checkpoints, are whole or not there."""

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from mmwsss.fileio import atomic_write


class AtomicLocalBackend(LocalBackend):
    """MMEngine's backend of local files, which writes with :func:`mmwsss.fileio.atomic_write`.

    Importing this module replaces MMEngine's own backend. No checkpoint is then left half-written if the disk is full
    or the process is killed.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        atomic_write(filepath, obj, durable=True)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        atomic_write(filepath, obj.encode(encoding), durable=True)


register_backend('local', AtomicLocalBackend, force=True, prefixes='')
