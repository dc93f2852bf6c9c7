import io

import numpy as np
import pytest
from PIL import Image

from mmwsss.fileio import DataError, class_of_index, read_class_mask, read_mask, write_mask

PALETTE = [(0, 0, 0), (255, 0, 0), (0, 255, 0)]


@pytest.mark.parametrize('size', [(1, 1), (7, 13), (40, 31)])
def test_round_trip(tmp_path, size):
    mask = np.random.default_rng(0).choice(np.array([0, 1, 2, 255], np.uint8), size)
    write_mask(tmp_path / 'sub' / 'm.png', mask, PALETTE)
    read = read_mask(tmp_path / 'sub' / 'm.png')
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, mask)


def test_any_viewer_shows_it_in_color(tmp_path):
    write_mask(tmp_path / 'm.png', np.array([[0, 1, 2, 255]], np.uint8), PALETTE)
    with Image.open(tmp_path / 'm.png') as image:
        assert image.mode == 'P'
        shown = np.array(image.convert('RGB'))
    np.testing.assert_array_equal(shown[0], [*PALETTE, (224, 224, 192)])


def test_254_classes(tmp_path):
    mask = np.arange(256, dtype=np.uint8)[None]
    write_mask(tmp_path / 'm.png', mask, [(i, i, i) for i in range(254)])
    np.testing.assert_array_equal(read_mask(tmp_path / 'm.png'), mask)


def test_same_mask_gives_the_same_bytes(tmp_path):
    mask = np.eye(9, dtype=np.uint8)
    write_mask(tmp_path / 'a.png', mask, PALETTE)
    write_mask(tmp_path / 'b.png', mask, PALETTE)
    assert (tmp_path / 'a.png').read_bytes() == (tmp_path / 'b.png').read_bytes()


@pytest.mark.parametrize('mask', [np.zeros((4, 4), np.int64), np.zeros((4, 4, 1), np.uint8)])
def test_write_names_the_file_of_a_wrong_mask(tmp_path, mask):
    with pytest.raises(ValueError, match=r'uint8 \(H, W\).*m\.png'):
        write_mask(tmp_path / 'm.png', mask, PALETTE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('mode, expected', [('L', 7), ('P', 7), ('I;16', 7), ('1', 1)])
def test_masks_of_other_tools(tmp_path, mode, expected):
    if mode == 'I;16':
        image = Image.fromarray(np.full((3, 4), 7, np.uint16))
    elif mode == '1':
        image = Image.new('1', (4, 3), 1)
    else:
        image = Image.new(mode, (4, 3), 7)
        if mode == 'P':
            image.putpalette(list(range(256)) * 3)
    image.save(tmp_path / 'm.png')
    read = read_mask(tmp_path / 'm.png')
    assert read.dtype == np.uint8 and read.shape == (3, 4) and (read == expected).all()


@pytest.mark.parametrize(
    'image, expected',
    [
        (Image.new('RGB', (4, 3)), 'one channel'),
        (Image.new('RGBA', (4, 3)), 'one channel'),
        (Image.new('LA', (4, 3)), 'one channel'),
        (Image.fromarray(np.full((3, 4), 300, np.uint16)), '0 to 255, got 300'),
    ],
)
def test_image_that_is_no_mask(tmp_path, image, expected):
    image.save(tmp_path / 'm.png')
    with pytest.raises(DataError, match=rf'm\.png.*{expected}'):
        read_mask(tmp_path / 'm.png')


def test_fractions_are_no_class_indices(tmp_path):
    Image.fromarray(np.full((3, 4), np.nan, np.float32)).save(tmp_path / 'm.tiff')
    with pytest.raises(DataError, match=r'm\.tiff.*integer class indices, got float32'):
        read_mask(tmp_path / 'm.tiff')


@pytest.mark.parametrize('content', [b'', b'hello', b'\x89PNG\r\n\x1a\n'])
def test_file_that_is_no_image(tmp_path, content):
    (tmp_path / 'm.png').write_bytes(content)
    with pytest.raises(DataError, match=r'm\.png'):
        read_mask(tmp_path / 'm.png')


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / 'absent.png', tmp_path):
        with pytest.raises(DataError, match=path.name):
            read_mask(path)


def test_damage_is_never_a_crash(tmp_path):
    buffer, rng, path = io.BytesIO(), np.random.default_rng(1), tmp_path / 'm.png'
    Image.fromarray(rng.integers(0, 4, (20, 20), dtype=np.uint8)).save(buffer, 'PNG')
    whole = buffer.getvalue()
    for length in range(0, len(whole) - 16, 9):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r'm\.png'):
            read_mask(path)
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            read_mask(path)
        except DataError as error:
            assert 'm.png' in str(error)


def test_class_mask_of_all_classes(tmp_path):
    mask = np.array([[0, 1, 2, 255]], np.uint8)
    write_mask(tmp_path / 'm.png', mask, PALETTE)
    np.testing.assert_array_equal(read_class_mask(tmp_path / 'm.png', 3), mask)
    with pytest.raises(DataError, match=r'm\.png: index 2 is none of the 2 classes'):
        read_class_mask(tmp_path / 'm.png', 2)


def test_class_mask_of_a_subset(tmp_path):
    stored = np.array([[0, 1, 2, 3, 255]], np.uint8)
    write_mask(tmp_path / 'm.png', stored, PALETTE)
    meaning = class_of_index({0: 0, 1: 255, 2: 2, 3: 1})
    np.testing.assert_array_equal(read_class_mask(tmp_path / 'm.png', 3, meaning), [[0, 255, 2, 1, 255]])


def test_class_mask_of_a_data_set_that_stores_one_more(tmp_path):
    stored = np.array([[0, 1, 2, 3, 255]], np.uint8)
    write_mask(tmp_path / 'm.png', stored, PALETTE)
    read = read_class_mask(tmp_path / 'm.png', 3, class_of_index(None, reduce_zero_label=True))
    np.testing.assert_array_equal(read, [[255, 0, 1, 2, 255]])
    subset = class_of_index({0: 1, 1: 255, 2: 0}, reduce_zero_label=True)
    np.testing.assert_array_equal(read_class_mask(tmp_path / 'm.png', 2, subset), [[255, 1, 255, 0, 255]])


def test_class_mask_without_any_class(tmp_path):
    write_mask(tmp_path / 'm.png', np.full((3, 4), 255, np.uint8), PALETTE)
    assert (read_class_mask(tmp_path / 'm.png', 1) == 255).all()
