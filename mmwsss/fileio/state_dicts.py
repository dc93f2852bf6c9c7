"""State dicts: where a file keeps one, and whether it belongs to a model."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import Tensor

from .errors import DataError

# Where projects keep the state dict of a checkpoint that holds more than that.
_KEYS = ('state_dict', 'model', 'model_state_dict')
_WRAPPED = 'module.'
# Of batches that a BatchNorm has seen; weights from before torch 0.4.1 have none, and nothing is computed from it.
_COUNTER = 'num_batches_tracked'
_MAX_NAMES = 5
CONVERTER = 'tools/model_converters/published2mmwsss.py'


def first_names(names: Iterable[str]) -> str:
    """The first of some names, and how many more there are."""
    listed = list(names)
    more = f' and {len(listed) - _MAX_NAMES} more' if len(listed) > _MAX_NAMES else ''
    return (', '.join(listed[:_MAX_NAMES]) or 'nothing') + more


def state_dict_of(checkpoint: Any, filename: str) -> dict[str, Tensor]:
    """Finds the tensors of a checkpoint.

    Args:
        checkpoint (dict): Tensors by name, alone or under ``state_dict``, ``model`` or ``model_state_dict``.
        filename (str): Where it comes from, for the message.

    Returns:
        dict[str, Tensor]: Without the ``module.`` of parallel wrappers before the names.

    Raises:
        DataError: If it holds no tensors there.
    """
    found = checkpoint
    while isinstance(found, Mapping):
        inner = next((found[key] for key in _KEYS if isinstance(found.get(key), Mapping)), None)
        if inner is None:
            break
        found = inner
    tensors = {
        str(name).removeprefix(_WRAPPED): value
        for name, value in (found.items() if isinstance(found, Mapping) else ())
        if torch.is_tensor(value)
    }
    if not tensors:
        held = first_names(map(str, checkpoint)) if isinstance(checkpoint, Mapping) else type(checkpoint).__name__
        raise DataError(f'{filename}: expected tensors by name, alone or under {", ".join(_KEYS)}, found {held}')
    return tensors


def parameters_of(model: torch.nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers that a checkpoint of a model has to hold, by name; of wrapped models, those inside."""
    bare: Any = model
    while is_model_wrapper(bare) or isinstance(bare, BaseTTAModel):
        bare = bare.module
    return {
        name: value
        for name, value in bare.state_dict().items()
        if torch.is_tensor(value) and not name.endswith(_COUNTER)
    }


def check_state_dict(model: torch.nn.Module, state_dict: Mapping[str, Any], filename: str) -> None:
    """Checks that a checkpoint belongs to a model, which mmengine itself only warns about.

    Keys that the model does not know are fine, such as those of an auxiliary head that is only trained with.

    Args:
        model (Module): The model, wrapped or not.
        state_dict (dict): Parameters and buffers by name.
        filename (str): Where they come from, for the message.

    Raises:
        DataError: If a parameter is missing or has another shape.
    """
    given = {re.sub(r'^module\.', '', name): value for name, value in state_dict.items()}
    expected = parameters_of(model)
    missing = [name for name in expected if name not in given]
    reshaped = [
        f'{name} {tuple(given[name].shape)} instead of {tuple(value.shape)}'
        for name, value in expected.items()
        if name in given and given[name].shape != value.shape
    ]
    if not missing and not reshaped:
        return
    problems = [f'lacks {first_names(missing)}'] if missing else []
    problems += [f'has {first_names(reshaped)}'] if reshaped else []
    strangers = [name for name in given if name not in expected and not name.endswith(_COUNTER)]
    found = f'; it holds {first_names(strangers)} instead' if missing and strangers else ''
    kind = type(getattr(model, 'module', model)).__name__
    raise DataError(
        f'{filename}: expected a checkpoint of {kind} as configured, but it {" and ".join(problems)}{found}'
    )
