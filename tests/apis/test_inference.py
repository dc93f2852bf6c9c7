import pickle

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmwsss.apis import PseudoMaskInferencer, SegmentorInferencer
from mmwsss.fileio import DataError

CLASSES = ('background', 'disc', 'stripe', 'box')
PALETTE = [[0, 0, 0], [200, 0, 0], [0, 200, 0], [0, 0, 200]]
SIZES = [(40, 56), (40, 56), (56, 40), (33, 47)]

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def save(model, path, seed=0, **meta):
    """The config of a network, and the file of its random weights."""
    torch.manual_seed(seed)
    network = MODELS.build(model)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    meta = meta or dict(dataset_meta=dict(classes=CLASSES, palette=PALETTE))
    torch.save(dict(state_dict=network.state_dict(), meta=meta), path)
    return str(path)


def config(model, pack, *transforms, **more):
    pipeline = [*transforms, dict(type='Resize', scale=(48, 48), keep_ratio=True), dict(type=pack)]
    return Config(dict(model=model, test_dataloader=dict(dataset=dict(pipeline=pipeline)), **more))


@pytest.fixture
def images(make_image):
    return [make_image(size, seed) for seed, size in enumerate(SIZES)]


@pytest.fixture
def segmentor_model(cam_config):
    cam = cam_config()
    return dict(
        type='EncoderDecoder',
        backbone=cam['backbone'],
        data_preprocessor=dict(cam['data_preprocessor'], test_cfg=dict(size_divisor=8)),
        decode_head=dict(
            type='FCNHead', in_channels=64, in_index=3, channels=8, num_convs=1, num_classes=4, norm_cfg=dict(type='BN')
        ),
        test_cfg=dict(mode='whole'),
    )


@pytest.fixture
def segmentor(segmentor_model, tmp_path):
    load = (dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'))
    return config(segmentor_model, 'PackSegInputs', *load), save(segmentor_model, tmp_path / 'segmentor.pth')


@pytest.fixture
def weak_networks(cam_config, affinity_config, tmp_path):
    cam, affinity = cam_config(3, scales=(1.0,), seed_stride=4), affinity_config()
    load, pack = dict(type='mmwsss.LoadImageFromFile'), 'mmwsss.PackWeakInputs'
    argmax = dict(type='mmwsss.ArgmaxLabeler')
    background = dict(type='mmwsss.Background', score=0.2)
    walk = dict(type='mmwsss.RandomWalk', num_steps=4, alpha=2.0)
    crf = dict(type='mmwsss.DenseCRF', num_iters=2)
    of_cams = dict(
        plain=dict(refiners=[background], labeler=argmax), dcrf=dict(refiners=[background, crf], labeler=argmax)
    )
    of_walk = dict(plain=dict(refiners=[walk], labeler=argmax), dcrf=dict(refiners=[walk, crf], labeler=argmax))
    return (
        config(cam, pack, load, test_cfg=dict(chains=of_cams)),
        save(cam, tmp_path / 'cam.pth'),
        config(affinity, pack, load, dict(type='mmwsss.LoadSeeds'), test_cfg=dict(chains=of_walk)),
        save(affinity, tmp_path / 'affinity.pth'),
    )


def test_segmentor_gives_masks_in_order_whatever_the_batches(segmentor, images):
    infer = SegmentorInferencer(*segmentor, device='cpu')
    assert infer.classes == CLASSES and infer.palette == PALETTE
    alone = list(infer(images))
    together = list(infer(images, batch_size=3))
    assert [p.image.name for p in together] == ['000000', '000001', '000002', '000003']
    for image, one, other in zip(images, alone, together, strict=True):
        assert one.mask.shape == image.shape[:2] and one.mask.dtype == np.uint8
        assert (one.mask == other.mask).mean() > 0.99
    assert len({index for one in alone for index in np.unique(one.mask)}) > 1


def test_one_batch_at_a_time_is_in_memory(segmentor, images, monkeypatch):
    infer = SegmentorInferencer(*segmentor, device='cpu')
    sizes = []
    predict = infer.network.predict
    monkeypatch.setattr(infer.network, 'predict', lambda samples: sizes.append(len(samples)) or predict(samples))
    results = infer(images, batch_size=2)
    next(results)
    assert sizes == [2]
    list(results)
    assert sizes == [2, 2]
    with pytest.raises(DataError, match='batch size'):
        next(infer(images, batch_size=0))


def test_pseudo_masks_hold_the_tags_alone(weak_networks, images):
    infer = PseudoMaskInferencer(*weak_networks, device='cpu')
    for prediction, image in zip(infer(images, ['stripe', 'disc'], batch_size=2), images, strict=True):
        assert prediction.mask.shape == image.shape[:2] and set(np.unique(prediction.mask)) <= {0, 1, 2}
        assert prediction.seeds.class_ids.tolist() == [1, 2] and prediction.seeds.size == image.shape[:2]
    tags = {'000000': ['box'], '000001': [], '000002': ['disc'], '000003': ['disc', 'box']}
    masks = [prediction.mask for prediction in infer(images, tags, batch_size=4)]
    assert set(np.unique(masks[0])) <= {0, 3} and set(np.unique(masks[1])) == {0}


def test_a_chain_is_chosen_by_its_name(weak_networks, images):
    infer = {name: PseudoMaskInferencer(*weak_networks, device='cpu', chain=name) for name in ('plain', 'dcrf', None)}
    masks = {name: [one.mask for one in infer[name](images, ['disc', 'box'])] for name in infer}
    assert any((one != other).any() for one, other in zip(masks['plain'], masks['dcrf'], strict=True))
    assert all((one == other).all() for one, other in zip(masks[None], masks['dcrf'], strict=True)), 'the last one'


def test_a_missing_chain_is_named(weak_networks):
    with pytest.raises(DataError, match=r"chains to hold walk, got \['plain', 'dcrf'\]"):
        PseudoMaskInferencer(*weak_networks, device='cpu', chain='walk')
    weak_networks[2].test_cfg = dict(type='TestLoop')
    with pytest.raises(DataError, match='chains to hold a label chain'):
        PseudoMaskInferencer(*weak_networks, device='cpu')


def test_a_localizer_makes_masks_alone(weak_networks, images):
    infer = PseudoMaskInferencer(*weak_networks[:2], device='cpu')
    assert infer.affinity_model is None
    for prediction, image in zip(infer(images, ['stripe']), images, strict=True):
        assert prediction.mask.shape == image.shape[:2] and set(np.unique(prediction.mask)) <= {0, 2}
    with pytest.raises(DataError, match='expected the checkpoint of this affinity model too'):
        PseudoMaskInferencer(*weak_networks[:3], device='cpu')


def test_without_a_background_an_image_without_tags_has_no_class(weak_networks, images, tmp_path):
    meta = dict(dataset_meta=dict(classes=CLASSES[1:]))
    for cfg, name in zip(weak_networks[::2], ('cam', 'affinity'), strict=True):
        save(cfg.model, tmp_path / f'{name}.pth', **meta)
    infer = PseudoMaskInferencer(*weak_networks, device='cpu')
    assert not infer.with_background
    masks = [one.mask for one in infer(images[:2], {'000000': [], '000001': ['disc', 'box']})]
    assert set(np.unique(masks[0])) == {255} and set(np.unique(masks[1])) <= {0, 2}


def test_the_checkpoint_says_whether_class_0_is_the_background(weak_networks, images, tmp_path):
    meta = dict(dataset_meta=dict(classes=('sky', *CLASSES[1:]), with_background=True))
    save(weak_networks[0].model, tmp_path / 'cam.pth', **meta)
    infer = PseudoMaskInferencer(*weak_networks[:2], device='cpu')
    assert infer.with_background
    assert set(np.unique(next(infer(images[0], ['disc'])).mask)) <= {0, 1}


def test_without_tags_the_localizer_says_what_is_there(weak_networks, images):
    infer = PseudoMaskInferencer(*weak_networks, device='cpu')
    infer.localizer.model.test_cfg['gate_threshold'] = 0.0
    assert next(infer(images)).seeds.class_ids.tolist() == [1, 2, 3]
    infer.localizer.model.test_cfg['gate_threshold'] = 1.0
    prediction = next(infer(images))
    assert len(prediction.seeds.class_ids) == 0 and set(np.unique(prediction.mask)) == {0}


def test_tags_that_cannot_be_used_are_named(weak_networks, images):
    infer = PseudoMaskInferencer(*weak_networks, device='cpu')
    with pytest.raises(DataError, match="'tiger' of image '000000'"):
        next(infer(images, ['tiger']))
    with pytest.raises(DataError, match='000000: expected tags'):
        next(infer(images, {'other': ['disc']}))


def test_networks_of_other_classes_are_refused(weak_networks, tmp_path):
    save(weak_networks[2].model, tmp_path / 'affinity.pth', dataset_meta=dict(classes=('background', 'x')))
    with pytest.raises(DataError, match=r"affinity.pth.*got \['background', 'x'\]"):
        PseudoMaskInferencer(*weak_networks, device='cpu')


def test_a_config_without_scales_is_no_localizer(weak_networks, cam_config):
    weak_networks[0].model = cam_config(3)
    with pytest.raises(DataError, match='config of a localizer'):
        PseudoMaskInferencer(*weak_networks, device='cpu')


def test_checkpoints_are_checked(segmentor, segmentor_model, tmp_path):
    cfg, path = segmentor
    segmentor_model['decode_head']['num_classes'] = 7
    with pytest.raises(DataError, match='conv_seg'):
        SegmentorInferencer(cfg, save(segmentor_model, tmp_path / 'other.pth'), device='cpu')
    with pytest.raises(DataError, match='absent.pth'):
        SegmentorInferencer(cfg, str(tmp_path / 'absent.pth'), device='cpu')
    with open(tmp_path / 'code.pth', 'wb') as file:
        pickle.dump(dict(state_dict=print), file)
    with pytest.raises(DataError, match='code.pth'):
        SegmentorInferencer(cfg, str(tmp_path / 'code.pth'), device='cpu')


def test_classes_come_from_the_config_where_the_checkpoint_has_none(segmentor, segmentor_model, tmp_path):
    cfg = segmentor[0]
    path = save(segmentor_model, tmp_path / 'plain.pth', iter=3)
    with pytest.raises(DataError, match='class names'):
        SegmentorInferencer(cfg, path, device='cpu')
    cfg.classes = ['a', 'b', 'c', 'd']
    infer = SegmentorInferencer(cfg, path, device='cpu')
    assert infer.classes == ('a', 'b', 'c', 'd') and len(infer.palette) == 4


def test_devices_are_chosen_and_named(segmentor):
    assert SegmentorInferencer(*segmentor, device='cpu').network.device.type == 'cpu'
    with pytest.raises(DataError, match='device cuda:99'):
        SegmentorInferencer(*segmentor, device='cuda:99')
    with pytest.raises(DataError, match='device toaster'):
        SegmentorInferencer(*segmentor, device='toaster')
