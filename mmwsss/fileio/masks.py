import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from mmengine import fileio
from PIL import Image, UnidentifiedImageError

from .atomic import atomic_write
from .errors import DataError

IGNORE_COLOR = (224, 224, 192)
_LOSSLESS = ('PNG', 'TIFF', 'BMP', 'GIF', 'PPM')


def write_mask(path: str | Path, mask: np.ndarray, palette: Sequence[Sequence[int]], ignore_index: int = 255) -> None:
    """Write a label map as a palette PNG that any viewer shows in color.

    Args:
        path (str | Path): Target ``.png``; written whole or not at all.
        mask (ndarray): uint8 (H, W) of class indices.
        palette (sequence): RGB color of each class, 0 to 255.
        ignore_index (int): Index drawn in near-white. Defaults to 255.

    Raises:
        ValueError: If ``mask`` is not a two-dimensional uint8 array.
    """
    if mask.dtype != np.uint8 or mask.ndim != 2:
        raise ValueError(f'mask must be uint8 (H, W), got {mask.dtype} {mask.shape} for {path}')
    colors = np.zeros((256, 3), np.uint8)
    colors[: len(palette)] = np.asarray(palette, np.uint8)
    colors[ignore_index] = IGNORE_COLOR
    image = Image.fromarray(mask)
    image.putpalette(colors.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format='PNG')
    atomic_write(path, buffer.getvalue())


def read_mask(path: str | Path, backend_args: dict | None = None) -> np.ndarray:
    """Read a label map: the stored indices of a palette PNG, or the values of a gray one.

    Other lossless formats (TIFF, BMP, GIF, PPM) are read too; a JPEG is not, as it changes the indices.

    Returns:
        ndarray: uint8 (H, W).

    Raises:
        DataError: If the file is missing, no image, or has more than one channel.
    """
    try:
        content = fileio.get(str(path), backend_args=backend_args)
        with Image.open(io.BytesIO(content), formats=_LOSSLESS) as image:
            mask = np.array(image)
    except UnidentifiedImageError as error:
        raise DataError(f'{path}: expected a PNG mask, got a file that is none') from error
    except Exception as error:  # Pillow fails on damaged files in a dozen ways
        raise DataError(f'{path}: the mask cannot be read ({error})') from error
    if mask.ndim != 2:
        raise DataError(f'{path}: expected a mask of one channel with class indices, got shape {mask.shape}')
    if mask.dtype != np.uint8:
        if mask.dtype.kind not in 'biu':
            raise DataError(f'{path}: expected integer class indices, got {mask.dtype}')
        if mask.min() < 0 or mask.max() > 255:
            raise DataError(f'{path}: expected class indices 0 to 255, got {mask.min()} to {mask.max()}')
        mask = mask.astype(np.uint8)
    return mask


def class_of_index(label_map: Mapping[int, int] | None, reduce_zero_label: bool = False) -> Mapping[int, int] | None:
    """What the indices stored in the masks of a data set mean, from the attributes of its samples.

    Args:
        label_map (dict, optional): Index of the configured class for each index of the data set, 255 if the class is
            not configured. A data set with a subset of its classes has one.
        reduce_zero_label (bool): Whether the masks hold 0 where there is no class and the class index plus 1 elsewhere.
            Defaults to False.

    Returns:
        dict | None: For :func:`read_class_mask`; None if stored indices are class indices.
    """
    if not reduce_zero_label:
        return label_map
    shifted = {0: 255, **{index: index - 1 for index in range(1, 255)}}
    return {stored: (label_map or {}).get(index, index) for stored, index in shifted.items()}


def read_class_mask(path: str | Path, num_classes: int, class_of_index: Mapping[int, int] | None = None) -> np.ndarray:
    """Read a label map in the indices of the configured classes.

    Args:
        path (str | Path): Mask file.
        num_classes (int): Number of classes.
        class_of_index (dict, optional): Class index of each stored one, as :func:`class_of_index` gives it. By default,
            stored indices are class indices.

    Returns:
        ndarray: uint8 (H, W), 255 where there is no class.

    Raises:
        DataError: If the file is no mask or holds an index that is no class.
    """
    mask = read_mask(path)
    if class_of_index is not None:
        lookup = np.arange(256, dtype=np.uint8)
        lookup[list(class_of_index)] = list(class_of_index.values())
        mask = lookup[mask]
    highest = int(mask.max(initial=0, where=mask != 255))
    if highest >= num_classes:
        raise DataError(f'{path}: index {highest} is none of the {num_classes} classes')
    return mask
