import io
from pathlib import Path

import numpy as np
from mmengine import fileio

from mmwsss.structures import AffinityField

from .atomic import atomic_write
from .errors import DataError

_MAX_BYTES = 1 << 30
_LEVELS = 255


def quantize_affinity(affinity: np.ndarray) -> np.ndarray:
    """Affinities in [0, 1] as uint8, rounded to 1 / 255: the error is at most 0.002."""
    return np.rint(np.asarray(affinity, np.float32) * _LEVELS).astype(np.uint8)


def restore_affinity(affinity: np.ndarray) -> np.ndarray:
    """Affinities of :func:`quantize_affinity` as float32 in [0, 1]."""
    return affinity.astype(np.float32) / _LEVELS


def write_affinity(path: str | Path, field: AffinityField) -> None:
    """Write an affinity field as a compressed ``.npz`` without pickled objects, whole or not at all.

    Affinities are stored as uint8, rounded to 1 / 255. That is P bytes a cell before compression: an image of
    320 x 240 pixels with stride 8 and radius 5 takes 41 kB at most.

    Args:
        path (str | Path): Target ``.npz``.
        field (AffinityField): What to write; uint8 affinities of :func:`quantize_affinity` are written as they are.

    Raises:
        ValueError: If the arrays are not what :class:`AffinityField` says.
    """
    affinity = np.asarray(field.affinity)
    if affinity.dtype != np.uint8:
        if not ((affinity >= 0) & (affinity <= 1)).all():
            raise ValueError(f'affinities for {path} must be in [0, 1]')
        affinity = quantize_affinity(affinity)
    size, stride = np.asarray(field.size, np.int32), np.asarray(field.stride, np.int32)
    problem = _problem(affinity, size, stride)
    if problem:
        raise ValueError(f'affinities cannot be written to {path}: expected {problem}')
    buffer = io.BytesIO()
    np.savez_compressed(buffer, affinity=affinity, size=size, stride=stride)
    atomic_write(path, buffer.getvalue())


def read_affinity(path: str | Path) -> AffinityField:
    """Read what :func:`write_affinity` wrote.

    Raises:
        DataError: If the file is missing, cut off, its arrays are no affinities, or they take more than a gibibyte.
    """
    try:
        with np.load(io.BytesIO(fileio.get(str(path))), allow_pickle=False) as arrays:
            if sum(member.file_size for member in arrays.zip.infolist()) > _MAX_BYTES:
                raise ValueError('arrays of more than a gibibyte')
            affinity, size, stride = arrays['affinity'], arrays['size'], arrays['stride']
    except Exception as error:  # zipfile, zlib and numpy fail on damaged files in a dozen ways
        raise DataError(f'{path}: expected affinities (.npz with affinity, size and stride), got {error}') from error
    problem = _problem(affinity, size, stride)
    if problem:
        raise DataError(f'{path}: expected {problem}')
    return AffinityField(restore_affinity(affinity), (int(size[0]), int(size[1])), int(stride))


def _problem(affinity: np.ndarray, size: np.ndarray, stride: np.ndarray) -> str | None:
    """What arrays should have been, and are, that are no :class:`AffinityField`."""
    kinds: tuple = (affinity.dtype, affinity.ndim, size.dtype.kind, size.shape, stride.dtype.kind, stride.shape)
    if kinds != (np.uint8, 3, 'i', (2,), 'i', ()) or 0 in affinity.shape:
        return (
            f'uint8 affinity (P, h, w), integer size (2,) and stride, got {affinity.dtype} {affinity.shape}, '
            f'{size.dtype} {size.shape} and {stride.dtype} {stride.shape}'
        )
    if size.min() < 1 or stride < 1:
        return f'a positive size and stride, got {size.tolist()} and {stride}'
    cells = tuple(-(-int(side) // int(stride)) for side in size)
    if not (affinity.shape[1] >= cells[0] and affinity.shape[2] >= cells[1]):
        return f'at least {cells} cells of {stride} pixels for {size.tolist()} pixels, got {affinity.shape[1:]}'
    return None
