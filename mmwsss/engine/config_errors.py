"""Mistakes in configs, told in one line."""

import difflib
import errno
import inspect
import reprlib
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.registry import OPTIMIZERS

import mmwsss
from mmwsss.fileio import DataError

_RUNNER_KEYS = frozenset(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'}
_OTHER_KEYS = frozenset(
    {
        'activation_checkpointing',
        'auto_scale_lr',
        'compile',
        'custom_imports',
        'efficient_conv_bn_eval',
        'find_unused_parameters',
        'model_wrapper_cfg',
        'runner_type',
        'test_tta',
        'tta_model',
        'tta_pipeline',
    }
)
# Top-level keys that the runner, or a tool around it, reads.
KNOWN_KEYS = _RUNNER_KEYS | _OTHER_KEYS
_PACKAGE = str(Path(mmwsss.__file__).parent)
_SIMILAR = 0.85
_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO})


def check_keys(cfg: Config, path: str) -> None:
    """Refuses top-level keys that are one the runner knows, misspelt; others are variables of the config.

    Raises:
        DataError: Naming the key and what it is like.
    """
    for key in set(cfg) - KNOWN_KEYS:
        similar = difflib.get_close_matches(key, _RUNNER_KEYS - set(cfg), 1, _SIMILAR)
        if similar:
            raise DataError(f'{path}: unknown key {key!r}; expected {similar[0]!r}')


def check_options(cfg: Config, options: Iterable[str]) -> None:
    """Refuses overrides of keys that neither the config has nor the runner knows, which would have no effect.

    Raises:
        DataError: Naming the key.
    """
    known = set(cfg) | KNOWN_KEYS
    for option in options:
        key = option.split('.')[0]
        if key not in known:
            similar = difflib.get_close_matches(key, known, 1, 0.6)
            hint = f'; is it {similar[0]!r}?' if similar else ''
            raise DataError(f'--cfg-options: the config has no {key!r}{hint}')


def require(cfg: Config, names: Iterable[str]) -> None:
    """Refuses a config without what a tool needs.

    Raises:
        DataError: Naming what is missing.
    """
    missing = [name for name in names if cfg.get(name) is None]
    if missing:
        raise DataError(f'{cfg.filename or "config"}: expected {", ".join(missing)}')


def check_optimizer(cfg: Config) -> None:
    """Refuses an optimizer that is not registered, of which mmengine says only that None is not callable.

    Raises:
        DataError: Naming it.
    """
    kind = (cfg.optim_wrapper.get('optimizer') or {}).get('type')
    if isinstance(kind, str) and OPTIMIZERS.get(kind) is None:
        raise DataError(f'config: optim_wrapper.optimizer.type: {kind} is not in the registry of optimizers')


def describe_mistake(error: BaseException) -> str | None:
    """One line for an error that a config or data caused, None for any other.

    Those are errors of this package about its input, also from a worker of a data loader, files that cannot be written
    or read, and any error while mmengine builds a component from the config.
    """
    text = str(error).rstrip()
    if isinstance(error, DataError):
        return text.rpartition(f'{DataError.__name__}: ')[2] if text.startswith('Caught ') else text
    if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
        return f'{error.filename}: {error.strerror}' if error.filename else error.strerror
    frames = list(traceback.walk_tb(error.__traceback__))
    built = [frame for frame, _ in frames if frame.f_code.co_name == 'build_from_cfg']
    if built:
        return f'config: {_component(built[-1].f_locals)}: {text or _failed_check(error)}'
    if isinstance(error, ValueError) and frames[-1][0].f_code.co_filename.startswith(_PACKAGE):
        return text
    return None


def _component(variables: Mapping[str, Any]) -> str:
    """The component that was being built, with its plain arguments."""
    kind, arguments = variables.get('obj_type') or variables['cfg'].get('type'), variables.get('args', {})
    plain = {name: value for name, value in arguments.items() if isinstance(value, str | int | float | None)}
    listed = ', '.join(f'{name}={reprlib.repr(value)}' for name, value in plain.items())
    return f'{getattr(kind, "__name__", kind)}({listed})'


def _failed_check(error: BaseException) -> str:
    """The source line that failed, of an assertion without a message."""
    failed = traceback.extract_tb(error.__traceback__)[-1].line
    return f'{type(error).__name__} of "{failed}"'
