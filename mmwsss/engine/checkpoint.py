"""Which checkpoint of a work directory to take, and whether it belongs to a model."""

import re
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.model import BaseTTAModel, is_model_wrapper

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


def _first(names: list[str]) -> str:
    return ', '.join(names[:5]) + (f' and {len(names) - 5} more' if len(names) > 5 else '')


def check_state_dict(model: torch.nn.Module, state_dict: dict, filename: str) -> None:
    """Checks that a checkpoint belongs to a model, which mmengine itself only warns about.

    Keys that the model does not know are fine, such as those of an auxiliary head that is only trained with.

    Args:
        model (Module): The model, wrapped or not.
        state_dict (dict): Parameters and buffers by name.
        filename (str): Where they come from, for the message.

    Raises:
        DataError: If a parameter is missing or has another shape.
    """
    bare: Any = model
    while is_model_wrapper(bare) or isinstance(bare, BaseTTAModel):
        bare = bare.module
    given = {re.sub(r'^module\.', '', name): value for name, value in state_dict.items()}
    expected = {
        name: value
        for name, value in bare.state_dict().items()
        if torch.is_tensor(value) and not name.endswith('num_batches_tracked')
    }
    missing = [name for name in expected if name not in given]
    reshaped = [
        f'{name} {tuple(given[name].shape)} instead of {tuple(value.shape)}'
        for name, value in expected.items()
        if name in given and given[name].shape != value.shape
    ]
    if missing or reshaped:
        problems = ([f'lacks {_first(missing)}'] if missing else []) + ([f'has {_first(reshaped)}'] if reshaped else [])
        raise DataError(
            f'{filename}: expected a checkpoint of {type(bare).__name__} as configured, but it '
            + ' and '.join(problems)
        )
