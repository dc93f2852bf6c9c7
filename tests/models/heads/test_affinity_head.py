import math

import pytest
import torch

from mmwsss.models.backbones.outputs import BackboneOutput
from mmwsss.models.heads import AffinityHead
from mmwsss.ops import affinity_loss, pair_labels, pairwise_affinity, pool_label_map
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def build(**settings):
    torch.manual_seed(0)
    config = dict(type='mmwsss.AffinityHead', in_channels=(4, 6, 8), channels=(3, 5, 7), radius=3)
    head = MODELS.build({**config, **settings})
    head.init_weights()
    return head


def features(size=(5, 6), batch=2):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(batch, channels, *size, generator=generator) for channels in (4, 6, 8)]


@pytest.mark.parametrize('norm_cfg', [None, dict(type='GN', num_groups=1), dict(type='BN')])
def test_embedding_of_the_configured_taps(norm_cfg):
    head = build(norm_cfg=norm_cfg)
    feats = features()
    out = head(feats, (5, 6))
    assert out.shape == (2, 15, 5, 6) and out.min() >= -1
    other = build(norm_cfg=norm_cfg, in_index=(3, 1, 2))
    torch.testing.assert_close(other([None, feats[1], feats[2], feats[0]], (5, 6)), out)


def test_each_tap_has_its_own_norm():
    head = build(channels=(4, 8, 16), norm_cfg=[dict(type='GN', num_groups=groups) for groups in (1, 2, 4)])
    assert [projection[1].num_groups for projection in head.projections] == [1, 2, 4]
    with pytest.raises(ValueError, match='norm_cfg'):
        build(norm_cfg=[dict(type='BN')])


def test_taps_of_other_sizes_come_to_the_grid():
    head, feats = build(), features()
    coarse = [feats[0], torch.nn.functional.avg_pool2d(feats[1], 2), feats[2]]
    assert head(coarse, (5, 6)).shape == (2, 15, 5, 6)
    assert head(feats, (9, 11)).shape == (2, 15, 9, 11)


def test_embedding_is_what_the_paper_says():
    """Each tap projected and ELU, concatenated, mixed and ELU, for one cell at a time."""
    head, feats = build(), features(batch=1)
    out = head(feats, (5, 6))
    for y, x in ((0, 0), (4, 2), (2, 5)):
        taps = []
        for projection, feat in zip(head.projections, feats, strict=True):
            taps.append(torch.nn.functional.elu(projection[0].weight[:, :, 0, 0] @ feat[0, :, y, x]))
        mixed = torch.nn.functional.elu(head.mix.weight[:, :, 0, 0] @ torch.cat(taps))
        torch.testing.assert_close(out[0, :, y, x], mixed)


@pytest.mark.parametrize('border', ['full', 'reference'])
@pytest.mark.parametrize('with_background', [True, False])
@pytest.mark.parametrize('size', [(40, 48), (37, 41)])
def test_loss_is_the_weighted_loss_of_the_ops(border, with_background, size):
    weights = dict(loss_bg=0.2, loss_fg=0.3, loss_neg=0.4)
    head = build(border=border, loss_weights=weights)
    label_map = torch.randint(0, 3, (2, 5, 6)).repeat_interleave(8, 1).repeat_interleave(8, 2)
    label_map = label_map[:, : size[0], : size[1]]
    label_map[:, :9, :9] = 255
    feats = features()
    losses = head.loss(feats, label_map, with_background)
    affinity = pairwise_affinity(head(feats, (5, 6)), 3, border)
    pairs = pair_labels(pool_label_map(label_map, 8), 3, border, with_background=with_background)
    for name, value in affinity_loss(affinity, pairs).items():
        torch.testing.assert_close(losses[name], weights[name] * value)
    assert (losses['loss_bg'] == 0) == (not with_background)


def test_class_0_is_the_background_by_default():
    head, feats = build(), features()
    label_map = torch.zeros(2, 40, 48, dtype=torch.int64)
    assert head.loss(feats, label_map)['loss_bg'] > 0


def test_default_weights_are_the_papers():
    assert build().loss_weights == dict(loss_bg=0.25, loss_fg=0.25, loss_neg=0.5)


def test_pairs_that_are_all_neutral_cost_nothing():
    losses = build().loss(features(), torch.full((2, 40, 48), 255))
    assert all(value == 0 for value in losses.values())
    sum(losses.values()).backward()


def test_affinity_is_computed_in_float32():
    head = build()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        affinity = head.affinity(features(), (5, 6))
    assert affinity.dtype == torch.float32 and affinity.shape == (2, 12, 5, 6)
    torch.testing.assert_close(affinity, head.affinity(features(), (5, 6)), atol=0.05, rtol=0)


def test_initialization_is_the_papers():
    head = build(in_channels=(400, 6, 8), channels=(300, 5, 7))
    projection, mix = head.projections[0][0].weight, head.mix.weight
    assert abs(float(projection.detach().std()) - math.sqrt(2 / 400)) < 0.002
    bound = 4 * math.sqrt(6 / (2 * 312))
    assert 0.99 * bound < float(mix.detach().abs().max()) <= bound


@pytest.mark.parametrize(
    'settings, name',
    [
        (dict(channels=(3, 5)), 'in_channels, in_index and channels'),
        (dict(in_index=(0, 1)), 'in_channels, in_index and channels'),
        (dict(border='none'), 'border'),
        (dict(stride=0), 'stride'),
        (dict(radius=1), 'radius'),
        (dict(loss_weights=dict(loss_bg=1)), 'loss_weights'),
    ],
)
def test_wrong_argument_is_named(settings, name):
    with pytest.raises(ValueError, match=name):
        build(**settings)


def outputs(*strides):
    return [BackboneOutput(channels=10 * index, stride=stride) for index, stride in enumerate(strides, 1)]


@pytest.mark.parametrize(
    'strides, indices',
    [
        ((4, 8, 16, 32), (1, 2, 3)),
        ((2, 4, 8, 8, 8, 8), (3, 4, 5)),
        ((16, 8, 4, 2, 1), (0, 1)),
        ((16,), (0,)),
        ((1, 2, 4, 4), (1, 2, 3)),
    ],
)
def test_taps_are_the_last_three_not_finer_than_the_grid(strides, indices):
    head = AffinityHead.complete(dict(type='Head'), outputs(*strides))
    assert head == dict(type='Head', in_index=indices, in_channels=tuple(10 * (index + 1) for index in indices))


def test_taps_follow_the_stride_of_the_head():
    assert AffinityHead.complete(dict(stride=16), outputs(4, 8, 16, 32))['in_index'] == (2, 3)


def test_taps_that_are_given_are_kept():
    head = AffinityHead.complete(dict(in_index=[0, -1]), outputs(4, 8, 16))
    assert head['in_index'] == (0, -1) and head['in_channels'] == (10, 30)


def test_no_such_output():
    with pytest.raises(ValueError, match='in_index of AffinityHead: the backbone has 3 outputs, 3 is none of them'):
        AffinityHead.complete(dict(in_index=(0, 3)), outputs(4, 8, 16))
