import cv2
import mmcv.transforms
import numpy as np
import pytest
from mmengine.dataset import Compose
from mmseg.registry import TRANSFORMS
from PIL import Image

from mmwsss.datasets import LoadImageFromFile
from mmwsss.fileio import DataError, Seeds, write_mask, write_pixel_weights, write_seeds

pytestmark = pytest.mark.usefixtures('mmseg_scope')

SCOPED = dict(type='LoadImageFromFile', _scope_='mmwsss')
PALETTE = [(i, i, i) for i in range(256)]


def build(**config):
    return TRANSFORMS.build(config)


def test_image(tmp_path, make_image):
    cv2.imwrite(str(tmp_path / 'p.png'), make_image((31, 45)))
    results = build(type='mmwsss.LoadImageFromFile')(dict(img_path=str(tmp_path / 'p.png')))
    np.testing.assert_array_equal(results['img'], make_image((31, 45)))
    assert results['img_shape'] == results['ori_shape'] == (31, 45) and results['decode_reduction'] == 1


def test_the_reader_is_one_of_mmcv():
    transform = build(type='mmwsss.LoadImageFromFile')
    assert isinstance(transform, mmcv.transforms.LoadImageFromFile) and transform.long_side is None


@pytest.mark.parametrize('config', [dict(type='mmwsss.LoadImageFromFile'), SCOPED])
def test_both_spellings_give_our_reader(config):
    assert type(build(**config)) is LoadImageFromFile
    (transform,) = Compose([dict(config, long_side=64)]).transforms
    assert type(transform) is LoadImageFromFile and transform.long_side == 64


def test_without_a_scope_it_is_the_reader_of_mmcv():
    assert type(build(type='LoadImageFromFile')) is mmcv.transforms.LoadImageFromFile


def test_an_image_that_resizing_would_make_vanish(tmp_path):
    cv2.imwrite(str(tmp_path / 'p.png'), np.zeros((2, 201, 3), np.uint8))
    with pytest.raises(DataError, match=r'p\.png: expected an image whose sides .* at most 100, got 2 x 201'):
        build(**SCOPED)(dict(img_path=str(tmp_path / 'p.png')))


@pytest.mark.parametrize(
    'long_side, reduction', [(200, 1), (171, 1), (86, 1), (85, 2), (43, 2), (42, 4), (21, 8), (1, 8)]
)
def test_large_jpeg_is_decoded_no_smaller_than_needed(tmp_path, make_image, long_side, reduction):
    cv2.imwrite(str(tmp_path / 'p.JPG'), make_image((123, 171)))
    results = build(type='mmwsss.LoadImageFromFile', long_side=long_side)(dict(img_path=str(tmp_path / 'p.JPG')))
    assert results['decode_reduction'] == reduction
    assert results['img'].shape[:2] == (-(-123 // reduction), -(-171 // reduction))
    assert max(results['img'].shape) >= min(long_side, 171)


@pytest.mark.parametrize('size', [(64, 96), (123, 171), (121, 97)])
@pytest.mark.parametrize('long_side', [None, 60, 40, 20])
@pytest.mark.parametrize('orientation', [1, 6])
@pytest.mark.parametrize('source', ['affinity_label', 'pseudo_mask'])
def test_label_map_stays_on_the_image(tmp_path, size, long_side, orientation, source):
    """Left half black and class 1, right half white and class 2, as seen upright."""
    height, width = size if orientation == 1 else size[::-1]
    mask = np.where(np.arange(width) < width // 2, 1, 2).astype(np.uint8)[None].repeat(height, 0)
    write_mask(tmp_path / 'm.png', mask, PALETTE)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = (mask - 1) * 255
    stored = np.rot90(stored) if orientation == 6 else stored
    Image.fromarray(stored).save(tmp_path / 'p.jpg', exif=exif, quality=95)
    results = {'img_path': str(tmp_path / 'p.jpg'), f'{source}_path': str(tmp_path / 'm.png'), 'seg_fields': []}
    results = build(type='mmwsss.LoadImageFromFile', long_side=long_side)(results)
    results = build(type='mmwsss.LoadLabelMap', source=source)(results)
    label_map, image = results['gt_seg_map'], results['img']
    assert label_map.shape == image.shape[:2] and results['seg_fields'] == ['gt_seg_map']
    assert label_map.dtype == np.uint8 and set(np.unique(label_map)) == {1, 2}
    disagree = (label_map == 2) != (image[:, :, 0] > 127)
    assert disagree.any(0).sum() <= 1


def test_image_of_another_kind_than_its_name_is_not_reduced(tmp_path, make_image):
    Image.fromarray(make_image((123, 171))).save(tmp_path / 'p.jpg', 'PNG')
    write_mask(tmp_path / 'm.png', np.zeros((123, 171), np.uint8), PALETTE)
    results = build(type='mmwsss.LoadImageFromFile', long_side=20)(
        dict(img_path=str(tmp_path / 'p.jpg'), pseudo_mask_path=str(tmp_path / 'm.png'))
    )
    assert results['decode_reduction'] == 1
    assert build(type='mmwsss.LoadLabelMap', source='pseudo_mask')(results)['gt_seg_map'].shape == (123, 171)


@pytest.mark.parametrize('content', [None, b'', b'\xff\xd8\xff'])
@pytest.mark.parametrize('long_side', [None, 8])
def test_unreadable_image_is_named(tmp_path, content, long_side):
    path = tmp_path / 'p.jpg'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r'p\.jpg'):
        build(type='mmwsss.LoadImageFromFile', long_side=long_side)(dict(img_path=str(path)))


def test_label_map_of_another_size(tmp_path):
    write_mask(tmp_path / 'm.png', np.zeros((20, 30), np.uint8), PALETTE)
    results = dict(img=np.zeros((30, 20, 3), np.uint8), img_path='p.jpg', affinity_label_path=str(tmp_path / 'm.png'))
    with pytest.raises(DataError, match=r'm\.png: expected a mask of the size of p\.jpg, got \(20, 30\)'):
        build(type='mmwsss.LoadLabelMap', source='affinity_label')(results)


@pytest.mark.parametrize('argument, sample', [(dict(num_classes=4), {}), ({}, dict(num_classes=4))])
def test_label_map_with_an_index_that_is_no_class(tmp_path, argument, sample):
    path = str(tmp_path / 'm.png')
    results = dict(img=np.zeros((4, 5, 3), np.uint8), img_path='p.jpg', pseudo_mask_path=path, **sample)
    transform = build(type='mmwsss.LoadLabelMap', source='pseudo_mask', **argument)
    write_mask(path, np.array([[0, 1, 2, 3, 255]] * 4, np.uint8), PALETTE)
    assert transform(dict(results))['gt_seg_map'].max() == 255
    write_mask(path, np.array([[0, 1, 2, 4, 255]] * 4, np.uint8), PALETTE)
    with pytest.raises(DataError, match=r'm\.png: index 4 is none of the 4 classes'):
        transform(dict(results))


def test_label_map_is_not_mapped_again(tmp_path):
    """Pseudo masks are written in the indices of the configured classes; ``label_map`` is of the ground truth."""
    write_mask(tmp_path / 'm.png', np.array([[0, 1, 2]], np.uint8), PALETTE)
    results = dict(
        img=np.zeros((1, 3, 3), np.uint8),
        img_path='p.jpg',
        pseudo_mask_path=str(tmp_path / 'm.png'),
        label_map={0: 0, 1: 255, 2: 255, 8: 2, 15: 1},
        reduce_zero_label=True,
        num_classes=3,
    )
    assert build(type='mmwsss.LoadLabelMap', source='pseudo_mask')(results)['gt_seg_map'].tolist() == [[0, 1, 2]]


def test_unreadable_label_map_and_wrong_source(tmp_path):
    results = dict(img=np.zeros((4, 5, 3), np.uint8), img_path='p.jpg')
    with pytest.raises(DataError, match=r'm\.png'):
        build(type='mmwsss.LoadLabelMap', source='pseudo_mask')(
            {**results, 'pseudo_mask_path': str(tmp_path / 'm.png')}
        )
    with pytest.raises(DataError, match=r'p\.jpg.*set pseudo_mask_dir'):
        build(type='mmwsss.LoadLabelMap', source='pseudo_mask')(results)
    with pytest.raises(ValueError, match="source must be 'affinity_label' or 'pseudo_mask', got 'mask'"):
        build(type='mmwsss.LoadLabelMap', source='mask')


def seeds_of(class_ids=(1, 3), size=(20, 30)):
    return Seeds(np.array(class_ids, np.uint8), np.full((len(class_ids), 3, 4), 0.5, np.float16), size)


def load_seeds(path, class_ids=(1, 3), size=(20, 30)):
    results = dict(
        img_path='p.jpg',
        image_id='p',
        ori_shape=size,
        seed_path=str(path),
        gt_class_ids=np.array(class_ids, np.uint8),
    )
    return build(type='mmwsss.LoadSeeds')(results)['seeds']


@pytest.mark.parametrize('class_ids', [(), (2,), (1, 3)])
def test_seeds(tmp_path, class_ids):
    write_seeds(tmp_path / 's.npz', seeds_of(class_ids))
    seeds = load_seeds(tmp_path / 's.npz', class_ids)
    assert seeds.class_ids.tolist() == list(class_ids) and seeds.cams.shape == (len(class_ids), 3, 4)


def test_seeds_with_the_background_in_front_are_those_of_the_labels(tmp_path):
    write_seeds(tmp_path / 's.npz', seeds_of((0, 1, 3)))
    assert load_seeds(tmp_path / 's.npz', (1, 3)).class_ids.tolist() == [0, 1, 3]
    results = dict(img_path='p.jpg', image_id='p', seed_path=str(tmp_path / 's.npz'), gt_class_ids=np.array([1, 3]))
    with pytest.raises(DataError, match=r'holds classes \[0, 1, 3\]'):
        build(type='mmwsss.LoadSeeds')({**results, 'with_background': False})


def test_seeds_need_no_labels(tmp_path):
    write_seeds(tmp_path / 's.npz', seeds_of())
    results = build(type='mmwsss.LoadSeeds')(dict(img_path='p.jpg', seed_path=str(tmp_path / 's.npz')))
    assert results['seeds'].size == (20, 30)


def test_without_an_image_the_size_is_that_of_the_seeds(tmp_path):
    write_seeds(tmp_path / 's.npz', seeds_of())
    results = build(type='mmwsss.LoadSeeds')(dict(img_path='absent.jpg', seed_path=str(tmp_path / 's.npz')))
    assert results['ori_shape'] == (20, 30) and 'img' not in results


@pytest.mark.parametrize('class_ids', [(), (1,), (1, 2), (1, 2, 3)])
def test_seeds_of_other_classes(tmp_path, class_ids):
    write_seeds(tmp_path / 's.npz', seeds_of())
    with pytest.raises(DataError, match=r"s\.npz: holds classes \[1, 3\].*image-level labels of 'p' say"):
        load_seeds(tmp_path / 's.npz', class_ids)


def test_seeds_of_another_image(tmp_path):
    write_seeds(tmp_path / 's.npz', seeds_of(size=(30, 20)))
    with pytest.raises(DataError, match=r's\.npz: expected .*\(20, 30\) pixels \(p\.jpg\), got \(30, 20\)'):
        load_seeds(tmp_path / 's.npz')


def test_damaged_or_missing_seeds(tmp_path):
    path = tmp_path / 's.npz'
    with pytest.raises(DataError, match=r's\.npz'):
        load_seeds(path)
    write_seeds(path, seeds_of())
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r's\.npz'):
        load_seeds(path)
    with pytest.raises(DataError, match=r'p\.jpg.*set seed_dir'):
        build(type='mmwsss.LoadSeeds')(dict(img_path='p.jpg'))


@pytest.mark.parametrize(
    'config',
    [
        dict(type='mmwsss.LoadImageFromFile', long_side=9),
        dict(type='mmwsss.LoadLabelMap', source='pseudo_mask'),
        dict(type='mmwsss.LoadSeeds'),
    ],
)
def test_repr_names_the_transform(config):
    assert repr(build(**config)).startswith(config['type'].removeprefix('mmwsss.'))


@pytest.fixture
def weighted(tmp_path):
    """A sample with a pseudo mask and with weights that tell each pixel from the others."""
    write_mask(tmp_path / 'm.png', np.arange(5 * 8, dtype=np.uint8).reshape(5, 8), PALETTE)
    write_pixel_weights(tmp_path / 'w.png', np.arange(5 * 8).reshape(5, 8) / 255)
    paths = dict(pseudo_mask_path=str(tmp_path / 'm.png'), pixel_weight_path=str(tmp_path / 'w.png'))
    return dict(img_path='p.jpg', img=np.zeros((5, 8, 3), np.uint8), img_shape=(5, 8), **paths)


def test_weights_of_pixels_come_with_pseudo_masks(weighted):
    results = build(type='mmwsss.LoadLabelMap', source='pseudo_mask')(weighted)
    np.testing.assert_array_equal(results['gt_pixel_weight'], np.arange(40).reshape(5, 8))
    assert results['seg_fields'] == ['gt_seg_map', 'gt_pixel_weight']


def test_affinity_labels_have_no_weights(weighted):
    weighted['affinity_label_path'] = weighted['pseudo_mask_path']
    assert 'gt_pixel_weight' not in build(type='mmwsss.LoadLabelMap', source='affinity_label')(weighted)


def test_weights_of_another_image(weighted):
    write_pixel_weights(weighted['pixel_weight_path'], np.zeros((8, 5)))
    with pytest.raises(DataError, match=r'w\.png: expected a mask of the size of p\.jpg'):
        build(type='mmwsss.LoadLabelMap', source='pseudo_mask')(weighted)


@pytest.mark.parametrize(
    'transform',
    [
        dict(type='Resize', scale=(21, 34), keep_ratio=True),
        dict(type='RandomResize', scale=(40, 40), ratio_range=(0.5, 2.0), keep_ratio=True),
        dict(type='RandomFlip', prob=1.0),
        dict(type='RandomCrop', crop_size=(3, 4)),
        dict(type='RandomRotate', prob=1.0, degree=30, seg_pad_val=255),
        dict(type='RandomCutOut', prob=1.0, n_holes=1, cutout_shape=(2, 2), seg_fill_in=255),
        dict(type='mmwsss.RandomCropOrPad', crop_size=(9, 6)),
    ],
    ids=lambda transform: transform['type'],
)
def test_transforms_move_weights_as_they_move_labels(weighted, transform):
    """The weight of each pixel is its label here."""
    results = Compose([dict(type='mmwsss.LoadLabelMap', source='pseudo_mask'), transform])(weighted)
    np.testing.assert_array_equal(results['gt_pixel_weight'], results['gt_seg_map'])
