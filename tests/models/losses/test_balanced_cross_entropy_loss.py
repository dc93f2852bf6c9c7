import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def batch():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(2, 3, 5, 6, generator=generator)
    labels = torch.randint(0, 3, (2, 5, 6), generator=generator)
    labels[0, :2] = 255
    return scores, labels


def build(**settings):
    return MODELS.build(dict(type='mmwsss.BalancedCrossEntropyLoss', **settings))


@pytest.mark.parametrize('background', [0, 2])
def test_both_groups_weigh_the_same(background):
    scores, labels = batch()
    background_only = labels.where(labels == background, torch.tensor(255))
    foreground_only = labels.where(labels != background, torch.tensor(255))
    expected = sum(F.cross_entropy(scores, part, ignore_index=255) for part in (background_only, foreground_only)) / 2
    torch.testing.assert_close(build(background=background)(scores, labels), expected)
    torch.testing.assert_close(build(background=background, loss_weight=3.0)(scores, labels), 3 * expected)


def test_a_group_without_pixels_counts_as_zero():
    scores, labels = batch()
    only = torch.zeros_like(labels)
    torch.testing.assert_close(build()(scores, only), F.cross_entropy(scores, only) / 2)
    assert build()(scores, torch.full_like(labels, 255)) == 0


def test_weights_of_pixels():
    scores, labels = batch()
    weight = torch.full(labels.shape, 0.5)
    torch.testing.assert_close(build()(scores, labels, weight=weight), build()(scores, labels) / 2)


def test_a_head_trains_on_it():
    head = MODELS.build(
        dict(
            type='FCNHead',
            in_channels=4,
            channels=4,
            num_classes=3,
            loss_decode=dict(type='mmwsss.BalancedCrossEntropyLoss', loss_name='loss_balanced'),
        )
    )
    _, labels = batch()
    samples = [SegDataSample(gt_sem_seg=PixelData(data=label[None])) for label in labels]
    losses = head.loss([torch.rand(2, 4, 5, 6)], samples, dict())
    losses['loss_balanced'].backward()
    assert head.conv_seg.weight.grad.abs().sum() > 0
