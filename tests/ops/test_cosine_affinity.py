"""The cosine affinity against the recording of SEAM's module and against a slow twin."""

import zlib

import numpy as np
import pytest
import torch

from mmwsss.ops import cosine_affinity, cosine_stencil, neighbor_offsets, spread_by_cosine


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def spread_twin(maps, features, power, num_steps):
    """Cell by cell, of one image."""
    cells = [(y, x) for y in range(maps.shape[1]) for x in range(maps.shape[2])]
    affinity = np.zeros((len(cells), len(cells)))
    for i, one in enumerate(cells):
        for j, other in enumerate(cells):
            a, b = features[:, one[0], one[1]], features[:, other[0], other[1]]
            affinity[i, j] = max(0, a @ b / (np.linalg.norm(a) + 1e-5) / (np.linalg.norm(b) + 1e-5)) ** power
    spread = maps.reshape(len(maps), -1)
    for _ in range(num_steps):
        spread = np.stack([spread @ affinity[:, j] / (affinity[:, j].sum() + 1e-5) for j in range(len(cells))], 1)
    return spread.reshape(maps.shape)


@pytest.mark.parametrize('power, num_steps', [(1, 1), (3, 1), (4, 2), (2.5, 0)])
def test_slow_twin(power, num_steps):
    maps, features = random(2, 3, 4, 5).abs(), random(2, 7, 4, 5, seed=1)
    spread = spread_by_cosine(maps, features, power, num_steps)
    for index in range(2):
        expected = spread_twin(maps[index].numpy(), features[index].numpy(), power, num_steps)
        np.testing.assert_allclose(spread[index], expected, atol=1e-12)


@pytest.mark.parametrize('radius', [None, 3])
def test_a_cell_keeps_its_share(radius):
    maps, features = random(2, 3, 4, 5).abs(), random(2, 7, 4, 5, seed=1)
    expected = maps
    for _ in range(2):
        expected = 0.3 * expected + 0.7 * spread_by_cosine(expected, features, radius=radius)
    spread = spread_by_cosine(maps, features, num_steps=2, radius=radius, own_share=0.3)
    torch.testing.assert_close(spread, expected)


@pytest.mark.parametrize('own_share', [-0.1, 1.0, float('nan')])
def test_own_share_is_below_one(own_share):
    with pytest.raises(ValueError, match=r'own_share must be in \[0, 1\)'):
        spread_by_cosine(random(1, 1, 2, 2), random(1, 2, 2, 2), own_share=own_share)


def test_recording_of_seam(recorded_methods):
    group = recorded_methods('seam_pcm')
    seed = zlib.crc32(f'{int(group["salt"])}/f9.weight'.encode())
    weight = torch.randn(192, 195, 1, 1, generator=torch.Generator().manual_seed(seed)) * 195**-0.5
    features = torch.nn.functional.conv2d(torch.from_numpy(group['features']), weight)
    spread = spread_by_cosine(torch.from_numpy(group['cam_in']), features, power=1)
    np.testing.assert_allclose(spread, group['cam_rv'], atol=1e-4 * np.abs(group['cam_rv']).max(), rtol=0)


def test_all_pairs_of_a_small_grid_are_near_ones():
    features = random(1, 6, 3, 4)
    dense, field = cosine_affinity(features, 2)[0], cosine_stencil(features, 6, 2)[0]
    for pair, (dy, dx) in enumerate(neighbor_offsets(6).tolist()):
        for y, x in np.ndindex(3, 4):
            inside = y + dy < 3 and 0 <= x + dx < 4
            expected = dense[y * 4 + x, (y + dy) * 4 + x + dx] if inside else torch.tensor(0.0, dtype=torch.float64)
            torch.testing.assert_close(field[pair, y, x], expected)


def test_near_cells_spread_as_all_do_where_all_are_near():
    maps, features = random(2, 3, 3, 4).abs(), random(2, 6, 3, 4, seed=2)
    near = spread_by_cosine(maps, features, 3, 2, radius=6)
    torch.testing.assert_close(near, spread_by_cosine(maps, features, 3, 2), atol=1e-4, rtol=0)


def test_each_score_is_a_mean():
    maps, features = torch.rand(1, 2, 5, 6), torch.randn(1, 8, 5, 6)
    spread = spread_by_cosine(maps, features)
    assert (spread <= maps.amax((2, 3), keepdim=True)).all() and (spread >= 0).all()
    constant = spread_by_cosine(torch.ones(1, 1, 5, 6), features)
    torch.testing.assert_close(constant, torch.ones(1, 1, 5, 6), atol=1e-4, rtol=0)


def test_gradients():
    maps, features = random(1, 2, 2, 3).abs().requires_grad_(), random(1, 4, 2, 3, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(lambda *given: spread_by_cosine(*given, 2.0), (maps, features))


def test_no_class():
    assert spread_by_cosine(torch.zeros(2, 0, 3, 4), torch.rand(2, 5, 3, 4)).shape == (2, 0, 3, 4)


def test_cells_without_features_keep_finite_scores():
    spread = spread_by_cosine(torch.ones(1, 1, 2, 2), torch.zeros(1, 3, 2, 2))
    assert torch.isfinite(spread).all()


def test_too_many_cells():
    with pytest.raises(ValueError, match='at most 10000 cells, got 10100; compare near cells'):
        cosine_affinity(torch.zeros(1, 1, 101, 100))


@pytest.mark.parametrize(
    'maps, features, settings, message',
    [
        (torch.ones(1, 2, 3), torch.ones(1, 2, 3, 4), {}, 'maps must be'),
        (torch.ones(1, 1, 2, 3, 4), torch.ones(1, 2, 3, 4), {}, 'maps must be'),
        (np.ones((1, 2, 3, 4)), torch.ones(1, 2, 3, 4), {}, 'maps must be'),
        (torch.ones(1, 2, 3, 4), np.ones((1, 2, 3, 4)), {}, 'features must be'),
        (torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4).long(), {}, 'features must be'),
        (torch.ones(1, 2, 3, 4), torch.ones(2, 3, 4), {}, 'features must be'),
        (torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 5), {}, 'same images and grid'),
        (torch.ones(2, 2, 3, 4), torch.ones(1, 2, 3, 4), {}, 'same images and grid'),
        (torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4), dict(power=0.5), 'power'),
        (torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4), dict(num_steps=-1), 'num_steps'),
        (torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4), dict(num_steps=True), 'num_steps'),
        (torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4), dict(num_steps=1.0), 'num_steps'),
        (torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4), dict(radius=1), 'radius'),
    ],
)
def test_bad_arguments(maps, features, settings, message):
    with pytest.raises(ValueError, match=message):
        spread_by_cosine(maps, features, **settings)


def test_the_power_is_three_unless_given():
    maps, features = random(1, 2, 3, 4).abs(), random(1, 5, 3, 4, seed=1)
    assert torch.equal(spread_by_cosine(maps, features), spread_by_cosine(maps, features, power=3))
    assert torch.equal(cosine_affinity(features), cosine_affinity(features, 3))
