"""One run at a time in a folder."""

import fcntl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mmwsss.fileio import DataError, remove_parts

LOCK_FILE = '.lock'
# Workers of a run that was killed look after their parent every five seconds.
LOCK_SECONDS = 20.0


@contextmanager
def locked(run_folder: Path, stage_folders: Iterable[Path] = ()) -> Iterator[int]:
    """Holds the folder of a run, for this process and for commands that it leaves behind when it is killed.

    Args:
        run_folder (Path): Where the lock lies; what a killed run left half-written in it is removed.
        stage_folders (iterable[Path]): Folders of the stages, likewise.

    Yields:
        int: File descriptor that commands inherit, and so hold the lock.

    Raises:
        DataError: If another run holds it.
    """
    run_folder.mkdir(parents=True, exist_ok=True)
    with open(run_folder / LOCK_FILE, 'w', encoding='utf-8') as file:
        waiting_until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() > waiting_until:
                    raise DataError(f'{run_folder}: another run of a pipeline is at work here') from error
                time.sleep(0.5)
        for folder in (run_folder, *stage_folders):
            remove_parts(folder)
        yield file.fileno()
