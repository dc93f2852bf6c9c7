import numpy as np
import pytest
import torch
from mmengine.structures import LabelData, PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmwsss.fileio import write_features
from mmwsss.ops import resize_maps
from mmwsss.structures import ScoreMaps

pytestmark = pytest.mark.usefixtures('mmseg_scope')

SEGMENTOR = dict(
    type='EncoderDecoder',
    backbone=dict(type='MobileNetV2', out_indices=(6,)),
    decode_head=dict(type='FCNHead', in_channels=320, channels=320, num_classes=4, num_convs=0, concat_input=False),
)
SIZE = (21, 34)


@pytest.fixture(scope='module')
def logits():
    return 3 * torch.randn(3, 4, *SIZE, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def build(mmseg_scope):
    return lambda **settings: MODELS.build(dict(type='mmwsss.SeedTTAModel', module=SEGMENTOR, **settings))


def seeds_of(model, logits, label, with_background=True):
    meta = dict(img_path='p.jpg', image_id='p', with_background=with_background)
    variants = [SegDataSample(seg_logits=PixelData(data=value), metainfo=meta) for value in logits]
    if label is not None:
        for variant in variants:
            variant.gt_label = LabelData(score=torch.tensor(label))
    (sample,) = model.merge_preds([variants])
    assert sample.image_id == 'p'
    return sample.seeds


@pytest.mark.parametrize(
    'label, with_background, expected',
    [
        ([1.0, 0.0, 1.0], True, [0, 1, 3]),
        ([0.0, 0.0, 0.0], True, [0]),
        ([1.0, 0.0, 0.0, 1.0], False, [0, 3]),
        ([0.0, 0.0, 0.0, 0.0], False, []),
    ],
)
def test_labels_choose_the_classes(build, logits, label, with_background, expected):
    seeds = seeds_of(build(seed_stride=1), logits, label, with_background)
    assert seeds.class_ids.tolist() == expected and seeds.size == SIZE
    scores = logits.softmax(1).mean(0)[expected]
    np.testing.assert_allclose(seeds.cams, scores / scores.sum(0), atol=1e-3)


def test_seeds_have_a_coarse_grid_and_the_background_in_front(build, logits):
    fine, coarse = (seeds_of(build(seed_stride=stride), logits, [0.0, 1.0, 0.0]) for stride in (1, 4))
    assert coarse.cams.shape == (2, 6, 9) and coarse.cams.dtype == np.float16
    expected = resize_maps(torch.from_numpy(fine.cams.astype(np.float32)), (6, 9))
    np.testing.assert_allclose(coarse.cams, expected, atol=2e-3)
    maps = ScoreMaps.of_seeds(coarse, with_background=True)
    assert maps.has_background and maps.class_ids.tolist() == [[0, 2]]
    assert not ScoreMaps.of_seeds(coarse, with_background=False).has_background


def test_other_maps_have_no_background_in_front(build, logits):
    seeds = seeds_of(build(), logits, [0.0, 1.0, 0.0])
    without = seeds._replace(class_ids=seeds.class_ids[1:], cams=seeds.cams[1:])
    assert not ScoreMaps.of_seeds(without, with_background=True).has_background


@pytest.mark.parametrize('label, message', [(None, 'p.jpg: .*image_labels'), ([1.0, 0.0], 'of 2 classes.* scores 3')])
def test_labels_must_be_there_and_fit(build, logits, label, message):
    with pytest.raises(ValueError, match=message):
        seeds_of(build(), logits, label)


def test_settings_out_of_range(build):
    with pytest.raises(ValueError, match='seed_stride of SeedTTAModel must be an integer of at least 1, got 0'):
        build(seed_stride=0)
    head = dict(SEGMENTOR['decode_head'], num_classes=2, out_channels=1, threshold=0.5)
    head['loss_decode'] = dict(type='CrossEntropyLoss', use_sigmoid=True)
    with pytest.raises(ValueError, match='SeedTTAModel: expected a segmentor with a channel a class'):
        MODELS.build(dict(type='mmwsss.SeedTTAModel', module=dict(SEGMENTOR, decode_head=head)))


def test_stored_features_go_to_the_chain(build, logits, tmp_path):
    features = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float16)
    write_features(tmp_path / 'p.npz', features)
    variants = [SegDataSample(seg_logits=PixelData(data=value), metainfo=dict(image_id='p')) for value in logits]
    for variant in variants:
        variant.gt_label = LabelData(score=torch.tensor([1.0, 0.0, 0.0]))
    (sample,) = build(feature_dir=str(tmp_path)).merge_preds([variants])
    np.testing.assert_array_equal(sample.features, features)
