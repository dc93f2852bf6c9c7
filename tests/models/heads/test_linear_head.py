import pytest
import torch
from mmcv.cnn.utils import fuse_conv_bn
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def head():
    torch.manual_seed(0)
    return MODELS.build(
        dict(type='mmwsss.LinearHead', in_channels=(3, 5), in_index=(0, 2), num_classes=4, align_corners=False)
    )


def levels():
    generator = torch.Generator().manual_seed(1)
    return [50 + 9 * torch.randn(2, 3, 8, 6, generator=generator), None, torch.randn(2, 5, 4, 3, generator=generator)]


def test_standardized_channels_are_weighed(head):
    first, _, last = levels()
    last = torch.nn.functional.interpolate(last, size=(8, 6), mode='bilinear', align_corners=False)
    both = torch.cat([first, last], 1)
    variance, mean = torch.var_mean(both, (0, 2, 3), correction=0, keepdim=True)
    expected = torch.einsum('bdhw,cd->bchw', (both - mean) / (variance + 1e-5).sqrt(), head.conv_seg.weight[:, :, 0, 0])
    torch.testing.assert_close(head(levels()), expected + head.conv_seg.bias[:, None, None])


def test_a_test_standardizes_by_what_training_saw(head):
    for _ in range(200):
        head(levels())
    trained = head(levels())
    torch.testing.assert_close(head.eval()(levels()), trained, rtol=0.1, atol=0.02)


def test_one_level(head):
    one = MODELS.build(dict(type='mmwsss.LinearHead', in_channels=3, in_index=0, num_classes=4, align_corners=False))
    assert one(levels()).shape == (2, 4, 8, 6)


def test_only_the_classifier_learns(head):
    assert {name for name, _ in head.named_parameters()} == {'conv_seg.weight', 'conv_seg.bias'}
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.randint(0, 4, (1, 32, 24))))
    head.loss(levels(), [sample, sample], {})['loss_ce'].backward()
    assert head.conv_seg.weight.grad.any()


def test_the_norm_is_not_fused_into_the_classifier(head):
    head.eval()
    before = head(levels())
    torch.testing.assert_close(fuse_conv_bn(head)(levels()), before)
