import numpy as np
import pytest
from mmseg.registry import TRANSFORMS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def crop(image, label_map=None, **settings):
    results = dict(img=image, img_shape=image.shape[:2])
    if label_map is not None:
        results.update(gt_seg_map=label_map, seg_fields=['gt_seg_map'])
    return TRANSFORMS.build(dict(type='mmwsss.RandomCropOrPad', **settings))(results)


@pytest.mark.parametrize('size', [(5, 7), (64, 7), (5, 64), (64, 65), (20, 24), (1, 1)])
def test_every_pixel_of_the_crop_is_a_pixel_or_padding(size):
    height, width = size
    label_map = (np.arange(height * width) % 200).reshape(size).astype(np.uint8)
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    image = np.stack([rows, columns, label_map], 2)
    for _ in range(10):
        results = crop(image, label_map, crop_size=(20, 24), pad_val=(250, 251, 252))
        out, labels = results['img'], results['gt_seg_map']
        assert out.shape == (20, 24, 3) and labels.shape == (20, 24) and out.dtype == labels.dtype == np.uint8
        assert results['img_shape'] == (20, 24)
        inside = labels != 255
        assert inside.sum() == min(height, 20) * min(width, 24)
        np.testing.assert_array_equal(out[~inside], np.tile([250, 251, 252], (int((~inside).sum()), 1)))
        np.testing.assert_array_equal(out[inside][:, 2], labels[inside])
        window = out[inside].reshape(min(height, 20), min(width, 24), 3)
        np.testing.assert_array_equal(np.diff(window[:, 0, 0].astype(int)), 1)
        np.testing.assert_array_equal(np.diff(window[0, :, 1].astype(int)), 1)


def test_crop_and_place_are_random_and_follow_the_seed():
    image = np.random.default_rng(0).integers(0, 255, (30, 10, 3), dtype=np.uint8)
    np.random.seed(0)
    first = [crop(image, crop_size=(16, 16))['img'] for _ in range(8)]
    np.random.seed(0)
    again = [crop(image, crop_size=(16, 16))['img'] for _ in range(8)]
    np.testing.assert_array_equal(first, again)
    assert len({one.tobytes() for one in first}) > 1


def test_mean_of_the_normalization_fits_a_image():
    results = crop(np.zeros((2, 2, 3), np.uint8), crop_size=(4, 4), pad_val=(127.5, 127.5, 127.5))
    assert set(np.unique(results['img'])) == {0, 127}


@pytest.mark.parametrize('size', [(0, 4), (4,), (4, -1)])
def test_wrong_size_is_named(size):
    with pytest.raises(ValueError, match='crop_size must be a positive height and width'):
        TRANSFORMS.build(dict(type='mmwsss.RandomCropOrPad', crop_size=size))


def test_around_a_mask_weights_are_full():
    results = dict(img=np.zeros((2, 3, 3), np.uint8), img_shape=(2, 3), seg_fields=['gt_seg_map', 'gt_pixel_weight'])
    results |= dict(gt_seg_map=np.ones((2, 3), np.uint8), gt_pixel_weight=np.full((2, 3), 7, np.uint8))
    config = dict(type='mmwsss.RandomCropOrPad', crop_size=(4, 5), seg_pad_val=0)
    padded = TRANSFORMS.build(config)(results)
    np.testing.assert_array_equal(padded['gt_pixel_weight'], np.where(padded['gt_seg_map'] == 1, 7, 255))


@pytest.mark.parametrize('size', [(2, 3), (9, 3), (2, 9), (9, 9)])
def test_the_window_of_the_image_is_noted(size):
    results = crop(np.ones((*size, 3), np.uint8), np.ones(size, np.uint8), crop_size=(4, 5))
    top, left, bottom, right = results['valid_box']
    inside = np.zeros((4, 5), bool)
    inside[top:bottom, left:right] = True
    np.testing.assert_array_equal(inside, results['gt_seg_map'] == 1)
