import numpy as np
import pytest
from PIL import Image

from mmwsss.fileio import DataError, read_pixel_weights, write_mask, write_pixel_weights


def test_weights_are_rounded_to_a_byte(tmp_path):
    weights = np.array([[0.0, 1.0, 0.2], [0.5, 0.001, 0.002]], np.float32)
    write_pixel_weights(tmp_path / 'sub' / 'w.png', weights)
    read = read_pixel_weights(tmp_path / 'sub' / 'w.png')
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, [[0, 255, 51], [128, 0, 1]])


@pytest.mark.parametrize(
    'weights', [np.ones((2, 3), np.uint8), np.ones((1, 2, 3)), np.full((2, 3), 1.01), np.full((2, 3), np.nan)]
)
def test_other_weights_are_not_written(tmp_path, weights):
    with pytest.raises(ValueError, match=r'floating-point \(H, W\) in \[0, 1\].*w.png'):
        write_pixel_weights(tmp_path / 'w.png', weights)
    assert not list(tmp_path.iterdir())


def test_a_mask_is_none(tmp_path):
    write_mask(tmp_path / 'm.png', np.zeros((2, 3), np.uint8), [(0, 0, 0)])
    with pytest.raises(DataError, match='m.png: expected weights of pixels, a gray PNG of 8 bits, got mode P'):
        read_pixel_weights(tmp_path / 'm.png')


@pytest.mark.parametrize('content', [None, b'', b'no image'])
def test_files_that_cannot_be_read(tmp_path, content):
    if content is not None:
        (tmp_path / 'w.png').write_bytes(content)
    with pytest.raises(DataError, match='w.png: expected weights of pixels'):
        read_pixel_weights(tmp_path / 'w.png')


def test_another_format_is_refused(tmp_path):
    Image.new('L', (3, 2)).save(tmp_path / 'w.bmp')
    with pytest.raises(DataError, match='w.bmp: expected weights of pixels'):
        read_pixel_weights(tmp_path / 'w.bmp')
