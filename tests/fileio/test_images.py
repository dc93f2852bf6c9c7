import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmwsss.fileio import DataError, read_image


def save(path, image, **options):
    """Writes a BGR array with Pillow, for what OpenCV cannot write."""
    Image.fromarray(np.ascontiguousarray(image[:, :, ::-1])).save(path, **options)


@pytest.mark.parametrize('suffix', ['.png', '.bmp', '.tiff', '.webp', '.jpg'])
@pytest.mark.parametrize('size', [(1, 1), (33, 47)])
def test_kinds_of_files(tmp_path, make_image, suffix, size):
    image = make_image(size)
    cv2.imwrite(str(tmp_path / f'p{suffix}'), image)
    read = read_image(str(tmp_path / f'p{suffix}'))
    assert read.shape == (*size, 3) and read.dtype == np.uint8
    error = np.abs(read.astype(int) - image).mean()
    assert error < 8 if suffix in ('.jpg', '.webp') else error == 0


def test_gray_becomes_three_equal_channels(tmp_path, make_image):
    gray = make_image()[:, :, 0]
    cv2.imwrite(str(tmp_path / 'p.png'), gray)
    read = read_image(str(tmp_path / 'p.png'))
    np.testing.assert_array_equal(read, np.repeat(gray[:, :, None], 3, 2))


@pytest.mark.parametrize('suffix', ['.png', '.tiff'])
@pytest.mark.parametrize('channels', [1, 3])
def test_16_bits_become_8(tmp_path, make_image, suffix, channels):
    image = make_image()[:, :, :channels]
    cv2.imwrite(str(tmp_path / f'p{suffix}'), image.astype(np.uint16) * 257)
    read = read_image(str(tmp_path / f'p{suffix}'))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, np.broadcast_to(image, read.shape))


def test_alpha_is_dropped(tmp_path, make_image):
    image = make_image()
    alpha = np.random.default_rng(0).integers(1, 255, (*image.shape[:2], 1), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'p.png'), np.concatenate([image, alpha], 2))
    np.testing.assert_array_equal(read_image(str(tmp_path / 'p.png')), image)


def test_palette_and_cmyk(tmp_path, make_image):
    image = make_image()
    picture = Image.fromarray(np.ascontiguousarray(image[:, :, ::-1]))
    picture.quantize(256).save(tmp_path / 'palette.png')
    picture.convert('CMYK').save(tmp_path / 'cmyk.jpg')
    for name in ('palette.png', 'cmyk.jpg'):
        assert np.abs(read_image(str(tmp_path / name)).astype(int) - image).mean() < 12


@pytest.mark.parametrize('orientation, turn', [(1, 0), (6, -1), (8, 1), (3, 2)])
@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_exif_rotation_is_applied(tmp_path, make_image, orientation, turn, suffix):
    image = make_image((24, 40))
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(tmp_path / f'p{suffix}', image, exif=exif)
    read = read_image(str(tmp_path / f'p{suffix}'))
    expected = np.rot90(image, turn)
    assert read.shape == expected.shape
    assert np.abs(read.astype(int) - expected).mean() < 8


@pytest.mark.parametrize('reduce', [1, 2, 4, 8])
@pytest.mark.parametrize('orientation', [1, 6])
def test_reduced_jpeg_is_the_image_in_small(tmp_path, make_image, reduce, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(tmp_path / 'p.jpg', make_image((123, 171)), exif=exif, quality=95)
    whole = read_image(str(tmp_path / 'p.jpg'))
    small = read_image(str(tmp_path / 'p.jpg'), reduce)
    assert small.shape[:2] == tuple(-(-side // reduce) for side in whole.shape[:2])
    resized = cv2.resize(whole, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - resized).mean() < 12


def test_reduction_that_jpeg_does_not_know():
    with pytest.raises(ValueError, match=r'reduce must be one of \[1, 2, 4, 8\], got 3'):
        read_image('p.jpg', 3)


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
@pytest.mark.parametrize('share', [0.1, 0.5, 0.95])
def test_truncated_file_is_named(tmp_path, make_image, suffix, share):
    path = tmp_path / f'p{suffix}'
    cv2.imwrite(str(path), make_image((64, 80)))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DataError, match=rf'p\{suffix}.*expected an image'):
        read_image(str(path))


@pytest.mark.parametrize('content', [b'', b'<html>not found</html>', b'\xff\xd8\xff\xe0'])
def test_file_that_is_no_image(tmp_path, content):
    (tmp_path / 'p.jpg').write_bytes(content)
    with pytest.raises(DataError, match=r'p\.jpg.*expected an image'):
        read_image(str(tmp_path / 'p.jpg'))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match=r'absent\.jpg.*cannot be read'):
        read_image(str(tmp_path / 'absent.jpg'))
    with pytest.raises(DataError, match=r'cannot be read'):
        read_image(str(tmp_path))


def test_bytes_decide_and_not_the_name(tmp_path, make_image):
    image, buffer = make_image(), io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image[:, :, ::-1])).save(buffer, 'PNG')
    (tmp_path / 'p.jpg').write_bytes(buffer.getvalue())
    np.testing.assert_array_equal(read_image(str(tmp_path / 'p.jpg')), image)


@pytest.fixture
def heic(tmp_path, make_image):
    """An image as telephones write them, and its pixels."""
    pillow_heif = pytest.importorskip('pillow_heif', reason='the extra heic is not installed')
    pixels = make_image((64, 96))
    image = pillow_heif.from_pillow(Image.fromarray(pixels[:, :, ::-1].copy()))
    image.save(tmp_path / 'IMG_1.HEIC', quality=95)
    return str(tmp_path / 'IMG_1.HEIC'), pixels


def test_heic_of_telephones(heic):
    path, pixels = heic
    image = read_image(path)
    assert image.shape == (64, 96, 3) and np.abs(image.astype(int) - pixels).mean() < 4
    assert np.array_equal(read_image(path, channel_order='rgb'), image[:, :, ::-1])
    assert read_image(path, reduce=4).shape == (16, 24, 3)


def test_damaged_heic_is_named(heic):
    path, _ = heic
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[:200])
    with pytest.raises(DataError, match='IMG_1.HEIC: the image is damaged'):
        read_image(path)


def test_heic_without_its_library_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'pillow_heif', None)
    (tmp_path / 'a.heic').write_bytes(bytes(4) + b'ftypheic' + bytes(40))
    with pytest.raises(DataError, match=r"a\.heic: a HEIC image needs pillow-heif; `pip install 'mmwsss\[heic\]'"):
        read_image(str(tmp_path / 'a.heic'))
