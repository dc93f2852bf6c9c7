from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from .errors import DataError


def encode_rle(mask: np.ndarray) -> dict:
    """Encode a binary mask as COCO's compressed run-length encoding, ready for JSON.

    Args:
        mask (ndarray): bool (H, W).

    Returns:
        dict: ``size`` (``[H, W]``) and ``counts`` (str, ASCII).

    Raises:
        ValueError: If ``mask`` is not two-dimensional bool.
    """
    if mask.dtype != bool or mask.ndim != 2:
        raise ValueError(f'mask must be bool (H, W), got {mask.dtype} {mask.shape}')
    encoded = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return dict(size=list(mask.shape), counts=encoded['counts'].decode())


def decode_rle(rle: Any, size: tuple[int, int], source: str) -> np.ndarray:
    """Decode COCO's run-length encoding, compressed or not. Every byte of it is checked.

    Args:
        rle (dict): ``size`` (``[H, W]``) and ``counts``: ASCII text, or a list of run lengths that starts with zeros.
        size (tuple[int, int]): Height and width of the image.
        source (str): Where it comes from, for the message.

    Returns:
        ndarray: bool (H, W).

    Raises:
        DataError: If it is no run-length encoding, or one of a mask of another size.

    Examples:
        >>> decode_rle(dict(size=[2, 3], counts=[1, 2, 3]), (2, 3), 'a.json').astype(int).tolist()
        [[0, 1, 0], [1, 0, 0]]
    """
    if not isinstance(rle, dict) or not {'size', 'counts'} <= rle.keys():
        raise DataError(f'{source}: expected a run-length encoding of size and counts')
    if rle['size'] != [*size]:
        raise DataError(f'{source}.size: expected that of the image, {[*size]}, got {rle["size"]}')
    counts = rle['counts']
    runs = _parse_counts(counts, source) if isinstance(counts, str) else counts
    return decode_runs(runs, size[0] * size[1], f'{source}.counts').reshape(size, order='F')


def decode_runs(runs: Any, total: int, source: str) -> np.ndarray:
    """Decode lengths of runs that are zeros and ones in turn.

    Args:
        runs (sequence[int]): Lengths, the first of zeros.
        total (int): Number of pixels.
        source (str): Where they come from, for the message.

    Returns:
        ndarray: bool (total,).

    Raises:
        DataError: If they are no such lengths, or their sum is not ``total``.
    """
    try:
        lengths = np.asarray(runs)
    except ValueError:  # lists of several lengths
        lengths = np.zeros((0, 0))
    if lengths.ndim != 1 or lengths.dtype.kind not in 'iu' or (lengths < 0).any():
        raise DataError(f'{source}: expected a list of run lengths, integers of at least 0')
    if (covered := sum(map(int, lengths))) != total:
        raise DataError(f'{source}: expected run lengths of {total:,} pixels together, got {covered:,}')
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)


def _parse_counts(text: str, source: str) -> np.ndarray:
    """Run lengths of COCO's text: five bits a character, the lowest first, as differences from the run before last."""
    try:
        codes = np.frombuffer(text.encode('ascii'), np.uint8).astype(np.int64) - 48
    except UnicodeEncodeError as error:
        raise DataError(f'{source}.counts: expected ASCII text') from error
    last = (codes & 32) == 0
    if len(codes) == 0 or ((codes < 0) | (codes > 63)).any() or not last[-1]:
        raise DataError(f'{source}.counts: expected compressed run lengths, got text that is none or is cut off')
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    places = np.arange(len(codes)) - np.repeat(starts, ends - starts + 1)
    if places.max() > 6:
        raise DataError(f'{source}.counts: expected compressed run lengths, got one of more than 35 bits')
    values = np.add.reduceat((codes & 31) << (5 * places), starts)
    values -= ((codes[ends] & 16) != 0) * (np.int64(1) << (5 * (ends - starts + 1)))
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values
