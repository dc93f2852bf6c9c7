import io

import cv2
import numpy as np
from mmengine import fileio
from PIL import Image

from mmwsss.fileio.errors import DataError

MAX_PIXELS = 1 << 24
# Of `libheif`: images and their sequences, coded by HEVC.
_HEIC_BRANDS = frozenset({b'heic', b'heix', b'heim', b'heis', b'hevc', b'hevx', b'mif1', b'msf1'})
_REDUCED_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def size_reduction(size: tuple[int, int]) -> int:
    """By how much :func:`read_image` divides the sides of an image to stay within ``MAX_PIXELS``.

    Args:
        size (tuple[int, int]): Its two sides in pixels.

    Returns:
        int: 1, 2, 4 or 8.
    """
    return next((factor for factor in (1, 2, 4) if size[0] * size[1] <= MAX_PIXELS * factor**2), 8)


def read_image(path: str, reduce: int = 1, backend_args: dict | None = None, channel_order: str = 'bgr') -> np.ndarray:
    """Read an image. Every stage reads through here, so that all of them see the same pixels.

    EXIF rotation is applied, gray becomes three equal channels, an alpha channel is dropped and 16 bits become 8.
    An image of more than ``MAX_PIXELS`` (16.8 million) is read at a half, a quarter or an eighth of each side,
    whatever fits, and that is its size for every stage: seeds, affinity labels and pseudo masks have it too.

    Args:
        path (str): File of any kind that OpenCV decodes and Pillow knows, or HEIC, of which `pillow-heif` is needed.
        reduce (int): 1, 2, 4 or 8: decode at a half, a quarter or an eighth of each side of that size, which for JPEG
            skips most of the work. Defaults to 1.
        backend_args (dict, optional): Arguments of mmengine's file backend. Defaults to None.
        channel_order (str): 'bgr' or 'rgb'. Defaults to 'bgr'.

    Returns:
        ndarray: uint8 (H, W, 3).

    Raises:
        DataError: If the file is missing, empty, not an image, or has more pixels than Pillow's limit against
            decompression bombs, 179 million.
    """
    if reduce not in _REDUCED_FLAGS:
        raise ValueError(f'reduce must be one of {sorted(_REDUCED_FLAGS)}, got {reduce}')
    if channel_order not in ('bgr', 'rgb'):
        raise ValueError(f"channel_order must be 'bgr' or 'rgb', got {channel_order!r}")
    content = _content(path, backend_args)
    if _is_heic(content):
        decoded = _decode_heic(content, path, reduce)
        return decoded if channel_order == 'bgr' else swap_channels(decoded)
    factor = min(8, reduce * size_reduction(_size_of(content, path)))
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), _REDUCED_FLAGS[factor])
    except cv2.error as error:
        raise DataError(f'{path}: the image cannot be decoded ({error.err})') from error
    if image is None:
        raise DataError(f'{path}: expected an image file, got {len(content)} bytes that do not decode')
    return image if channel_order == 'bgr' else swap_channels(image)


def swap_channels(image: np.ndarray) -> np.ndarray:
    """RGB (H, W, 3) of BGR, or BGR of RGB."""
    return np.ascontiguousarray(image[:, :, ::-1])


def _content(path: str, backend_args: dict | None) -> bytes:
    try:
        return fileio.get(path, backend_args=backend_args)
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise DataError(f'{path}: the image cannot be read ({reason})') from error


def _is_heic(content: bytes) -> bool:
    """Whether a file says that it is HEIC, which telephones write."""
    return content[4:8] == b'ftyp' and content[8:12] in _HEIC_BRANDS


def _decode_heic(content: bytes, path: str, reduce: int) -> np.ndarray:
    try:
        import pillow_heif
    except ImportError as error:
        raise DataError(f"{path}: a HEIC image needs pillow-heif; `pip install 'mmwsss[heic]'` installs it") from error
    try:
        image = pillow_heif.open_heif(content, convert_hdr_to_8bit=True).to_pillow().convert('RGB')
    except Exception as error:  # libheif fails on damaged files in a dozen ways
        raise DataError(f'{path}: the image is damaged ({error})') from error
    factor = min(8, reduce * size_reduction(image.size))
    return swap_channels(np.asarray(image.reduce(factor) if factor > 1 else image))


def _size_of(content: bytes, path: str) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size
    except Image.DecompressionBombError as error:
        raise DataError(f'{path}: expected an image of at most 179 million pixels ({error})') from error
    except Exception as error:  # Pillow fails on damaged files in a dozen ways
        raise DataError(f'{path}: expected an image file, got {len(content)} bytes that do not decode') from error
