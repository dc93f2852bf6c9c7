import io
from pathlib import Path

import numpy as np
from mmengine import fileio

from .atomic import atomic_write
from .errors import DataError

_MAX_BYTES = 1 << 30


def write_features(path: str | Path, features: np.ndarray) -> None:
    """Write the features of an image as an ``.npz`` without pickled objects, whole or not at all.

    They are stored as float16, which does not compress: 2 D bytes a cell. 80 channels at stride 16 of an image of
    448 x 336 pixels take 94 kB.

    Args:
        path (str | Path): Target ``.npz``.
        features (ndarray): Floating-point (D, h, w).

    Raises:
        ValueError: If the array is of another shape, or a value is not finite in float16.
    """
    with np.errstate(over='ignore'):
        stored = np.asarray(features).astype(np.float16)
    problem = _problem(stored)
    if problem:
        raise ValueError(f'features cannot be written to {path}: expected {problem}')
    buffer = io.BytesIO()
    np.savez(buffer, features=stored)
    atomic_write(path, buffer.getvalue())


def read_features(path: str | Path) -> np.ndarray:
    """Read what :func:`write_features` wrote, float16 (D, h, w).

    Raises:
        DataError: If the file is missing, cut off, its array is no features, or takes more than a gibibyte.
    """
    try:
        with np.load(io.BytesIO(fileio.get(str(path))), allow_pickle=False) as arrays:
            if sum(member.file_size for member in arrays.zip.infolist()) > _MAX_BYTES:
                raise ValueError('arrays of more than a gibibyte')
            features = arrays['features']
    except Exception as error:  # zipfile, zlib and numpy fail on damaged files in a dozen ways
        raise DataError(f'{path}: expected features (.npz with features), got {error}') from error
    problem = _problem(features)
    if problem:
        raise DataError(f'{path}: expected {problem}')
    return features


def _problem(features: np.ndarray) -> str | None:
    """What an array should have been, and is, that is no features."""
    if features.dtype != np.float16 or features.ndim != 3 or 0 in features.shape:
        return f'float16 features (D, h, w), got {features.dtype} {features.shape}'
    if not np.isfinite(features).all():
        return 'finite features, got others'
    return None
