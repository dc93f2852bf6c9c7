"""PAR and PAMR against the recording of the published code and against a slow twin."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmwsss.ops import pamr, pamr_kernel, par, par_kernel, position_kernel

KERNELS = {'par': par_kernel, 'pamr': pamr_kernel}
REFINERS = {'par': par, 'pamr': pamr}
# Relative to the largest value.
TOLERANCES = {torch.float32: 1e-4, torch.float64: 1e-6}


def random(*shape, seed=0, dtype=torch.float64):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def assert_close_to_largest(measured, expected, tolerance):
    np.testing.assert_allclose(measured, expected, atol=tolerance * np.abs(expected).max(), rtol=0)


def neighbors_of(y, x, height, width, dilations):
    for dilation in dilations:
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                if (dy, dx) != (0, 0):
                    clamped = min(max(y + dilation * dy, 0), height - 1), min(max(x + dilation * dx, 0), width - 1)
                    yield clamped, dilation * (dy * dy + dx * dx) ** 0.5


def softmax(values):
    weights = np.exp(values - values.max())
    return weights / weights.sum()


def kernel_twin(name, image, dilations):
    """The kernel (P, H, W) of an image (C, H, W), pixel by pixel."""
    channels, height, width = image.shape
    kernel = np.zeros((8 * len(dilations), height, width))
    for y, x in np.ndindex(height, width):
        places = list(neighbors_of(y, x, height, width, dilations))
        colors = np.array([image[:, row, column] for (row, column), _ in places])
        difference = np.abs(colors - image[:, y, x])
        if name == 'par':
            deviation = colors.std(0, ddof=1)
            distance = np.array([distance for _, distance in places])
            near = softmax(-((distance / (distance.std(ddof=1) + 1e-8) / 0.3) ** 2))
            kernel[:, y, x] = softmax(-((difference / (deviation + 1e-8) / 0.3) ** 2).mean(1)) + 0.01 * near
        else:
            deviation = np.concatenate([colors, [image[:, y, x]] * len(dilations)]).std(0, ddof=1)
            kernel[:, y, x] = softmax(-(difference / (1e-8 + 0.1 * deviation)).mean(1))
    return kernel


def refined_by_twin(kernel, maps, dilations, num_iters):
    for _ in range(num_iters):
        refined = np.zeros_like(maps)
        for y, x in np.ndindex(*maps.shape[1:]):
            for p, ((row, column), _) in enumerate(neighbors_of(y, x, *maps.shape[1:], dilations)):
                refined[:, y, x] += kernel[p, y, x] * maps[:, row, column]
        maps = refined
    return maps


@pytest.mark.parametrize('name', KERNELS)
@pytest.mark.parametrize('dtype', TOLERANCES)
def test_the_kernel_equals_the_recorded_one(recorded_methods, name, dtype):
    group = recorded_methods(name)
    kernel = KERNELS[name](torch.as_tensor(group['image']).to(dtype), group['dilations'].tolist())
    assert kernel.dtype == dtype
    assert_close_to_largest(kernel[0].numpy(), group['kernel'], TOLERANCES[torch.float32])


@pytest.mark.parametrize(
    'name, key, num_iters', [('par', 'refined_1_iteration', 1), ('par', 'refined', 10), ('pamr', 'refined', 10)]
)
@pytest.mark.parametrize('dtype', TOLERANCES)
def test_refined_maps_equal_the_recorded_ones(recorded_methods, name, key, num_iters, dtype):
    group = recorded_methods(name)
    refined = REFINERS[name](
        torch.as_tensor(group['masks']).to(dtype), torch.as_tensor(group['image']), num_iters=num_iters
    )
    assert refined.dtype == dtype
    assert_close_to_largest(refined.numpy(), group[key], TOLERANCES[dtype])


@pytest.mark.parametrize('name', KERNELS)
@pytest.mark.parametrize('size', [(5, 6), (1, 4), (3, 1), (1, 1)])
@pytest.mark.parametrize('dilations', [(1, 2, 4, 8), (3,)])
@pytest.mark.parametrize('channels', [1, 3])
def test_kernels_equal_their_twin(name, size, dilations, channels):
    images = (random(2, channels, *size) * 255).round()
    images[0, :, 2:, 2:] = 77
    kernel = KERNELS[name](images, dilations)
    for measured, image in zip(kernel.numpy(), images.numpy(), strict=True):
        np.testing.assert_allclose(measured, kernel_twin(name, image, dilations), atol=1e-12)


@pytest.mark.parametrize('name', KERNELS)
@pytest.mark.parametrize('size', [(5, 6), (1, 4), (3, 1)])
@pytest.mark.parametrize('num_iters', [1, 3])
def test_refined_maps_equal_those_of_the_twin(name, size, num_iters):
    images, maps = random(2, 3, *size), random(2, 4, *size, seed=1)
    refined = REFINERS[name](maps, images, (1, 4), num_iters)
    for measured, image, scores in zip(refined.numpy(), images.numpy(), maps.numpy(), strict=True):
        expected = refined_by_twin(kernel_twin(name, image, (1, 4)), scores, (1, 4), num_iters)
        np.testing.assert_allclose(measured, expected, atol=1e-12)


def test_par_adds_a_hundredth_of_the_position_kernel():
    images = random(1, 3, 6, 7)
    kernel = par_kernel(images)
    torch.testing.assert_close(kernel.sum(1), torch.full((1, 6, 7), 1.01, dtype=torch.float64))
    position = position_kernel()
    assert position.shape == (48,) and position.dtype == torch.float64
    assert (kernel >= 0.01 * position[:, None, None]).all()


def test_scores_grow_by_a_hundredth_an_iteration_of_par_and_not_of_pamr():
    images, maps = random(1, 3, 6, 7), torch.ones(1, 1, 6, 7, dtype=torch.float64)
    torch.testing.assert_close(par(maps, images, num_iters=3), maps * 1.01**3)
    torch.testing.assert_close(pamr(maps, images, num_iters=3), maps)


@pytest.mark.parametrize('name', KERNELS)
def test_scale_and_offset_of_a_channel_cancel_out(name):
    images = random(1, 3, 6, 7)
    scale, offset = torch.tensor([255.0, 1.0, 3.0]).view(3, 1, 1), torch.tensor([10.0, -2.0, 0.0]).view(3, 1, 1)
    torch.testing.assert_close(KERNELS[name](images * scale + offset), KERNELS[name](images), atol=1e-6, rtol=0)


@pytest.mark.parametrize('name', KERNELS)
def test_a_flat_image_has_a_uniform_kernel(name):
    kernel = KERNELS[name](torch.full((1, 3, 4, 5), 0.3))
    expected = torch.full((48,), 1 / 48) + (0.01 * position_kernel().float() if name == 'par' else 0)
    torch.testing.assert_close(kernel, expected.view(1, 48, 1, 1).expand_as(kernel))


@pytest.mark.parametrize('name', REFINERS)
def test_one_different_pixel_on_flat_ground_is_no_trouble(name):
    """All its neighbors are equally far: deviations are 0, and distances are huge."""
    images = torch.full((1, 3, 5, 5), 100, dtype=torch.uint8)
    images[:, :, 2, 2] = 0
    assert torch.isfinite(REFINERS[name](random(1, 2, 5, 5).float(), images)).all()


@pytest.mark.parametrize('name', REFINERS)
def test_maps_are_resized_with_aligned_corners(name):
    images, maps = random(2, 3, 9, 11), random(2, 2, 4, 5, seed=1)
    resized = F.interpolate(maps, size=(9, 11), mode='bilinear', align_corners=True)
    torch.testing.assert_close(REFINERS[name](maps, images), REFINERS[name](resized, images))
    assert REFINERS[name](maps, images, num_iters=0).equal(resized)


@pytest.mark.parametrize('name', REFINERS)
def test_a_batch_is_refined_as_its_members(name):
    images, maps = random(3, 3, 5, 6), random(3, 2, 5, 6, seed=1)
    refined = REFINERS[name](maps, images)
    torch.testing.assert_close(refined[1:2], REFINERS[name](maps[1:2], images[1:2]))


@pytest.mark.parametrize('name', REFINERS)
def test_no_map_and_no_image_are_allowed(name):
    images = random(2, 3, 5, 6)
    assert REFINERS[name](torch.zeros(2, 0, 3, 3), images).shape == (2, 0, 5, 6)
    assert REFINERS[name](torch.zeros(0, 2, 3, 3), images[:0]).shape == (0, 2, 5, 6)


@pytest.mark.parametrize('name', REFINERS)
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_kept(name, dtype):
    maps = random(1, 2, 5, 6).to(dtype)
    images = (random(1, 3, 5, 6) * 255).to(torch.uint8)
    refined = REFINERS[name](maps, images)
    assert refined.dtype == dtype
    torch.testing.assert_close(refined, REFINERS[name](maps.float(), images).to(dtype))


@pytest.mark.parametrize('name', KERNELS)
def test_images_may_be_of_any_type(name):
    images = torch.randint(0, 256, (1, 3, 5, 6), dtype=torch.uint8)
    kernel = KERNELS[name](images)
    assert kernel.dtype == torch.float32 and kernel.equal(KERNELS[name](images.float()))
    maps = random(1, 2, 5, 6).float()
    for other in (images.double(), images.half(), images.long()):
        assert REFINERS[name](maps, other).equal(REFINERS[name](maps, images))


@pytest.mark.parametrize('name', REFINERS)
def test_inputs_are_left_alone(name):
    images, maps = random(1, 3, 5, 6), random(1, 2, 5, 6, seed=1)
    before = images.clone(), maps.clone()
    REFINERS[name](maps, images)
    assert images.equal(before[0]) and maps.equal(before[1])
    assert REFINERS[name](maps, images, num_iters=0).data_ptr() != maps.data_ptr()


@pytest.mark.parametrize('name', REFINERS)
def test_the_published_settings_are_the_default(name):
    images, maps = random(1, 3, 5, 6), random(1, 2, 5, 6, seed=1)
    assert REFINERS[name](maps, images).equal(REFINERS[name](maps, images, (1, 2, 4, 8, 12, 24), 10))


@pytest.mark.parametrize('name', REFINERS)
@pytest.mark.parametrize(
    'changes, argument',
    [
        (dict(maps=torch.zeros(2, 4, 5)), 'maps'),
        (dict(maps=torch.zeros(1, 2, 4, 5, dtype=torch.long)), 'maps'),
        (dict(maps=torch.full((1, 2, 4, 5), float('nan'))), 'maps'),
        (dict(images=torch.zeros(3, 4, 5)), 'images'),
        (dict(images=torch.zeros(1, 0, 4, 5)), 'images'),
        (dict(images=torch.zeros(2, 3, 4, 5)), 'images'),
        (dict(images=torch.full((1, 3, 4, 5), float('inf'))), 'images'),
        (dict(images=np.zeros((1, 3, 4, 5))), 'images'),
        (dict(dilations=()), 'dilations'),
        (dict(dilations=(1, 0)), 'dilations'),
        (dict(dilations=(1.5,)), 'dilations'),
        (dict(num_iters=-1), 'num_iters'),
        (dict(num_iters=1.0), 'num_iters'),
        (dict(num_iters=True), 'num_iters'),
    ],
)
def test_bad_arguments_are_refused(name, changes, argument):
    arguments = dict(maps=torch.zeros(1, 2, 4, 5), images=torch.zeros(1, 3, 4, 5))
    with pytest.raises(ValueError, match=argument):
        REFINERS[name](**{**arguments, **changes})
