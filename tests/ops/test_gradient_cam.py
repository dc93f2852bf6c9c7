"""Gradient CAMs against the recording of two published packages, a slow twin and cases with known answers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmwsss.ops import fuse_cams, fuse_layers, grad_cam, grad_cam_plus_plus, layer_cam, xgrad_cam
from mmwsss.ops.gradient_cam import LAYER_CAM_GAIN

METHODS = {'gradcam': grad_cam, 'xgradcam': xgrad_cam, 'gradcampp': grad_cam_plus_plus, 'layercam': layer_cam}
TOLERANCE = 1e-4


def random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def assert_close_to_largest(measured, expected):
    np.testing.assert_allclose(measured, expected, atol=TOLERANCE * np.abs(expected).max(), rtol=0)


def twin(name, activation, gradient):
    """A map (h, w) of an activation and a gradient (C, h, w), channel by channel."""
    total = np.zeros(activation.shape[1:])
    for a, g in zip(activation, gradient, strict=True):
        if name == 'gradcam':
            total += g.mean() * a
        elif name == 'xgradcam':
            total += (g * a).sum() / (a.sum() + 1e-7) * a
        elif name == 'layercam':
            total += np.maximum(g, 0) * a
        else:
            share = np.where(g == 0, 0, g**2 / (2 * g**2 + a.sum() * g**3 + 1e-6))
            total += (share * np.maximum(g, 0)).sum() * a
    return np.maximum(total, 0)


@pytest.mark.parametrize('layer', ['conv2', 'act2', 'act1'])
@pytest.mark.parametrize('name', METHODS)
def test_maps_equal_those_of_pytorch_grad_cam(recorded_methods, layer, name):
    group = recorded_methods(f'cam/{layer}')
    cam = METHODS[name](torch.as_tensor(group['activation']), torch.as_tensor(group['gradient']))
    assert_close_to_largest(cam.numpy(), np.maximum(group[f'{name}/jacobgil_sum'], 0))


@pytest.mark.parametrize('layer', ['conv2', 'act2', 'act1'])
@pytest.mark.parametrize('name', ['gradcam', 'xgradcam', 'layercam'])
def test_maps_equal_those_of_torch_cam(recorded_methods, layer, name):
    """Its Grad-CAM++ is another: a division has no effect there."""
    group = recorded_methods(f'cam/{layer}')
    cam = METHODS[name](torch.as_tensor(group['activation']), torch.as_tensor(group['gradient']))
    assert_close_to_largest(cam.numpy(), group[f'{name}/torchcam_relu'])


def to_unit_range(maps):
    maps = maps - maps.amin((1, 2), keepdim=True)
    return maps / (maps.amax((1, 2), keepdim=True) + 1e-8)


def test_fused_layers_equal_those_of_torch_cam(recorded_methods):
    layers = [recorded_methods(f'cam/{layer}') for layer in ('act1', 'act2')]
    maps = [
        to_unit_range(layer_cam(torch.as_tensor(group['activation']), torch.as_tensor(group['gradient'])))
        for group in layers
    ]
    expected = recorded_methods('cam')['layercam_fused_act1_act2']
    fused = fuse_layers(maps, size=expected.shape[1:], gain=LAYER_CAM_GAIN)
    assert_close_to_largest(fused.numpy(), expected)


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.parametrize('size', [(3, 4), (1, 5), (1, 1)])
def test_maps_equal_their_twin(name, size):
    activation, gradient = random(2, 6, *size), random(2, 6, *size, seed=1)
    gradient[:, 2:, 0, 0] = 0
    cams = METHODS[name](activation, gradient)
    assert cams.shape == (2, *size)
    for cam, a, g in zip(cams.numpy(), activation.numpy(), gradient.numpy(), strict=True):
        np.testing.assert_allclose(cam, twin(name, a, g), atol=1e-12)


def test_grad_cam_of_pooling_and_a_linear_layer_is_the_cam_divided_by_the_cells():
    activation = (random(2, 5, 4, 8) * 8).round().requires_grad_()
    weight = torch.tensor([[1.0, -2.0, 3.0, 0.0, 1.0], [2.0, 1.0, -1.0, 1.0, -4.0]], dtype=torch.float64)
    scores = activation.mean((2, 3)) @ weight.T
    for k, row in enumerate(weight):
        (gradient,) = torch.autograd.grad(scores[:, k].sum(), activation, retain_graph=True)
        cam = (row[:, None, None] * activation.detach()).sum(1).relu()
        assert grad_cam(activation.detach(), gradient).equal(cam / 32)


def test_layer_cam_of_pooling_and_a_linear_layer_is_the_cam_of_its_positive_weights():
    activation = random(2, 5, 4, 8).abs().requires_grad_()
    weight = torch.tensor([1.0, -2.0, 3.0, 0.0, 1.0], dtype=torch.float64)
    (gradient,) = torch.autograd.grad((activation.mean((2, 3)) @ weight).sum(), activation)
    cam = (weight.relu()[:, None, None] * activation.detach()).sum(1) / 32
    torch.testing.assert_close(layer_cam(activation.detach(), gradient), cam)


@pytest.mark.parametrize('name', ['gradcam', 'xgradcam', 'layercam'])
def test_maps_are_not_normalized(name):
    """Twice the gradient is twice the map, so that scales and mirror images keep their weight in a sum."""
    activation, gradient = random(2, 3, 4, 5), random(2, 3, 4, 5, seed=1)
    torch.testing.assert_close(METHODS[name](activation, 2 * gradient), 2 * METHODS[name](activation, gradient))


def test_maps_of_a_pass_can_be_fused_over_scales():
    maps = [layer_cam(random(2, 3, *size), random(2, 3, *size, seed=1)) for size in ((3, 4), (6, 8))]
    assert fuse_cams(maps, (6, 8), [False, True]).amax((1, 2)).allclose(torch.ones(2, dtype=torch.float64), atol=1e-4)


@pytest.mark.parametrize('name', METHODS)
def test_one_activation_has_the_gradients_of_several_classes(name):
    activation, gradients = random(2, 3, 4, 5), random(6, 2, 3, 4, 5, seed=1)
    cams = METHODS[name](activation, gradients)
    assert cams.shape == (6, 2, 4, 5)
    torch.testing.assert_close(cams[4], METHODS[name](activation, gradients[4]))


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(name, dtype):
    activation, gradient = random(1, 3, 4, 5).to(dtype), (random(1, 3, 4, 5, seed=1) * 1e-4).to(dtype)
    cam = METHODS[name](activation, gradient)
    assert cam.dtype == torch.float32
    assert cam.equal(METHODS[name](activation.float(), gradient.float()))


@pytest.mark.parametrize('name', METHODS)
def test_maps_can_be_differentiated(name):
    activation, gradient = random(1, 2, 3, 3).requires_grad_(), random(1, 2, 3, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(METHODS[name], (activation, gradient))


@pytest.mark.parametrize('name', METHODS)
def test_no_image_is_allowed(name):
    assert METHODS[name](torch.zeros(0, 3, 4, 5), torch.zeros(0, 3, 4, 5)).shape == (0, 4, 5)


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.parametrize(
    'activation, gradient, argument',
    [
        (torch.zeros(4, 5), torch.zeros(1, 4, 5), 'activation'),
        (torch.zeros(4, 5), torch.zeros(4, 5), 'activation'),
        (torch.zeros(1, 4, 5, dtype=torch.long), torch.zeros(1, 4, 5), 'activation'),
        (torch.zeros(1, 4, 5), np.zeros((1, 4, 5)), 'gradient'),
        (torch.zeros(1, 3, 4, 5), torch.zeros(1, 3, 4, 1), 'gradient'),
        (torch.zeros(1, 3, 4, 5), torch.zeros(1, 1, 4, 5), 'gradient'),
    ],
)
def test_bad_arguments_are_refused(name, activation, gradient, argument):
    with pytest.raises(ValueError, match=argument):
        METHODS[name](activation, gradient)


def test_layers_are_fused_at_the_largest_height_and_width():
    maps = [random(2, 3, 8), random(2, 6, 4, seed=1)]
    resized = [F.interpolate(part[None], size=(6, 8), mode='bilinear', align_corners=False)[0] for part in maps]
    assert fuse_layers(maps).equal(torch.maximum(*resized))


def test_one_layer_is_fused_to_itself_but_for_its_gain():
    maps = random(2, 3, 4)
    assert fuse_layers([maps]).equal(maps)
    assert fuse_layers([maps], gain=3.0).equal(torch.tanh(3 * maps))
    assert fuse_layers([maps], gain=0.5).equal(torch.tanh(0.5 * maps))
    assert fuse_layers([maps[0]]).equal(maps[0])
    assert LAYER_CAM_GAIN == 2


@pytest.mark.parametrize(
    'maps, settings, argument',
    [
        ([], {}, 'maps'),
        ([torch.zeros(4)], {}, 'maps'),
        ([torch.zeros(2, 4, 4), torch.zeros(3, 4, 4)], {}, 'maps'),
        ([torch.zeros(2, 4, 4, dtype=torch.long)], {}, 'maps'),
        ([torch.zeros(2, 4, 4)], dict(gain=0), 'gain'),
        ([torch.zeros(2, 4, 4)], dict(gain=-1.0), 'gain'),
        ([torch.zeros(2, 4, 4)], dict(size=(0, 4)), 'size'),
    ],
)
def test_fuse_layers_refuses_bad_arguments(maps, settings, argument):
    with pytest.raises(ValueError, match=argument):
        fuse_layers(maps, **settings)
