import pytest
import torch
import torch.nn.functional as F

from mmwsss.models.backbones.outputs import BackboneOutput
from mmwsss.models.heads import CAMHead
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')

EXPAND = dict(type='ConvModule', out_channels=12, kernel_size=1, norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU6'))


def build(**settings):
    torch.manual_seed(0)
    head = MODELS.build({**dict(type='mmwsss.CAMHead', in_channels=8, num_classes=3, dropout_ratio=0.0), **settings})
    head.init_weights()
    return head


def features(size=(5, 7), batch=2):
    return torch.randn(batch, 8, *size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize('num_classes', [1, 3, 254])
@pytest.mark.parametrize('size', [(1, 1), (5, 7)])
def test_scores_are_the_mean_of_the_maps(num_classes, size):
    head, feats = build(num_classes=num_classes), features(size)
    maps = F.conv2d(feats, head.classifier.weight)
    torch.testing.assert_close(head(feats), maps.mean((2, 3)))
    cams, probabilities = head.localize(feats)
    torch.testing.assert_close(probabilities, maps.mean((2, 3)).sigmoid())
    torch.testing.assert_close(cams, maps.clamp(min=0))


@pytest.mark.parametrize('expand', [None, EXPAND])
def test_pooling_before_or_after_the_classifier_gives_the_same(expand):
    before, after = build(expand=expand), build(expand=expand, pool='after')
    torch.testing.assert_close(before(features()), after(features()))
    torch.testing.assert_close(before.localize(features())[0], after.localize(features())[0])


@pytest.mark.parametrize('settings', [dict(), dict(pool='after'), dict(cam_activation='sqrt', dropout_ratio=0.5)])
def test_one_pass_gives_maps_and_probabilities(settings):
    head = build(**settings).eval()
    maps, probabilities = head.localize([features()])
    score_maps = F.conv2d(features(), head.classifier.weight).clamp(min=0)
    torch.testing.assert_close(maps, score_maps.sqrt() if 'cam_activation' in settings else score_maps)
    torch.testing.assert_close(probabilities, head(features()).sigmoid())


def test_square_root_of_the_maps():
    torch.testing.assert_close(
        build(cam_activation='sqrt').localize(features())[0], build().localize(features())[0].sqrt()
    )


def test_tap_is_picked_by_index():
    head = build(in_index=1)
    torch.testing.assert_close(head([None, features(), None]), build()(features()))
    torch.testing.assert_close(build()([None, features()]), build()(features()))


def test_loss_is_cross_entropy_of_each_class():
    head, labels = build(), torch.tensor([[1.0, 0, 1], [0, 0, 0]])
    probability = head(features()).sigmoid()
    expected = -(labels * probability.log() + (1 - labels) * (1 - probability).log()).mean()
    torch.testing.assert_close(head.loss(features(), labels)['loss_cls'], expected)


def test_labels_of_another_count_are_refused():
    with pytest.raises(ValueError, match=r'\(B, num_classes\) = \(2, 3\), got \(2, 4\)'):
        build().loss(features(), torch.zeros(2, 4))


def test_dropout_is_of_training_only():
    head = build(dropout_ratio=0.9)
    head.train()
    assert not torch.equal(head(features()), head(features()))
    torch.testing.assert_close(head.localize(features())[0], build().localize(features())[0])
    head.eval()
    torch.testing.assert_close(head(features()), build()(features()))


def test_norm_of_the_expansion_keeps_its_statistics():
    head = build(expand=EXPAND)
    before = head.expand.bn.running_mean.clone()
    head.train()
    head(features())
    assert not head.expand.bn.training and head.training
    torch.testing.assert_close(head.expand.bn.running_mean, before)


def test_expansion_takes_its_weights_from_a_file(tmp_path):
    source = build(expand=EXPAND).expand
    torch.nn.init.constant_(source.conv.weight, 0.25)
    state = {f'conv2.{name}': value for name, value in source.state_dict().items()}
    torch.save(dict(state_dict={**state, 'conv1.weight': torch.ones(1)}), tmp_path / 'weights.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'weights.pth'), prefix='conv2.')
    head = build(expand={**EXPAND, 'init_cfg': init_cfg})
    assert (head.expand.conv.weight == 0.25).all()
    assert head.classifier.weight.shape == (3, 12, 1, 1)
    bound = (6 / 15) ** 0.5
    assert 0.8 * bound < head.classifier.weight.abs().max() <= bound


@pytest.mark.parametrize(
    'settings, name',
    [(dict(pool='max'), 'pool'), (dict(cam_activation='elu'), 'cam_activation'), (dict(num_classes=0), 'num_classes')],
)
def test_wrong_argument_is_named(settings, name):
    with pytest.raises(ValueError, match=name):
        build(**settings)


@pytest.mark.parametrize(
    'head, channels', [(dict(), 30), (dict(in_index=0), 10), (dict(in_index=-2, in_channels=None), 20)]
)
def test_channels_of_one_tap(head, channels):
    outputs = [BackboneOutput(channels=10 * index, stride=4) for index in (1, 2, 3)]
    head = dict(head, type='Head')
    assert CAMHead.complete(head, outputs) == {**head, 'in_channels': channels}
    with pytest.raises(ValueError, match='in_index of CAMHead: the backbone has 3 outputs, 3 is none of them'):
        CAMHead.complete(dict(head, in_index=3), outputs)
