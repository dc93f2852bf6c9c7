"""Odd and damaged images: each is read as documented, or an error names the file and what was expected."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from mmseg.registry import DATASETS, TRANSFORMS
from PIL import Image

from mmwsss.fileio import MAX_PIXELS, DataError, Seeds, read_image, read_seeds, size_reduction, write_seeds

pytestmark = pytest.mark.usefixtures('mmseg_scope')

SIZE = 60, 90


def image():
    """A smooth RGB image."""
    coarse = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_LINEAR)


def encoded(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def rotated(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return dict(exif=exif)


def cut_off(kind, share):
    whole = encoded(Image.fromarray(image()), kind)
    return whole[: int(share * len(whole))]


def with_header(width, height):
    """A PNG that says it has this size, and has not a single pixel."""

    def chunk(name, content):
        return struct.pack('>I', len(content)) + name + content + struct.pack('>I', zlib.crc32(name + content))

    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(b'')) + chunk(b'IEND', b'')


def sixteen_bits(suffix, channels):
    return cv2.imencode(suffix, image()[:, :, ::-1][:, :, :channels].astype(np.uint16) * 257)[1].tobytes()


RGB = Image.fromarray(image())
GREY = np.repeat(image()[:, :, 2:], 3, 2)
READ = {
    'JPEG': (encoded(RGB, 'JPEG', quality=95), image()),
    'progressive JPEG': (encoded(RGB, 'JPEG', quality=95, progressive=True), image()),
    'CMYK JPEG': (encoded(RGB.convert('CMYK'), 'JPEG', quality=95), image()),
    'gray JPEG': (encoded(Image.fromarray(GREY[:, :, 0]), 'JPEG', quality=95), GREY),
    'gray PNG': (encoded(Image.fromarray(GREY[:, :, 0]), 'PNG'), GREY),
    'gray PNG with alpha': (encoded(Image.fromarray(GREY[:, :, 0]).convert('LA'), 'PNG'), GREY),
    '16-bit PNG': (sixteen_bits('.png', 3), image()),
    '16-bit gray PNG': (sixteen_bits('.png', 1), GREY),
    '16-bit TIFF': (sixteen_bits('.tiff', 3), image()),
    'palette PNG': (encoded(RGB.quantize(256), 'PNG'), image()),
    'palette GIF': (encoded(RGB.quantize(256), 'GIF'), image()),
    'alpha PNG': (encoded(RGB.convert('RGBA'), 'PNG'), image()),
    'alpha WebP': (encoded(RGB.convert('RGBA'), 'WEBP', lossless=True), image()),
    'LZW TIFF': (encoded(RGB, 'TIFF', compression='tiff_lzw'), image()),
    'EXIF turned left': (encoded(RGB, 'JPEG', quality=95, **rotated(8)), np.rot90(image())),
    'EXIF turned right': (encoded(RGB, 'JPEG', quality=95, **rotated(6)), np.rot90(image(), -1)),
    'EXIF upside down': (encoded(RGB, 'JPEG', quality=95, **rotated(3)), np.rot90(image(), 2)),
    'one pixel': (encoded(RGB.crop((0, 0, 1, 1)), 'PNG'), image()[:1, :1]),
    'two frames': (encoded(RGB, 'GIF', save_all=True, append_images=[Image.new('RGB', SIZE[::-1])]), image()),
}


@pytest.mark.parametrize('content, expected', READ.values(), ids=READ)
def test_odd_image_is_read_in_its_colors(tmp_path, content, expected):
    """The name says JPEG whatever the file is: the content decides."""
    (tmp_path / 'p.jpg').write_bytes(content)
    results = TRANSFORMS.build(dict(type='mmwsss.LoadImageFromFile'))(dict(img_path=str(tmp_path / 'p.jpg')))
    image = results['img'][:, :, ::-1]
    assert image.dtype == np.uint8 and results['ori_shape'] == expected.shape[:2] == image.shape[:2]
    assert np.abs(image.astype(int) - expected).mean() < 10


REFUSED = {
    'missing': (None, 'cannot be read'),
    'empty': (b'', 'expected an image file, got 0 bytes'),
    'web page': (b'<html>404</html>', 'expected an image file'),
    'only a signature': (b'\xff\xd8\xff\xe0', 'expected an image file'),
    'JPEG cut off early': (cut_off('JPEG', 0.1), 'expected an image file'),
    'JPEG cut off in the middle': (cut_off('JPEG', 0.5), 'expected an image file'),
    'JPEG cut off late': (cut_off('JPEG', 0.95), 'expected an image file'),
    'PNG cut off': (cut_off('PNG', 0.6), 'expected an image file'),
    'TIFF cut off': (cut_off('TIFF', 0.6), 'expected an image file'),
    'WebP cut off': (cut_off('WEBP', 0.6), 'expected an image file'),
    'PNG without pixels': (with_header(40, 30), 'expected an image file'),
    'decompression bomb': (with_header(60_000, 50_000), 'expected an image of at most 179 million pixels'),
    'line': (encoded(Image.new('RGB', (5000, 1)), 'PNG'), r'at most 100, got 1 x 5000 pixels'),
    'column': (encoded(Image.new('RGB', (1, 5000)), 'JPEG'), r'at most 100, got 5000 x 1 pixels'),
    'array': (b'\x93NUMPY\x01\x00', 'expected an image file'),
    'PDF': (b'%PDF-1.4\n', 'expected an image file'),
}


@pytest.mark.parametrize('long_side', [None, 20])
@pytest.mark.parametrize('content, message', REFUSED.values(), ids=REFUSED)
def test_image_that_cannot_be_used_is_named(tmp_path, content, message, long_side):
    if content is not None:
        (tmp_path / 'p.jpg').write_bytes(content)
    with pytest.raises(DataError, match=rf'p\.jpg: .*{message}'):
        TRANSFORMS.build(dict(type='mmwsss.LoadImageFromFile', long_side=long_side))(
            dict(img_path=str(tmp_path / 'p.jpg'))
        )


def test_folder_in_place_of_a_image(tmp_path):
    with pytest.raises(DataError, match='cannot be read'):
        read_image(str(tmp_path))


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_image_of_108_megapixels_is_reduced(tmp_path, kind):
    """A white left half on black, 12,000 x 9,000 pixels; PNG stores 1 bit a pixel."""
    picture = Image.new('L' if kind == 'JPEG' else '1', (12_000, 9000))
    picture.paste(255 if kind == 'JPEG' else 1, (0, 0, 6000, 9000))
    picture.save(tmp_path / 'p.jpg', kind)
    results = TRANSFORMS.build(dict(type='mmwsss.LoadImageFromFile'))(dict(img_path=str(tmp_path / 'p.jpg')))
    image = results['img']
    assert results['ori_shape'] == image.shape[:2] == (2250, 3000) and results['decode_reduction'] == 1
    assert image[:, :1490].min() > 250 and image[:, 1510:].max() < 5
    if kind == 'JPEG':
        results = TRANSFORMS.build(dict(type='mmwsss.LoadImageFromFile', long_side=1400))(
            dict(img_path=str(tmp_path / 'p.jpg'))
        )
        assert results['img'].shape[:2] == (1125, 1500) and results['decode_reduction'] == 2


@pytest.mark.parametrize(
    'size, reduction',
    [((4096, 4096), 1), ((4097, 4096), 2), ((8192, 8192), 2), ((8193, 8192), 4), ((40_000, 40_000), 8)],
)
def test_reduction_of_large_images(size, reduction):
    assert size_reduction(size) == reduction
    assert size[0] * size[1] <= MAX_PIXELS * reduction**2 or reduction == 8


NAMES = [
    'with space',
    'ümläut 日本 🐈',
    'a..b',
    '.hidden',
    'quote\'"$`',
    '-rf',
    'percent%20#hash',
    'x' * 120,
    'sub folder/é/n',
]


@pytest.mark.parametrize('name', NAMES)
def test_names_are_kept(tmp_path, name):
    """From the list over the labels to the file of the seeds."""
    path = tmp_path / 'images' / f'{name}.jpg'
    path.parent.mkdir(parents=True)
    RGB.save(path)
    (tmp_path / 'list.txt').write_text(f'{name}\n', encoding='utf-8')
    (tmp_path / 'labels.csv').write_text('"' + name.replace('"', '""') + '",cat\n', encoding='utf-8')
    images = dict(
        type='BaseSegDataset',
        data_root=str(tmp_path),
        ann_file='list.txt',
        data_prefix=dict(img_path='images'),
        metainfo=dict(classes=('background', 'cat')),
    )
    pipeline = [
        dict(type='mmwsss.LoadImageFromFile'),
        dict(type='mmwsss.LoadSeeds'),
        dict(type='mmwsss.PackWeakInputs'),
    ]
    dataset = DATASETS.build(
        dict(
            type='mmwsss.ImageLabelDataset',
            dataset=images,
            image_labels=str(tmp_path / 'labels.csv'),
            seed_dir=str(tmp_path / 'seeds'),
            pipeline=pipeline,
        )
    )
    sample = dataset.get_data_info(0)
    assert sample['image_id'] == name
    write_seeds(sample['seed_path'], Seeds(np.ones(1, np.uint8), np.zeros((1, 2, 3), np.float16), SIZE))
    assert read_seeds(tmp_path / 'seeds' / f'{name}.npz').size == SIZE
    assert dataset[0]['data_samples'].image_id == name
