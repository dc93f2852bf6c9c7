import io
from pathlib import Path

import numpy as np
from mmengine import fileio

from mmwsss.structures import Seeds

from .atomic import atomic_write
from .errors import DataError

_MAX_BYTES = 1 << 30


def write_seeds(path: str | Path, seeds: Seeds) -> None:
    """Write seeds as a compressed ``.npz`` without pickled objects, whole or not at all.

    Raises:
        ValueError: If the arrays are not what :class:`Seeds` says.
    """
    class_ids, cams = np.asarray(seeds.class_ids, np.uint8), np.asarray(seeds.cams, np.float16)
    size = np.asarray(seeds.size, np.int32)
    problem = _problem(class_ids, cams, size)
    if problem:
        raise ValueError(f'seeds cannot be written to {path}: expected {problem}')
    buffer = io.BytesIO()
    np.savez_compressed(buffer, class_ids=class_ids, cams=cams, size=size)
    atomic_write(path, buffer.getvalue())


def read_seeds(path: str | Path, backend_args: dict | None = None) -> Seeds:
    """Read what :func:`write_seeds` wrote.

    Raises:
        DataError: If the file is missing, cut off, its arrays are not seeds, or they take more than a gibibyte.
    """
    try:
        with np.load(io.BytesIO(fileio.get(str(path), backend_args=backend_args)), allow_pickle=False) as arrays:
            if sum(member.file_size for member in arrays.zip.infolist()) > _MAX_BYTES:
                raise ValueError('arrays of more than a gibibyte')
            class_ids, cams, size = arrays['class_ids'], arrays['cams'], arrays['size']
    except Exception as error:  # zipfile, zlib and numpy fail on damaged files in a dozen ways
        raise DataError(
            f'{path}: expected seeds (.npz with class_ids, cams and size, as seed inference writes), got {error}'
        ) from error
    problem = _problem(class_ids, cams, size)
    if problem:
        raise DataError(f'{path}: expected {problem}')
    return Seeds(class_ids, cams, (int(size[0]), int(size[1])))


def _problem(class_ids: np.ndarray, cams: np.ndarray, size: np.ndarray) -> str | None:
    """What arrays should have been, and are, that are no :class:`Seeds`."""
    kinds: tuple = (class_ids.dtype, class_ids.ndim, cams.dtype, cams.ndim, size.dtype.kind, size.shape)
    if kinds != (np.uint8, 1, np.float16, 3, 'i', (2,)) or len(cams) != len(class_ids) or 0 in cams.shape[1:]:
        return (
            f'uint8 class_ids (K,), float16 cams (K, h, w) and integer size (2,), got {class_ids.dtype} '
            f'{class_ids.shape}, {cams.dtype} {cams.shape} and {size.dtype} {size.shape}'
        )
    if (np.diff(class_ids.astype(int)) <= 0).any():
        return f'ascending class_ids, got {class_ids.tolist()}'
    if size.min() < 1:
        return f'a positive height and width, got {size.tolist()}'
    if not ((cams >= 0) & (cams <= 1)).all():
        return 'activations in [0, 1], got others or NaN'
    return None
