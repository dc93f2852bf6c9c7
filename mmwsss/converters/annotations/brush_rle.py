"""The run-length encoding of Label Studio's brush.

It holds the RGBA values of an image, row by row, as a stream of bits: the number of values (32 bits), the bits of a
value less one (5), four widths less one (4 each), and blocks. A block starts with a bit that says whether it is a run,
an index of a width (2 bits), and as many bits of the number of its values less one. A run has one value behind it,
another block all its values.
"""

from typing import Any

import numpy as np

from mmwsss.fileio import DataError

_CHANNELS = 4
_BITS = 8
_WIDTHS = (3, 4, 8, 16)


def encode_brush(mask: np.ndarray) -> list[int]:
    """Encodes a mask as Label Studio's brush does.

    Args:
        mask (ndarray): bool (H, W).

    Returns:
        list[int]: Bytes.

    Examples:
        >>> decode_brush(encode_brush(np.eye(3, dtype=bool)), (3, 3), 'a.json').astype(int).tolist()
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    """
    flat = mask.ravel()
    ends = np.concatenate([np.flatnonzero(np.diff(flat)) + 1, [flat.size]])
    lengths = np.diff(ends, prepend=0) * _CHANNELS
    fields = [f'{flat.size * _CHANNELS:032b}{_BITS - 1:05b}', *(f'{width - 1:04b}' for width in _WIDTHS)]
    for start, length in zip(ends - lengths // _CHANNELS, lengths.tolist()):
        value = 255 * int(flat[start])
        while length:
            run = min(length, 1 << _WIDTHS[-1])
            index = next(index for index, width in enumerate(_WIDTHS) if run <= 1 << width)
            fields.append(f'1{index:02b}{run - 1:0{_WIDTHS[index]}b}{value:0{_BITS}b}')
            length -= run
    bits = ''.join(fields)
    bits += '0' * (-len(bits) % 8)
    return list(int(bits, 2).to_bytes(len(bits) // 8, 'big'))


def decode_brush(rle: Any, size: tuple[int, int], source: str) -> np.ndarray:
    """Decodes what Label Studio's brush drew: the pixels that are more opaque than not.

    Args:
        rle (list[int]): Bytes.
        size (tuple[int, int]): Height and width of the image.
        source (str): Where they come from, for the message.

    Returns:
        ndarray: bool (H, W).

    Raises:
        DataError: If they are no such encoding, or one of an image of another size.
    """
    if not isinstance(rle, list) or not all(type(byte) is int and 0 <= byte <= 255 for byte in rle):
        raise DataError(f'{source}: expected a list of bytes')
    bits = _Bits(np.unpackbits(np.array(rle, np.uint8)), source)
    total, expected = bits.number(32), size[0] * size[1] * _CHANNELS
    word = bits.number(5) + 1
    if word != _BITS or total != expected:
        raise DataError(
            f'{source}: expected {expected:,} values of {_BITS} bits, of an image of {size[1]} x {size[0]} pixels, got '
            f'{total:,} of {word}'
        )
    widths = [bits.number(4) + 1 for _ in range(4)]
    values, filled = np.empty(total, np.uint8), 0
    while filled < total:
        is_run = bits.number(1)
        number = bits.number(widths[bits.number(2)]) + 1
        if filled + number > total:
            raise DataError(f'{source}: expected {total:,} values, got more')
        values[filled : filled + number] = bits.number(_BITS) if is_run else bits.octets(number)
        filled += number
    return values.reshape(*size, _CHANNELS)[..., 3] > 127


class _Bits:
    """A stream of bits that ends with an error."""

    def __init__(self, bits: np.ndarray, source: str) -> None:
        self.bits, self.source, self.position = bits, source, 0

    def _take(self, count: int) -> np.ndarray:
        taken = self.bits[self.position : self.position + count]
        if len(taken) < count:
            raise DataError(f'{self.source}: the run-length encoding is cut off')
        self.position += count
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(np.packbits(self._take(width)).tobytes(), 'big') >> (-width % 8)

    def octets(self, count: int) -> np.ndarray:
        return np.packbits(self._take(count * _BITS))
