import numpy as np
import pytest
import torch
import torch.nn.functional as F
from role_testers import RefinerTester

from mmwsss.models import Background, RefineContext
from mmwsss.ops import neighbor_offsets
from mmwsss.registry import MODELS
from mmwsss.structures import ScoreMaps, Seeds, StencilAffinity

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestRandomWalk(RefinerTester):
    type = 'RandomWalk'
    settings = dict(beta=2.0, num_steps=5, alpha=3.0, method='auto')


class TestRandomWalkWithoutBackground(RefinerTester):
    type = 'RandomWalk'
    settings = dict(beta=2.0, num_steps=5, alpha=None)


def field_of(grid, radius=3):
    affinity = torch.rand(len(neighbor_offsets(radius)), *grid, generator=torch.Generator().manual_seed(0))
    for p, (dy, dx) in enumerate(neighbor_offsets(radius).tolist()):
        for y in range(grid[0]):
            for x in range(grid[1]):
                if not (0 <= y + dy < grid[0] and 0 <= x + dx < grid[1]):
                    affinity[p, y, x] = 0
    return affinity


def seeds_of(count, size, first=1):
    cams = np.random.default_rng(0).random((count, 6, 7)).astype(np.float16)
    return Seeds(np.arange(first, first + count, dtype=np.uint8), cams, size)


def slow_walk(seeds, affinity, size, stride, beta, num_steps, alpha, with_background):
    """The released code's way: full-size maps, zero padding, block means, powers of a dense matrix."""
    grid = affinity.shape[1:]
    cams = torch.as_tensor(seeds.cams).double()
    maps = torch.zeros(len(cams) + with_background, grid[0] * stride, grid[1] * stride, dtype=torch.float64)
    if len(cams):
        resized = F.interpolate(cams[None], size=size, mode='bilinear', align_corners=False)[0]
        maps[int(with_background) :, : size[0], : size[1]] = resized
        background = (1 - resized.max(0).values) ** alpha
    else:
        background = torch.ones(size)
    if with_background:
        maps[0, : size[0], : size[1]] = background
    scores = torch.zeros(len(maps), *grid, dtype=torch.float64)
    for y in range(grid[0]):
        for x in range(grid[1]):
            block = maps[:, y * stride : (y + 1) * stride, x * stride : (x + 1) * stride]
            scores[:, y, x] = block.mean((1, 2))
    cells = grid[0] * grid[1]
    matrix = torch.eye(cells, dtype=torch.float64)
    for p, (dy, dx) in enumerate(neighbor_offsets(3).tolist()):
        for y in range(grid[0]):
            for x in range(grid[1]):
                if 0 <= y + dy < grid[0] and 0 <= x + dx < grid[1]:
                    here, there = y * grid[1] + x, (y + dy) * grid[1] + x + dx
                    matrix[here, there] = matrix[there, here] = float(affinity[p, y, x]) ** beta
    transition = matrix / matrix.sum(0, keepdim=True)
    walked = scores.flatten(1) @ torch.linalg.matrix_power(transition, num_steps)
    return walked.unflatten(1, grid)


def walk(seeds, affinity, size, with_background=True, **settings):
    context = RefineContext(affinity=StencilAffinity(affinity[None], size, 8))
    refiner = MODELS.build(dict(type='mmwsss.RandomWalk', **settings))
    return refiner.refine(ScoreMaps.of_seeds(seeds, with_background), context)


@pytest.mark.parametrize('count', [0, 1, 3])
@pytest.mark.parametrize('with_background', [True, False])
@pytest.mark.parametrize('size', [(40, 48), (35, 41)])
def test_walk_is_the_slow_one(count, with_background, size):
    affinity, settings = field_of((5, 6)), dict(beta=2.0, num_steps=16, alpha=3.0)
    seeds = seeds_of(count, size, first=int(with_background))
    walked = walk(seeds, affinity, size, with_background, **settings)
    assert walked.class_ids[0].tolist() == [0] * with_background + seeds.class_ids.tolist()
    expected = slow_walk(seeds, affinity, size, 8, with_background=with_background, **settings)
    assert walked.maps.shape == (1, count + with_background, 5, 6)
    torch.testing.assert_close(walked.maps[0].double(), expected, atol=1e-4, rtol=0)
    assert (walked.covered_size, walked.stride, walked.image_size) == (size, 8, size)


@pytest.mark.parametrize('method', ['auto', 'dense'])
def test_method_reaches_the_op(method):
    seeds, affinity = seeds_of(2, (40, 48)), field_of((5, 6))
    expected = walk(seeds, affinity, (40, 48)).maps
    torch.testing.assert_close(walk(seeds, affinity, (40, 48), method=method).maps, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize('size', [(40, 48), (35, 41)])
def test_without_alpha_the_background_may_follow(size):
    seeds, affinity = seeds_of(2, size), field_of((5, 6))
    maps = walk(seeds, affinity, size, alpha=None)
    assert not maps.has_background and maps.class_ids.tolist() == [[1, 2]]
    front = Background(score=0.3).refine(maps, RefineContext())
    assert front.at_image_size.shape == (1, 3, *size) and (front.at_image_size[:, 0] - 0.3).abs().max() < 1e-6


def test_defaults_are_the_papers():
    refiner = MODELS.build(dict(type='mmwsss.RandomWalk'))
    assert (refiner.beta, refiner.num_steps, refiner.alpha) == (8, 256, 16)
