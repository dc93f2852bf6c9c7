import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine import fileio

from .atomic import atomic_write
from .errors import DataError


class Seeds(NamedTuple):
    """Class activation maps of one photograph.

    Attributes:
        class_ids (ndarray): uint8 (K,), data set indices of the classes present, ascending.
        cams (ndarray): float16 (K, h, w) in [0, 1] at a reduced stride.
        size (tuple[int, int]): Height and width of the photograph in pixels.
    """

    class_ids: np.ndarray
    cams: np.ndarray
    size: tuple[int, int]


def write_seeds(path: str | Path, seeds: Seeds) -> None:
    """Write seeds as a compressed ``.npz`` without pickled objects, whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        class_ids=np.asarray(seeds.class_ids, np.uint8),
        cams=np.asarray(seeds.cams, np.float16),
        size=np.asarray(seeds.size, np.int32),
    )
    atomic_write(path, buffer.getvalue())


def read_seeds(path: str | Path, backend_args: dict | None = None) -> Seeds:
    """Read what :func:`write_seeds` wrote.

    Raises:
        DataError: If the file is missing, cut off, or its arrays are not seeds.
    """
    try:
        with np.load(io.BytesIO(fileio.get(str(path), backend_args=backend_args)), allow_pickle=False) as arrays:
            class_ids, cams, size = arrays['class_ids'], arrays['cams'], arrays['size']
    except (OSError, KeyError, ValueError, EOFError, AttributeError, zipfile.BadZipFile, zipfile.zlib.error) as error:
        raise DataError(
            f'{path}: expected seeds (.npz with class_ids, cams and size, as seed inference writes), got {error}'
        ) from error
    if (
        class_ids.dtype != np.uint8
        or class_ids.ndim != 1
        or cams.dtype != np.float16
        or cams.ndim != 3
        or len(cams) != len(class_ids)
        or size.shape != (2,)
    ):
        raise DataError(
            f'{path}: expected uint8 class_ids (K,), float16 cams (K, h, w) and size (2,), got {class_ids.dtype} '
            f'{class_ids.shape}, {cams.dtype} {cams.shape} and {size.shape}'
        )
    if not np.isfinite(cams).all():
        raise DataError(f'{path}: expected finite activations, got NaN or infinity')
    return Seeds(class_ids, cams, (int(size[0]), int(size[1])))
