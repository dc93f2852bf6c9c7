import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine import fileio
from PIL import Image, UnidentifiedImageError

from .atomic import atomic_write
from .errors import DataError


def write_mask(path: str | Path, mask: np.ndarray, palette: Sequence[Sequence[int]], ignore_index: int = 255) -> None:
    """Write a label map as a palette PNG that any viewer shows in colour.

    Args:
        path (str | Path): Target ``.png``; written whole or not at all.
        mask (ndarray): uint8 (H, W) of class indices.
        palette (sequence): RGB colour of each class, 0 to 255.
        ignore_index (int): Index drawn in near-white. Defaults to 255.

    Raises:
        ValueError: If ``mask`` is not a two-dimensional uint8 array.
    """
    if mask.dtype != np.uint8 or mask.ndim != 2:
        raise ValueError(f'mask must be uint8 (H, W), got {mask.dtype} {mask.shape} for {path}')
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(palette)] = np.asarray(palette, np.uint8)
    colours[ignore_index] = (224, 224, 192)
    image = Image.fromarray(mask)
    image.putpalette(colours.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format='PNG')
    atomic_write(path, buffer.getvalue())


def read_mask(path: str | Path, backend_args: dict | None = None) -> np.ndarray:
    """Read a label map: the stored indices of a palette PNG, or the values of a grey one.

    Returns:
        ndarray: uint8 (H, W).

    Raises:
        DataError: If the file is missing, no image, or has more than one channel.
    """
    try:
        content = fileio.get(str(path), backend_args=backend_args)
        with Image.open(io.BytesIO(content)) as image:
            mask = np.array(image)
    except UnidentifiedImageError as error:
        raise DataError(f'{path}: expected a PNG mask, got a file that is no image') from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f'{path}: the mask cannot be read ({error})') from error
    if mask.ndim != 2:
        raise DataError(f'{path}: expected a mask of one channel with class indices, got shape {mask.shape}')
    if mask.dtype != np.uint8:
        if mask.min() < 0 or mask.max() > 255:
            raise DataError(f'{path}: expected class indices 0 to 255, got {mask.min()} to {mask.max()}')
        mask = mask.astype(np.uint8)
    return mask
