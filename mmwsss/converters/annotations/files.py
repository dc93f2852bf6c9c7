"""What the formats share: images with their masks, and JSON files that are read strictly."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmwsss.fileio import DataError

_MAX_PIXELS = 1 << 28


class AnnotatedImage(NamedTuple):
    """An image and its mask.

    Attributes:
        image_id (str): Path under the folder of images, without suffix.
        file_name (str): The same with its suffix.
        mask (ndarray): uint8 (H, W) of class indices; 255 where there is no class.
    """

    image_id: str
    file_name: str
    mask: np.ndarray


def load_json(path: str | Path) -> Any:
    """Reads a JSON file.

    Raises:
        DataError: If it is missing or no JSON.
    """
    try:
        return json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f'{path}: expected a JSON file ({error})') from error


def dump_json(value: Any) -> bytes:
    """JSON without line breaks: annotations are large."""
    return json.dumps(value, ensure_ascii=False).encode()


def image_size(height: Any, width: Any, source: str) -> tuple[int, int]:
    """Height and width of an image as a file says them.

    Raises:
        DataError: If they are no sides of an image of at most 268 million pixels.
    """
    if type(height) is not int or type(width) is not int or min(height, width) < 1 or height * width > _MAX_PIXELS:
        raise DataError(f'{source}: expected width and height in pixels, got {width!r} and {height!r}')
    return height, width
