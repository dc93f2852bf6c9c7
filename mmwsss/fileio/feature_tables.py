import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .atomic import atomic_write
from .errors import DataError


def write_feature_table(path: str | Path, image_ids: Sequence[str], features: np.ndarray) -> None:
    """Write one vector of features an image as an ``.npy`` without pickled objects, whole or not at all.

    Features are stored as float16: 1,280 of them take 2.6 kB an image, beside four bytes a letter of the longest id.

    Args:
        path (str | Path): Target ``.npy``, a local file.
        image_ids (sequence[str]): Of each row.
        features (ndarray): Floating-point (N, D).

    Raises:
        ValueError: If the arrays do not fit each other, or a value is not finite in float16.
    """
    with np.errstate(over='ignore'):
        stored = np.asarray(features).astype(np.float16)
    if stored.ndim != 2 or len(stored) != len(image_ids) or 0 in stored.shape:
        raise ValueError(f'features for {path} must be (N, D) of {len(image_ids)} images, got {stored.shape}')
    if not np.isfinite(stored).all():
        raise ValueError(f'features for {path} must be finite in float16')
    longest = max(1, *map(len, image_ids))
    table = np.empty(len(stored), [('image_id', f'U{longest}'), ('features', '<f2', stored.shape[1:])])
    table['image_id'], table['features'] = image_ids, stored
    buffer = io.BytesIO()
    np.save(buffer, table)
    atomic_write(path, buffer.getbuffer())


def read_feature_table(path: str | Path) -> tuple[list[str], np.ndarray]:
    """Read what :func:`write_feature_table` wrote.

    Returns:
        tuple: The image ids, and float16 features (N, D) that stay in the file until they are used.

    Raises:
        DataError: If the file is missing, cut off, or no such table.
    """
    try:
        table = np.lib.format.open_memmap(path, mode='r')
    except Exception as error:  # numpy fails on damaged headers in a dozen ways
        raise DataError(f'{path}: expected a table of features (.npy), got {error}') from error
    fields: Mapping[str, Any] = table.dtype.fields or {}
    features = fields['features'][0] if 'features' in fields else np.dtype('V')
    if set(fields) != {'image_id', 'features'} or features.base != np.float16 or len(features.shape) != 1:
        raise DataError(f'{path}: expected a table of image_id and float16 features, got {table.dtype}')
    try:
        return table['image_id'].tolist(), table['features']
    except (SystemError, ValueError) as error:  # of a number that is no letter
        raise DataError(f'{path}: expected image ids, got {error}') from error
