import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def head():
    torch.manual_seed(0)
    return MODELS.build(dict(type='mmwsss.DeepLabV2Head', in_channels=6, in_index=1, num_classes=3, dilations=(1, 4)))


def features():
    return [None, torch.randn(2, 6, 9, 11, generator=torch.Generator().manual_seed(1))]


def test_scores_of_the_branches_are_summed(head):
    first, second = head.conv_seg.branches
    expected = F.conv2d(features()[1], first.weight, first.bias, padding=1)
    expected = expected + F.conv2d(features()[1], second.weight, second.bias, padding=4, dilation=4)
    torch.testing.assert_close(head(features()), expected)
    assert expected.shape == (2, 3, 9, 11)


def test_initialized_as_classifiers(head):
    head.init_weights()
    for branch in head.conv_seg.branches:
        assert 0.005 < branch.weight.std() < 0.02 and not branch.bias.any()


def test_every_parameter_learns(head):
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.randint(0, 3, (1, 36, 44))))
    head.loss(features(), [sample, sample], {})['loss_ce'].backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in head.parameters())
