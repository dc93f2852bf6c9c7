import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmseg.registry import MODELS, TRANSFORMS

from mmwsss.fileio import DataError, Seeds, write_seeds

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def pack(**results):
    image = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    return TRANSFORMS.build(dict(type='mmwsss.PackWeakInputs'))(
        dict(img=image, img_path='p.jpg', image_id='p', **results)
    )


def test_everything():
    seeds = Seeds(np.array([2], np.uint8), np.zeros((1, 2, 2), np.float16), (4, 5))
    packed = pack(
        gt_label=np.array([0, 1, 0], np.float32),
        gt_seg_map=np.full((4, 5), 255, np.uint8),
        gt_pixel_weight=np.full((4, 5), 51, np.uint8),
        seeds=seeds,
        ori_shape=(8, 10),
        img_shape=(4, 5),
        label_map={0: 0, 8: 1},
        reduce_zero_label=False,
        not_asked_for=1,
    )
    assert packed['inputs'].dtype == torch.uint8 and packed['inputs'].shape == (3, 4, 5)
    assert packed['inputs'][:, 1, 2].tolist() == [21, 22, 23]
    sample = packed['data_samples']
    assert sample.gt_label.score.tolist() == [0, 1, 0]
    assert sample.gt_sem_seg.data.dtype == torch.int64 and sample.gt_sem_seg.data.shape == (1, 4, 5)
    assert (sample.gt_sem_seg.data == 255).all()
    assert sample.gt_pixel_weight.data.dtype == torch.uint8 and sample.gt_pixel_weight.data.shape == (1, 4, 5)
    assert (sample.gt_pixel_weight.data == 51).all()
    assert sample.seeds is seeds
    assert sample.img_path == 'p.jpg' and sample.image_id == 'p' and sample.ori_shape == (8, 10)
    assert sample.label_map == {0: 0, 8: 1} and 'not_asked_for' not in sample


def test_weights_that_a_transform_left_out_are_refused():
    with pytest.raises(DataError, match=r'p\.jpg: the weights of the pixels, \(3, 5\), are not of .* \(4, 5\)'):
        pack(gt_seg_map=np.zeros((4, 5), np.uint8), gt_pixel_weight=np.zeros((3, 5), np.uint8))


def test_only_what_was_loaded():
    sample = pack()['data_samples']
    assert not any(name in sample for name in ('gt_label', 'gt_sem_seg', 'gt_pixel_weight', 'seeds', 'ori_shape'))


def test_without_an_image_the_inputs_are_empty():
    packed = TRANSFORMS.build(dict(type='mmwsss.PackWeakInputs'))(
        dict(img_path='p.jpg', image_id='p', ori_shape=(4, 5))
    )
    assert packed['inputs'].shape == (3, 0, 0) and packed['inputs'].dtype == torch.uint8
    assert packed['data_samples'].ori_shape == (4, 5)


def test_seeds_alone_reach_the_chain(tmp_path):
    """As ``tools/refine.py`` runs: stored seeds, no image and no network."""
    seeds = Seeds(np.array([2], np.uint8), np.zeros((1, 2, 2), np.float16), (4, 5))
    write_seeds(tmp_path / 'p.npz', seeds)
    results = dict(img_path='absent.jpg', image_id='p', seed_path=str(tmp_path / 'p.npz'), with_background=True)
    for name in ('LoadSeeds', 'PackWeakInputs'):
        results = TRANSFORMS.build(dict(type=f'mmwsss.{name}'))(results)
    (sample,) = MODELS.build(dict(type='mmwsss.StoredMaps')).test_step(pseudo_collate([results]))
    assert sample.seeds.size == sample.ori_shape == (4, 5) and sample.with_background


def test_flipped_view_is_packed_whole():
    image = np.random.default_rng(0).integers(0, 255, (4, 5, 3), dtype=np.uint8)
    packed = TRANSFORMS.build(dict(type='mmwsss.PackWeakInputs'))(dict(img=image[:, ::-1]))
    np.testing.assert_array_equal(packed['inputs'].numpy(), image[:, ::-1].transpose(2, 0, 1))


def test_survives_collation_and_preprocessing():
    preprocessor = MODELS.build(dict(type='SegDataPreProcessor', mean=[0] * 3, std=[1] * 3, size=(8, 8)))
    seeds = Seeds(np.array([2], np.uint8), np.zeros((1, 2, 2), np.float16), (4, 5))
    batch = pseudo_collate([pack(gt_seg_map=np.ones((4, 5), np.uint8), seeds=seeds) for _ in range(2)])
    out = preprocessor(batch, training=True)
    assert out['inputs'].shape == (2, 3, 8, 8)
    assert out['data_samples'][1].gt_sem_seg.data.shape == (1, 8, 8)
    assert out['data_samples'][1].seeds.size == (4, 5)
