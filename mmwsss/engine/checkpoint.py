"""Which checkpoint of a work directory to take."""

import re
from pathlib import Path

from mmengine.logging import print_log

from mmwsss.fileio import DataError
from mmwsss.fileio.checkpoints import load_from_local

_TRAINING_KEYS = ('meta', 'state_dict', 'message_hub')
# What a training that came to its end leaves, with weights and meta only.
FINAL_CHECKPOINT = 'final.pth'
_NUMBERED_CHECKPOINT = re.compile(r'(?:epoch|iter)_(\d+)\.pth')


def _numbered_checkpoints(work_dir: Path) -> list[Path]:
    numbered = [
        (int(match.group(1)), path)
        for path in work_dir.glob('*.pth')
        if (match := _NUMBERED_CHECKPOINT.fullmatch(path.name))
    ]
    return [path for _, path in sorted(numbered, reverse=True)]


def find_resumable_checkpoint(work_dir: str) -> str | None:
    """Finds the newest checkpoint of a work directory that is whole.

    A process that is killed while it writes leaves a file that is cut off; the one before it is used then.

    Args:
        work_dir (str): Folder with ``iter_N.pth`` or ``epoch_N.pth``.

    Returns:
        str or None: Path of the checkpoint, None where none can be resumed from.
    """
    for path in _numbered_checkpoints(Path(work_dir)):
        try:
            checkpoint = load_from_local(str(path), map_location='cpu')
        except DataError as error:
            print_log(f'Not resuming from a broken checkpoint: {error}', logger='current')
            continue
        if isinstance(checkpoint, dict) and all(key in checkpoint for key in _TRAINING_KEYS):
            return str(path)
    return None


def find_trained_checkpoint(work_dir: str) -> str | None:
    """Names the last checkpoint that training wrote to a work directory, None where there is none.

    That is ``final.pth`` of a training that came to its end, else the numbered one with the most iterations.
    """
    final = Path(work_dir, FINAL_CHECKPOINT)
    if final.is_file():
        return str(final)
    numbered = _numbered_checkpoints(Path(work_dir))
    return str(numbered[0]) if numbered else None
