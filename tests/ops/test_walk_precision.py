"""The walk keeps its promise: 2e-5 of the largest score in float32, 1e-9 in float64, and constants exactly."""

from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from mmwsss.ops import edge_to_affinity, neighbor_offsets, random_walk
from mmwsss.ops.random_walk import METHODS

NEEDS_NUMBA = pytest.mark.skipif(find_spec('numba') is None, reason='numba is not installed')
WALKS = [
    pytest.param(method, marks=NEEDS_NUMBA if method == 'numba' else ())
    for method in METHODS
    if method not in ('auto', 'dense', 'triton')
]
PROMISES = {torch.float32: 2e-5, torch.float64: 1e-9}
SIZES = [(9, 11), (1, 40)]


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def edges_of(name, height, width):
    """Boundaries (H, W) in [0, 1]."""
    wall = torch.zeros(height, width, dtype=torch.float64)
    wall[:, width // 2] = 1
    if name == 'noise':
        return random(height, width, seed=1)
    if name == 'wall':
        return wall
    if name == 'bridge':
        wall[height // 2, width // 2] = 0.2
        return wall
    if name == 'maze':
        return (random(height, width, seed=2) > 0.85).double()
    if name == 'stripes':
        stripes = torch.full((height, width), 0.1, dtype=torch.float64)
        stripes[:, ::4] = 0.6
        return stripes
    return torch.full((height, width), name, dtype=torch.float64)


CONSTANTS = [0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.81, 0.9]
FIELDS = [*CONSTANTS, 'noise', 'wall', 'bridge', 'maze', 'stripes', 'directions']


def field(name, height, width):
    if name == 'directions':
        return random(1, len(neighbor_offsets(5)), height, width, seed=3)
    return edge_to_affinity(edges_of(name, height, width)[None, None])


def score_maps(height, width):
    """Plateaus of 1, of 0 and of other values, noise, a ramp, and a single cell."""
    half = torch.arange(width) <= width // 2
    point = torch.zeros(height, width, dtype=torch.float64)
    point[height // 2, width // 2] = 1
    rows = (torch.ones(width), torch.full((width,), 0.7), half.double(), 0.3 + 0.5 * half, torch.linspace(0, 1, width))
    maps = [row.double().expand(height, width) for row in rows]
    noise = random(height, width, seed=4)
    return torch.stack([*maps, point, noise, 0.9 + 0.1 * noise, noise**8])[None]


@cache
def exact(name, size, num_steps):
    """Fields and scores that float32 can hold, and the scores walked by the dense transition in float64."""
    affinity, scores = field(name, *size).float().double(), score_maps(*size).float().double()
    return scores, affinity, random_walk(scores, affinity, 10.0, num_steps, 'dense')


@pytest.mark.parametrize('method', WALKS)
@pytest.mark.parametrize('dtype', PROMISES)
@pytest.mark.parametrize('name', FIELDS)
@pytest.mark.parametrize('size', SIZES)
def test_walks_are_as_exact_as_promised(method, dtype, name, size):
    for num_steps in (16, 64, 256, 1024):
        scores, affinity, expected = exact(name, size, num_steps)
        walked = random_walk(scores.to(dtype), affinity.to(dtype), 10.0, num_steps, method)
        torch.testing.assert_close(walked.double(), expected, atol=PROMISES[dtype], rtol=0)


@pytest.mark.parametrize('method', WALKS)
@pytest.mark.parametrize('dtype', PROMISES)
@pytest.mark.parametrize('name', [0.1, 0.81, 'noise', 'bridge'])
def test_long_walks_are_as_exact_as_promised(method, dtype, name):
    for size in SIZES if method != 'stencil' else SIZES[1:]:
        scores, affinity, expected = exact(name, size, 4096)
        walked = random_walk(scores.to(dtype), affinity.to(dtype), 10.0, 4096, method)
        torch.testing.assert_close(walked.double(), expected, atol=PROMISES[dtype], rtol=0)


@pytest.mark.parametrize('method', WALKS)
@pytest.mark.parametrize('dtype', PROMISES)
@pytest.mark.parametrize('num_steps', [1, 256, 1001])
def test_plateaus_between_walls_are_kept_exactly(method, dtype, num_steps):
    edge = torch.full((1, 1, 7, 20), 0.81)
    edge[..., 5::6] = 1
    scores = torch.rand(1, 3, 1, 20).expand(1, 3, 7, 20).clone()
    for first in (0, 6, 12, 18):
        scores[..., first : first + 5] = scores[..., first : first + 1]
    walked = random_walk(scores.to(dtype), edge_to_affinity(edge.to(dtype)), 10.0, num_steps, method)
    assert walked.equal(scores.to(dtype))


@pytest.mark.parametrize('method', [*WALKS, 'dense'])
@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
@pytest.mark.parametrize('num_steps', [0, 3])
def test_a_score_that_is_not_finite_is_refused_by_the_name_of_its_map(method, value, num_steps):
    scores, affinity = torch.rand(2, 3, 4, 5), torch.rand(2, 34, 4, 5)
    scores[1, 2, 3, 0] = value
    with pytest.raises(ValueError, match='scores must be finite, but map 2 of sample 1 is not'):
        random_walk(scores, affinity, num_steps=num_steps, method=method)


@pytest.mark.parametrize('num_steps', [np.int64(7), np.uint8(7), torch.tensor(7)])
def test_any_integer_is_a_number_of_steps(num_steps):
    scores, affinity = torch.rand(1, 2, 4, 5), torch.rand(1, 34, 4, 5)
    assert random_walk(scores, affinity, num_steps=num_steps).equal(random_walk(scores, affinity, num_steps=7))


@pytest.mark.parametrize('num_steps', [np.int64(-1), np.float32(7), np.bool_(True), torch.tensor(True), None, '7'])
def test_nothing_else_is_a_number_of_steps(num_steps):
    with pytest.raises(ValueError, match='num_steps must be an integer of at least 0'):
        random_walk(torch.rand(1, 2, 4, 5), torch.rand(1, 34, 4, 5), num_steps=num_steps)
