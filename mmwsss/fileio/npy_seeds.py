"""The seeds of the field: activation maps in ``.npy`` files that hold a pickled dict.

Classes are counted from 0 without the background in all of them. Layouts, with H x W the size of the image:

- ``psa`` (AffinityNet's code; SEAM, MCTformer): ``{class: map (H, W)}``.
- ``irn`` (IRNet's code; AdvCAM, ReCAM and many more): ``keys`` (K,), ``high_res`` (K, H, W) and ``cam`` (K, h, w), the
  same at a quarter of each side; ``keys`` and ``cam`` are torch tensors.
- ``clip_es`` (CLIP-ES): ``keys`` (K,) and ``attn_highres`` float16 (K, H, W).
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .atomic import atomic_write
from .errors import DataError
from .restricted_pickle import read_npy_object
from .seeds import Seeds

LAYOUTS = ('psa', 'irn', 'clip_es')
_FULL_SIZE = ('high_res', 'highres', 'attn_highres')
_TOLERANCE = 1e-3
_MAX_BYTES = 1 << 30


def read_npy_seeds(
    path: str | Path,
    size: tuple[int, int] | None = None,
    maps: str | None = None,
    first_class: int = 1,
    stride: int = 4,
    normalize: bool = False,
) -> Seeds:
    """Read seeds of any of the layouts above, without running anything that the file names.

    Args:
        path (str | Path): The ``.npy`` file.
        size (tuple[int, int], optional): Height and width of the image. Needed where the file has no map of that
            size; else checked. Defaults to None.
        maps (str, optional): Entry with the maps, in files that have ``keys``. Defaults to None: the full-size one, or
            ``cam``.
        first_class (int): Class index of key 0: 1 behind a background, 0 where there is none. Defaults to 1.
        stride (int): Maps are averaged to cells of this many pixels, as our own seeds are. Defaults to 4.
        normalize (bool): Cut off negative activations and divide each map by its maximum. Defaults to False.

    Returns:
        Seeds: Classes in ascending order.

    Raises:
        DataError: If the file is missing, cut off, holds more than arrays, dicts and numbers, or is of no layout.
    """
    value = read_npy_object(path)
    if isinstance(value, dict) and not value and size is not None:
        cells = tuple(-(-side // stride) for side in size)
        return Seeds(np.zeros(0, np.uint8), np.zeros((0, *cells), np.float16), (size[0], size[1]))
    keys, cams, full_size = _keys_and_maps(path, value, maps)
    if size is None:
        if not full_size:
            raise DataError(f'{path}: expected maps of the size of the image; without, that size must be given')
        size = (cams.shape[1], cams.shape[2])
    elif full_size and cams.shape[1:] != tuple(size):
        raise DataError(f'{path}: expected maps of the size of the image {tuple(size)}, got {cams.shape[1:]}')
    class_ids = keys + first_class
    if len(set(class_ids.tolist())) != len(class_ids) or ((class_ids < first_class) | (class_ids > 254)).any():
        raise DataError(f'{path}: expected keys from 0 to {254 - first_class}, each once, got {keys.tolist()}')
    order = np.argsort(class_ids)
    cams = _in_unit_range(path, cams[order].astype(np.float32), normalize)
    cells = (-(-size[0] // stride), -(-size[1] // stride))
    if cells[0] < cams.shape[1] or cells[1] < cams.shape[2]:
        cams = _resize(cams, cells, cv2.INTER_AREA)
    return Seeds(class_ids[order].astype(np.uint8), cams.astype(np.float16), (int(size[0]), int(size[1])))


def _keys_and_maps(path: str | Path, value: Any, name: str | None) -> tuple[np.ndarray, np.ndarray, bool]:
    """Integer keys (K,), maps (K, h, w), and whether these have the size of the image."""
    if not isinstance(value, Mapping):
        raise DataError(f'{path}: expected a dict of activation maps, got {type(value).__name__}')
    if 'keys' in value or 'key' in value:
        candidates = (name,) if name else (*_FULL_SIZE, 'cam')
        found = next((entry for entry in candidates if entry in value), None)
        if found is None:
            raise DataError(f'{path}: expected maps under {" or ".join(candidates)}, got {", ".join(map(str, value))}')
        keys, cams = np.asarray(value.get('keys', value.get('key'))).reshape(-1), np.asarray(value[found])
        full_size = found in _FULL_SIZE
    elif value and all(isinstance(key, int) and not isinstance(key, bool) for key in value):
        keys, planes = np.array(list(value)), [np.asarray(plane) for plane in value.values()]
        if len({plane.shape for plane in planes}) != 1:
            raise DataError(f'{path}: expected maps of one size, got {", ".join(str(p.shape) for p in planes)}')
        if sum(plane.nbytes for plane in planes) > _MAX_BYTES:
            raise DataError(f'{path}: expected maps of at most a gibibyte together')
        cams, full_size = np.stack(planes), True
    else:
        raise DataError(
            f'{path}: expected {{class: map}} or keys and maps, got a dict of {", ".join(map(str, value)) or "nothing"}'
        )
    if not len(keys):
        keys = keys.astype(np.int64)
    if keys.dtype.kind not in 'iu' or cams.dtype.kind not in 'fiu' or cams.ndim != 3 or len(cams) != len(keys):
        raise DataError(
            f'{path}: expected integer keys (K,) and maps (K, h, w), got {keys.dtype} {keys.shape} and '
            f'{cams.dtype} {cams.shape}'
        )
    if 0 in cams.shape[1:]:
        raise DataError(f'{path}: expected maps of at least one cell, got {cams.shape}')
    return keys.astype(np.int64), cams, full_size


def _in_unit_range(path: str | Path, cams: np.ndarray, normalize: bool) -> np.ndarray:
    if not np.isfinite(cams).all():
        raise DataError(f'{path}: expected finite activations, got NaN or infinity')
    if normalize:
        cams = cams.clip(0)
        return cams / (cams.max((1, 2), keepdims=True) + 1e-5)
    if cams.size and not -_TOLERANCE <= cams.min() <= cams.max() <= 1 + _TOLERANCE:
        raise DataError(
            f'{path}: expected activations in [0, 1], got {cams.min():.3g} to {cams.max():.3g}; normalize them'
        )
    return cams.clip(0, 1)


def _resize(cams: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
    resized = [cv2.resize(cam, tuple(size)[::-1], interpolation=interpolation) for cam in cams]
    return np.stack(resized) if resized else np.zeros((0, *size), np.float32)


def write_npy_seeds(path: str | Path, seeds: Seeds, layout: str = 'irn', first_class: int = 1) -> None:
    """Write seeds as other code reads them, whole or not at all.

    The maps of the image's size are interpolated bilinearly; of an image without classes, ``psa`` holds an
    empty dict, without its size. The file is a pickle of arrays, as that code expects; numpy 1.26 or later reads it.

    Args:
        path (str | Path): Target ``.npy``.
        seeds (Seeds): What to write.
        layout (str): ``'psa'``, ``'irn'`` or ``'clip_es'``. Defaults to ``'irn'``.
        first_class (int): Class index that becomes key 0. Defaults to 1.

    Raises:
        ValueError: If the layout is unknown or a class comes before the first.
    """
    if layout not in LAYOUTS:
        raise ValueError(f'layout must be one of {LAYOUTS}, got {layout!r}')
    keys = seeds.class_ids.astype(np.int64) - first_class
    if (keys < 0).any():
        raise ValueError(f'seeds for {path} have class {seeds.class_ids.min()}, before the first, {first_class}')
    cams = seeds.cams.astype(np.float32)
    full = _resize(cams, seeds.size, cv2.INTER_LINEAR)
    if layout == 'psa':
        value = dict(zip(keys.tolist(), full))
    elif layout == 'clip_es':
        value = dict(keys=keys, attn_highres=full.astype(np.float16))
    else:
        import torch

        height, width = seeds.size
        quarter = _resize(full, (-(-height // 4), -(-width // 4)), cv2.INTER_AREA)
        value = dict(keys=torch.from_numpy(keys), cam=torch.from_numpy(quarter), high_res=full)
    buffer = io.BytesIO()
    np.save(buffer, np.array(value, dtype=object), allow_pickle=True)
    atomic_write(path, buffer.getvalue())
