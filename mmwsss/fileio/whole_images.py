import io

import numpy as np
from mmengine import fileio
from PIL import Image, UnidentifiedImageError

from mmwsss.fileio.errors import DataError
from mmwsss.fileio.images import read_image


def check_image(path: str) -> np.ndarray:
    """Read an image and make sure that its file is whole, which :func:`read_image` does not.

    OpenCV decodes a file that is cut off as far as it goes and leaves the rest gray.

    Args:
        path (str): Local file.

    Returns:
        ndarray: uint8 (H, W, 3), BGR, as :func:`read_image` gives it.

    Raises:
        DataError: If the file is missing, empty, no image or cut off.
    """
    image = read_image(path)
    try:
        with Image.open(io.BytesIO(fileio.get(path))) as decoder:
            # A JPEG is decoded at an eighth, which costs little and still reads all of the file.
            decoder.draft('RGB', (1, 1))
            decoder.load()
    except UnidentifiedImageError:
        pass  # a kind of file that Pillow does not know
    except Exception as error:  # Pillow fails on damaged files in a dozen ways
        raise DataError(f'{path}: the image is damaged ({error})') from error
    return image
