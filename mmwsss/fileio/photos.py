import cv2
import numpy as np
from mmengine import fileio

from .errors import DataError

_REDUCED_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def read_photo(path: str, reduce: int = 1, backend_args: dict | None = None) -> np.ndarray:
    """Read a photograph. Every step reads through here, so that all of them see the same pixels.

    EXIF rotation is applied, grey becomes three equal channels, an alpha channel is dropped and 16 bits become 8.

    Args:
        path (str): File of any kind that OpenCV decodes.
        reduce (int): 1, 2, 4 or 8: decode at a half, a quarter or an eighth of each side, which for JPEG skips most
            of the work. Defaults to 1.
        backend_args (dict, optional): Arguments of mmengine's file backend. Defaults to None.

    Returns:
        ndarray: uint8 (H, W, 3), BGR.

    Raises:
        DataError: If the file is missing, empty or not an image.
    """
    if reduce not in _REDUCED_FLAGS:
        raise ValueError(f'reduce must be one of {sorted(_REDUCED_FLAGS)}, got {reduce}')
    try:
        content = fileio.get(path, backend_args=backend_args)
    except OSError as error:
        raise DataError(f'{path}: the photograph cannot be read ({error.strerror or error})') from error
    buffer = np.frombuffer(content, np.uint8)
    try:
        image = cv2.imdecode(buffer, _REDUCED_FLAGS[reduce]) if buffer.size else None
    except cv2.error as error:
        raise DataError(f'{path}: the photograph cannot be decoded ({error.err})') from error
    if image is None:
        raise DataError(f'{path}: expected an image file, got {len(content)} bytes that do not decode')
    return image
