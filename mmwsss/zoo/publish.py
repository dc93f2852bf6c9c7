"""Checkpoints for others: weights and what they need, without the state of a training."""

import hashlib
import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine import fileio

from mmwsss.engine import find_trained_checkpoint
from mmwsss.fileio import DataError, atomic_write, is_remote
from mmwsss.fileio.checkpoints import load_from_local
from mmwsss.fileio.state_dicts import state_dict_of

# Times and names of single runs are left out, so that the same weights give the same file.
_META = ('cfg', 'dataset_meta', 'epoch', 'iter', 'mmengine_version', 'mmwsss_version', 'seed')
_HASH_DIGITS = 8
_ABSOLUTE = re.compile(r"""['"](/[^'"\n]+)['"]""")


class Published(NamedTuple):
    """A published checkpoint.

    Attributes:
        path (str): The file.
        sha256 (str): Of its content, 64 hexadecimal digits; the name of the file ends with the first 8 of them.
        absolute_paths (list[str]): Paths of a machine that the config in it names.
    """

    path: str
    sha256: str
    absolute_paths: list[str]


def publish(checkpoint: str | Path, out_dir: str | Path, name: str) -> Published:
    """Writes the weights of a checkpoint as ``<name>-<first 8 digits of SHA-256>.pth``, whole or not at all.

    The file has `state_dict` and of `meta` what inference needs: the classes (`dataset_meta`), the config, iterations,
    seed and versions. Left out are the state of the optimizer and of schedules, the message hub and other weights: a
    checkpoint of a training with an average (`EMAHook`) has the average in `state_dict`. The file can be read with
    ``torch.load(path, weights_only=True)``.

    Args:
        checkpoint (str | Path): File, or a folder of a stage, whose last checkpoint is taken.
        out_dir (str | Path): Folder, also of an object storage, such as ``s3://bucket/models``.
        name (str): First part of the name of the file.

    Returns:
        Published: The file.

    Raises:
        DataError: If there is no checkpoint, it has no weights, or the file is there already.
    """
    found = _find(checkpoint)
    loaded = load_from_local(found, map_location='cpu')
    weights = {key: value.detach().clone() for key, value in state_dict_of(loaded, found).items()}
    meta = loaded.get('meta', {}) if isinstance(loaded.get('meta'), Mapping) else {}
    kept = {key: _plain(meta[key]) for key in _META if key in meta}
    buffer = io.BytesIO()
    torch.save(dict(meta=kept, state_dict=weights), buffer)
    content = buffer.getvalue()
    # What cannot be read in the strictest way is not published.
    torch.load(io.BytesIO(content), map_location='cpu', weights_only=True)
    digest = hashlib.sha256(content).hexdigest()
    path = os.path.join(str(out_dir), f'{name}-{digest[:_HASH_DIGITS]}.pth')
    if fileio.exists(path) if is_remote(path) else os.path.exists(path):
        raise DataError(f'{path}: expected no such file; a published one is never overwritten')
    atomic_write(path, content, durable=True)
    return Published(path, digest, sorted(set(_ABSOLUTE.findall(str(kept.get('cfg', ''))))))


def _find(checkpoint: str | Path) -> str:
    if not os.path.isdir(checkpoint):
        return str(checkpoint)
    found = find_trained_checkpoint(str(checkpoint))
    if found is None:
        raise DataError(f'{checkpoint}: expected a checkpoint that a training wrote, found none')
    return found


def _plain(value: Any) -> Any:
    """Values of what a checkpoint says, with arrays as lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return value.tolist() if hasattr(value, 'tolist') else value


def name_of_leaf(leaf: str) -> str:
    """Name of the weights of a config, from its place below ``configs``.

    Examples:
        >>> name_of_leaf('configs/fast/voc12/efficientnet_lite1/segmentor.py')
        'fast_voc12_efficientnet_lite1_segmentor'
    """
    parts = Path(leaf).with_suffix('').parts
    return '_'.join(parts[parts.index('configs') + 1 :] if 'configs' in parts else parts[-1:])


def metafile_lines(published: Published, leaf: str | None, url: str | None) -> str:
    """Lines of the entry of a model in `metafile.yml`; figures are filled in by `tools/benchmark.py --tables`.

    Args:
        published (Published): The checkpoint.
        leaf (str, optional): Its config. None where it is not known.
        url (str, optional): Address of the folder; None leaves `Weights` out.
    """
    lines = [f'    Config: {os.path.relpath(leaf)}'] if leaf else []
    lines += ['    Metadata:', f'      Weights SHA256: {published.sha256}']
    if url:
        lines.append(f'    Weights: {url.rstrip("/")}/{published.path.rpartition("/")[2]}')
    return '\n'.join(lines)
