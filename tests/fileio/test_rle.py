import numpy as np
import pytest

from mmwsss.fileio import DataError, decode_rle, encode_rle


def decode_slowly(rle):
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
    assert np.array_equal(decode_slowly(rle), mask)
    assert np.array_equal(decode_rle(rle, mask.shape, ''), mask)


def test_bytes_of_a_known_mask():
    """As the encoder that was here before pycocotools wrote them."""
    mask = np.zeros((9, 7), bool)
    mask[2:7, 1:5] = True
    mask[4, 3] = False
    assert encode_rle(mask) == dict(size=[9, 7], counts=';5400MM033`0')


def test_other_arrays_are_refused():
    with pytest.raises(ValueError, match='bool'):
        encode_rle(np.zeros((2, 2), np.uint8))


def test_run_lengths_that_are_not_compressed():
    assert decode_rle(dict(size=[2, 2], counts=[0, 1, 3]), (2, 2), '').tolist() == [[True, False], [False, False]]


@pytest.mark.parametrize(
    ('rle', 'match'),
    [
        ([1, 2], 'a: expected a run-length encoding'),
        (dict(size=[2, 2]), 'a: expected a run-length encoding'),
        (dict(size=[2, 3], counts=[4]), r'a.size: expected that of the image, \[2, 2\], got \[2, 3\]'),
        (dict(size=4, counts=[4]), 'a.size: .*, got 4'),
        (dict(size=[2, 2], counts=[5]), 'a.counts: expected run lengths of 4 pixels together, got 5'),
        (dict(size=[2, 2], counts=[1 << 62, 1 << 62]), 'a.counts: expected run lengths of 4 pixels together, got 9,'),
        (dict(size=[2, 2], counts=[1.5, 2.5]), 'a.counts: expected a list of run lengths'),
        (dict(size=[2, 2], counts=[[1], [1, 2]]), 'a.counts: expected a list of run lengths'),
        (dict(size=[2, 2], counts=[5, -1]), 'a.counts: expected a list of run lengths'),
        (dict(size=[2, 2], counts=1 << 70), 'a.counts: expected a list of run lengths'),
        (dict(size=[2, 2], counts=''), 'a.counts: expected compressed run lengths, got text'),
        (dict(size=[2, 2], counts='P'), 'a.counts: expected compressed run lengths, got text'),
        (dict(size=[2, 2], counts='é'), 'a.counts: expected ASCII text'),
        (dict(size=[2, 2], counts='ooooooo0'), 'a.counts: expected compressed run lengths, got one of more than 35'),
        (dict(size=[2, 2], counts='5'), 'a.counts: expected run lengths of 4 pixels together, got 5'),
        (dict(size=[2, 2], counts='O'), 'a.counts: expected a list of run lengths'),
    ],
)
def test_what_is_no_encoding_of_the_image_is_refused(rle, match):
    with pytest.raises(DataError, match=match):
        decode_rle(rle, (2, 2), 'a')
