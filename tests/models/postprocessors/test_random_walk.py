import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS

from mmwsss.fileio import Seeds
from mmwsss.ops import neighbor_offsets

pytestmark = pytest.mark.usefixtures('mmseg_scope')


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


@pytest.mark.parametrize('count', [0, 1, 3])
@pytest.mark.parametrize('with_background', [True, False])
@pytest.mark.parametrize('size', [(40, 48), (35, 41)])
def test_walk_is_the_slow_one(count, with_background, size):
    affinity = field_of((5, 6))
    settings = dict(beta=2.0, num_steps=16, alpha=3.0, with_background=with_background)
    walk = MODELS.build(dict(type='RandomWalk', **settings))
    seeds = seeds_of(count, size, first=int(with_background))
    class_ids, walked = walk(seeds, affinity, size, 8)
    assert class_ids.dtype == np.uint8
    assert class_ids.tolist() == [0] * with_background + seeds.class_ids.tolist()
    expected = slow_walk(seeds, affinity, size, 8, **settings)
    assert walked.shape == (count + with_background, 5, 6)
    torch.testing.assert_close(walked.double(), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize('method', ['auto', 'dense'])
def test_method_reaches_the_op(method):
    seeds, affinity = seeds_of(2, (40, 48)), field_of((5, 6))
    _, walked = MODELS.build(dict(type='RandomWalk', method=method))(seeds, affinity, (40, 48), 8)
    _, expected = MODELS.build(dict(type='RandomWalk'))(seeds, affinity, (40, 48), 8)
    torch.testing.assert_close(walked, expected, atol=1e-4, rtol=0)


def test_defaults_are_the_papers():
    walk = MODELS.build(dict(type='RandomWalk'))
    assert (walk.beta, walk.num_steps, walk.alpha) == (8, 256, 16)
    assert not list(walk.parameters()) and not walk.state_dict()
