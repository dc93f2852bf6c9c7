"""Weights that a network starts from: known spellings of names are read, and a file that fits nowhere is refused.

Importing this module replaces mmengine's initializer ``Pretrained``. That one starts from random weights, with a
warning, if no name of the file is one of the network, and fails without the name of the file if no name has the prefix.
"""

from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from mmengine.model.weight_init import PretrainedInit, update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner.checkpoint import CheckpointLoader, load_state_dict
from torch import Tensor, nn

from .errors import DataError
from .state_dicts import CONVERTER, first_names, parameters_of, state_dict_of

# What projects write before the names of a backbone.
_PREFIXES = ('', 'backbone.', 'model.', 'encoder.', 'model.backbone.')
# Weights under another prefix than the one that was asked for must be most of the network's.
_MOST = 0.5


class CheckedPretrainedInit(PretrainedInit):
    """Loads weights into a module, as mmengine's ``PretrainedInit`` does, if at least one of them is of the module.

    If none is under the prefix that was asked for, the prefixes ``backbone.``, ``model.``, ``encoder.`` and
    ``model.backbone.``, and no prefix, are tried. The state dict may lie under ``state_dict``, ``model`` or
    ``model_state_dict`` of the file, and its names may begin with ``module.``.

    Args:
        checkpoint (str): File or address.
        prefix (str, optional): What is before the names of the module in the file. Defaults to None: nothing.
        map_location (str): Device that the tensors are read to. Defaults to ``'cpu'``.

    Raises:
        DataError: When it is called, if the file cannot be read or holds no weight of the module.
    """

    def __call__(self, module: nn.Module) -> None:
        print_log(f'Starting {type(module).__name__} from {self.checkpoint}', logger='current')
        checkpoint = CheckpointLoader.load_checkpoint(self.checkpoint, self.map_location, logger='silent')
        weights = choose_weights(module, state_dict_of(checkpoint, self.checkpoint), self.checkpoint, self.prefix)
        load_state_dict(module, weights, strict=False, logger='current')
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=self._get_init_info())

    def _get_init_info(self) -> str:
        return f'PretrainedInit: load from {self.checkpoint}'


def choose_weights(
    module: nn.Module, tensors: Mapping[str, Tensor], filename: str, prefix: str | None = None
) -> dict[str, Tensor]:
    """Finds the weights of a module among the tensors of a file.

    Args:
        module (Module): The module.
        tensors (dict): Tensors by name.
        filename (str): Where they come from, for the message.
        prefix (str, optional): What is before the names of the module, with or without its dot. Defaults to None.

    Returns:
        dict[str, Tensor]: Tensors under a prefix, by name without it.

    Raises:
        DataError: If none is of the module, or, with a prefix, one has another shape than in the module.
    """
    expected = parameters_of(module)
    asked = f'{prefix.rstrip(".")}.' if prefix else ''
    chosen = _under(asked, tensors)
    # A prefix names a part of a network, which has to fit. Of a whole network, the last layer may have other classes.
    if not expected or (_fitting(chosen, expected) and not (asked and _reshaped(chosen, expected))):
        return chosen
    others = [_under(other, tensors) for other in _PREFIXES if other != asked]
    best = max(others, key=lambda weights: _fitting(weights, expected))
    if _fitting(best, expected) >= _MOST * len(expected):
        return best
    raise DataError(_mismatch(module, chosen, expected, tensors, filename, asked))


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _fitting(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> int:
    return sum(name in weights and weights[name].shape == value.shape for name, value in expected.items())


def _reshaped(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    return [name for name in expected if name in weights and weights[name].shape != expected[name].shape]


def _mismatch(
    module: nn.Module,
    chosen: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    tensors: Mapping[str, Any],
    filename: str,
    prefix: str,
) -> str:
    wanted = f'{filename}: expected weights of {type(module).__name__}, such as {prefix}{next(iter(expected))}'
    reshaped = _reshaped(chosen, expected)
    if reshaped:
        found, shape = tuple(chosen[reshaped[0]].shape), tuple(expected[reshaped[0]].shape)
        return f'{wanted}; {prefix}{reshaped[0]} has the shape {found} instead of {shape}'
    return f'{wanted}, found {first_names(tensors)}; {CONVERTER} converts weights of other projects'


WEIGHT_INITIALIZERS.register_module(name='Pretrained', module=CheckedPretrainedInit, force=True)
