import pytest
import torch
from torch import nn

from mmwsss.models.backbones.outputs import BackboneOutput, backbone_outputs, build_backbone

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class Returns(nn.Module):
    """A backbone that returns what it is told to."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x):
        return self.function(self.norm(x))


def pool(x, stride):
    return nn.functional.avg_pool2d(x, stride)


def test_channels_and_strides():
    outputs = backbone_outputs(Returns(lambda x: [pool(x, 2), torch.cat([pool(x, 16)] * 2, 1)]))
    assert outputs == [BackboneOutput(channels=3, stride=2), BackboneOutput(channels=6, stride=16)]
    assert backbone_outputs(Returns(lambda x: pool(x, 4))) == [BackboneOutput(channels=3, stride=4)]


@pytest.mark.parametrize('training', [True, False])
def test_backbone_stays_as_it_is(training):
    backbone = Returns(lambda x: x).train(training)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    state = torch.random.get_rng_state()
    backbone_outputs(backbone)
    assert backbone.training == backbone.norm.training == training
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_mobilenet_whose_eval_returns_nothing():
    backbone = build_backbone(dict(type='MobileNetV2', widen_factor=0.25, norm_eval=True))
    assert [output.stride for output in backbone_outputs(backbone)] == [4, 8, 16, 32]
    assert backbone.training and not any(m.training for m in backbone.modules() if isinstance(m, nn.BatchNorm2d))


def fail(x):
    raise AssertionError('sides must be 224')


@pytest.mark.parametrize(
    'function, message',
    [
        (fail, r'cannot run on an image of 96 x 64 .*sides must be 224\); set in_channels .* and size_divisor'),
        (lambda x: [x.mean((2, 3))], r'output 0 is \(1, 3\); set what pools them .*gap_before_final_norm=False'),
        (lambda x: [[x, x]], r'output 0 is list; set what pools them or adds tokens'),
        (lambda x: [x, x[:, :, :-1]], r'output 1 .* is 96 x 63, which is no whole stride; set in_channels'),
        (lambda x: [x[:, :, ::2]], 'is 96 x 32, which is no whole stride'),
    ],
)
def test_what_cannot_be_found_out_is_said(function, message):
    with pytest.raises(ValueError, match=f'backbone Returns: .*{message}'):
        backbone_outputs(Returns(function))


def test_package_that_is_not_installed():
    with pytest.raises(ValueError, match=r'backbone nowhere\.Net: the package nowhere is not installed; install'):
        build_backbone(dict(type='nowhere.Net'))
