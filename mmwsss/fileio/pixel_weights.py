import io
from pathlib import Path

import numpy as np
from mmengine import fileio
from PIL import Image

from .atomic import atomic_write
from .errors import DataError

FULL_WEIGHT = 255


def write_pixel_weights(path: str | Path, weights: np.ndarray) -> None:
    """Write how much each pixel counts as a gray PNG, rounded to 1 / 255; whole or not at all.

    Args:
        path (str | Path): Target ``.png``.
        weights (ndarray): Floating-point (H, W) in [0, 1].

    Raises:
        ValueError: If the weights have another shape or dtype, or others are among them, or NaN.
    """
    if weights.ndim != 2 or weights.dtype.kind != 'f' or not ((weights >= 0) & (weights <= 1)).all():
        raise ValueError(
            f'weights must be floating-point (H, W) in [0, 1], got {weights.dtype} {weights.shape}: {path}'
        )
    buffer = io.BytesIO()
    Image.fromarray((weights * FULL_WEIGHT).round().astype(np.uint8)).save(buffer, format='PNG')
    atomic_write(path, buffer.getvalue())


def read_pixel_weights(path: str | Path, backend_args: dict | None = None) -> np.ndarray:
    """Read what :func:`write_pixel_weights` wrote.

    Returns:
        ndarray: uint8 (H, W), 255 for a weight of 1.

    Raises:
        DataError: If the file is missing or no gray PNG of 8 bits, such as a mask.
    """
    try:
        with Image.open(io.BytesIO(fileio.get(str(path), backend_args=backend_args)), formats=('PNG',)) as image:
            mode, weights = image.mode, np.array(image)
    except Exception as error:  # Pillow fails on damaged files in a dozen ways
        raise DataError(f'{path}: expected weights of pixels, a gray PNG that can be read ({error})') from error
    if mode != 'L':
        raise DataError(f'{path}: expected weights of pixels, a gray PNG of 8 bits, got mode {mode}')
    return weights
