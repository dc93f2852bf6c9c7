import numpy as np
import pytest

from mmwsss.fileio import encode_rle


def decode_rle(rle):
    """The format, read as its description says and no faster."""
    runs, characters = [], list(rle['counts'])
    while characters:
        value, shift, more = 0, 0, True
        while more:
            code = ord(characters.pop(0)) - 48
            more = bool(code & 32)
            value |= (code & 31) << shift
            shift += 5
            if not more and code & 16:
                value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    flat = np.concatenate([np.full(run, index % 2 == 1) for index, run in enumerate(runs)] or [np.zeros(0, bool)])
    return flat.reshape(rle['size'], order='F')


def masks():
    generator = np.random.default_rng(0)
    yield np.zeros((3, 4), bool)
    yield np.ones((3, 4), bool)
    yield np.eye(5, dtype=bool)
    for height, width, share in ((1, 1, 0.5), (17, 9, 0.5), (40, 60, 0.02), (200, 300, 0.999)):
        yield generator.random((height, width)) < share
    blocks = np.zeros((500, 700), bool)
    blocks[40:460, 100:640] = True
    yield blocks


@pytest.mark.parametrize('mask', masks(), ids=lambda mask: 'x'.join(map(str, mask.shape)))
def test_masks_come_back(mask):
    rle = encode_rle(mask)
    assert rle['size'] == list(mask.shape)
    assert np.array_equal(decode_rle(rle), mask)


def test_bytes_of_a_known_mask():
    """As the encoder that was here before pycocotools wrote them."""
    mask = np.zeros((9, 7), bool)
    mask[2:7, 1:5] = True
    mask[4, 3] = False
    assert encode_rle(mask) == dict(size=[9, 7], counts=';5400MM033`0')


def test_other_arrays_are_refused():
    with pytest.raises(ValueError, match='bool'):
        encode_rle(np.zeros((2, 2), np.uint8))
