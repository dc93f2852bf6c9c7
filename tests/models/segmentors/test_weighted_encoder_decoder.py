import copy

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmwsss.fileio import DataError
from mmwsss.models.segmentors.weighted_encoder_decoder import stack_pixel_weights

pytestmark = pytest.mark.usefixtures('mmseg_scope')

SIZE = (21, 34)
PADDED = (24, 40)
OURS = dict(type='mmwsss.CrossEntropyLoss')
SURE = dict(OURS, avg_non_ignore=True)
BALANCED = dict(OURS, class_weight=[0.5, 2.0, 1.0, 3.0])


def head_of(kind='FCNHead', loss=SURE, **settings):
    more = dict(num_convs=1, concat_input=False, kernel_size=1) if kind == 'FCNHead' else {}
    base = dict(in_channels=32, in_index=2, channels=8, num_classes=4, dropout_ratio=0.0)
    return {**base, 'type': kind, 'loss_decode': loss, **more, **settings}


def segmentor(decode_head, auxiliary_head=None, kind='EncoderDecoder', **settings):
    """A segmentor with the same weights whatever its type."""
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type=kind,
            data_preprocessor=dict(type='SegDataPreProcessor', mean=[127.5] * 3, std=[60.0] * 3, size_divisor=8),
            backbone=dict(
                type='ResNet', depth=18, base_channels=8, stem_channels=8, num_stages=3, strides=(1, 2, 1),
                dilations=(1, 1, 1), out_indices=(0, 1, 2), norm_cfg=dict(type='BN'), norm_eval=True,
            ),
            decode_head=copy.deepcopy(decode_head),
            auxiliary_head=copy.deepcopy(auxiliary_head),
            **settings,
        )
    )  # fmt: skip
    model.train()
    return model


def batch(weights=None, seed=1):
    """Two images of one size, labeled at random, a tenth of whose pixels are ignored."""
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for _ in range(2):
        label = torch.randint(0, 4, (1, *SIZE), generator=generator)
        label[torch.rand(1, *SIZE, generator=generator) < 0.1] = 255
        sample = SegDataSample(gt_sem_seg=PixelData(data=label), metainfo=dict(img_path='p.jpg'))
        if weights is not None:
            data = torch.full((1, *SIZE), weights, dtype=torch.uint8) if isinstance(weights, int) else weights
            sample.set_field(PixelData(data=data), 'gt_pixel_weight')
        samples.append(sample)
    images = [torch.randint(0, 256, (3, *SIZE), generator=generator, dtype=torch.uint8) for _ in range(2)]
    return dict(inputs=images, data_samples=samples)


def losses_and_gradients(model, data):
    prepared = model.data_preprocessor(data, True)
    torch.manual_seed(2)
    losses = model.loss(prepared['inputs'], prepared['data_samples'])
    model.zero_grad()
    model.parse_losses(losses)[0].backward()
    return losses, {name: one.grad for name, one in model.named_parameters() if one.grad is not None}


HEADS = dict(
    plain=dict(decode_head=head_of()),
    all_pixels=dict(decode_head=head_of(loss=dict(OURS, avg_non_ignore=False))),
    class_weight=dict(decode_head=head_of(loss=BALANCED)),
    mmseg_loss=dict(decode_head=head_of(loss=dict(type='CrossEntropyLoss', avg_non_ignore=True))),
    sigmoid=dict(decode_head=head_of(loss=dict(type='CrossEntropyLoss', use_sigmoid=True))),
    halves=dict(decode_head=head_of(loss=dict(type='mmwsss.BalancedCrossEntropyLoss'))),
    two_losses=dict(decode_head=head_of(loss=[SURE, dict(OURS, loss_name='loss_second', loss_weight=0.5)])),
    auxiliary=dict(decode_head=head_of(), auxiliary_head=head_of(in_channels=16, in_index=1)),
    two_auxiliary=dict(decode_head=head_of(), auxiliary_head=[head_of(), head_of(in_channels=8, in_index=0)]),
    sampler=dict(decode_head=head_of(sampler=dict(type='OHEMPixelSampler', thresh=0.7, min_kept=100))),
    encoding=dict(
        decode_head=head_of(
            'EncHead', in_channels=(8, 16, 32), in_index=(0, 1, 2), num_codes=4, norm_cfg=dict(type='BN'),
            loss_se_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=0.2),
        )
    ),
    cascade=dict(
        kind='CascadeEncoderDecoder',
        num_stages=2,
        decode_head=[head_of(), head_of('OCRHead', ocr_channels=8, norm_cfg=dict(type='BN'))],
    ),
)  # fmt: skip


def weighted(kind='EncoderDecoder', **settings):
    return segmentor(kind=f'mmwsss.Weighted{kind}', **settings)


@pytest.mark.parametrize('name', HEADS)
def test_full_weights_change_no_bit_of_losses_and_gradients(name):
    expected, expected_gradients = losses_and_gradients(segmentor(**HEADS[name]), batch())
    found, gradients = losses_and_gradients(weighted(**HEADS[name]), batch(255))
    assert found.keys() == expected.keys() and gradients.keys() == expected_gradients.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert all(torch.equal(gradients[key], expected_gradients[key]) for key in gradients)


@pytest.mark.parametrize('name', sorted(set(HEADS) - {'encoding'}))
def test_pixels_that_weigh_nothing_are_not_learned_from(name):
    losses, _ = losses_and_gradients(weighted(**HEADS[name]), batch(0))
    assert all(value == 0 for key, value in losses.items() if 'loss' in key)


def test_each_loss_is_multiplied_by_the_weight_of_its_pixel():
    """Whose divisor stays the number of labeled pixels, so that doubt counts for less in the whole."""
    weights = torch.randint(0, 256, (1, *SIZE), generator=torch.Generator().manual_seed(3)).to(torch.uint8)
    model = weighted(decode_head=head_of())
    data = model.data_preprocessor(batch(weights), True)
    found = model.loss(data['inputs'], data['data_samples'])['decode.loss_ce']
    scores = torch.nn.functional.interpolate(
        model.decode_head(model.extract_feat(data['inputs'])), size=PADDED, mode='bilinear'
    )
    label = torch.cat([sample.gt_sem_seg.data for sample in data['data_samples']])
    losses = torch.nn.functional.cross_entropy(scores, label, ignore_index=255, reduction='none')
    per_pixel = losses[:, : SIZE[0], : SIZE[1]] * weights / 255
    assert torch.allclose(found, per_pixel.sum() / (label != 255).sum(), rtol=1e-5)


def test_checkpoints_and_predictions_are_those_of_the_plain_segmentor():
    plain, ours = segmentor(head_of()), weighted(decode_head=head_of())
    assert plain.state_dict().keys() == ours.state_dict().keys()
    images = torch.rand(1, 3, *PADDED)
    assert torch.equal(ours.eval()(images), plain.eval()(images))


def test_a_sample_without_weights_is_refused():
    model = weighted(decode_head=head_of())
    with pytest.raises(DataError, match=r'p.jpg: has no weights of pixels; set pixel_weight_dir'):
        losses_and_gradients(model, batch())


def test_weights_are_forgotten_after_a_loss():
    model = weighted(decode_head=head_of())
    losses_and_gradients(model, batch(0))
    assert model.decode_head.sampler.weights is None
    data = model.data_preprocessor(batch(), True)
    losses = model.decode_head.loss(model.extract_feat(data['inputs']), data['data_samples'], {})
    assert losses['loss_ce'] > 0


@pytest.mark.parametrize(
    'loss, reason',
    [(dict(type='LovaszLoss', reduction='none'), 'expected a loss'), (dict(type='DiceLoss'), r'\(\w+')],
)
def test_a_loss_that_ignores_weights_is_refused(loss, reason):
    with pytest.raises(ValueError, match=rf'decode_head: {loss["type"]} does not weigh pixels; .*{reason}'):
        weighted(decode_head=head_of(loss=[SURE, loss]))


def test_a_head_that_computes_its_own_loss_is_refused():
    head = head_of('DDRHead', in_channels=32, loss=[SURE, SURE], norm_cfg=dict(type='BN'))
    model = weighted(decode_head=head)
    scores = torch.rand(2, 4, 3, 5, requires_grad=True)
    model.decode_head.forward = lambda inputs: (scores, scores)
    data = batch(255)
    for sample in data['data_samples']:
        sample.gt_sem_seg.data = sample.gt_sem_seg.data % 4
    # Nothing is padded: the loss of this head knows no label to ignore.
    model.data_preprocessor.size_divisor = 1
    with pytest.raises(ValueError, match='the loss of decode_head, DDRHead, does not weigh pixels'):
        losses_and_gradients(model, data)


def test_a_head_of_another_kind_is_refused(monkeypatch):
    class Other(torch.nn.Linear):
        align_corners, num_classes, out_channels = False, 4, 4

    build = MODELS.build
    monkeypatch.setattr(MODELS, 'build', lambda cfg: Other(2, 2) if cfg['type'] == 'Other' else build(cfg))
    with pytest.raises(ValueError, match='WeightedEncoderDecoder: decode_head, Other, has no loss that weighs pixels'):
        weighted(decode_head=dict(type='Other'))


def test_the_padding_weighs_nothing():
    samples = batch(51)['data_samples']
    stacked = stack_pixel_weights(samples, PADDED)
    assert stacked.shape == (2, *PADDED) and stacked.dtype == torch.float32
    assert torch.allclose(stacked[:, : SIZE[0], : SIZE[1]], torch.tensor(0.2))
    assert stacked[:, SIZE[0] :].sum() == 0 and stacked[:, :, SIZE[1] :].sum() == 0
