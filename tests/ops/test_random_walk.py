from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from mmwsss.ops import edge_to_affinity, neighbor_offsets, pairwise_affinity, random_walk
from mmwsss.ops.random_walk import METHODS, resolve_method
from mmwsss.ops.stencil import StencilWalker

# The function of this name hides the module in its package.
WALK = import_module('mmwsss.ops.random_walk')
NEEDS_NUMBA = pytest.mark.skipif(find_spec('numba') is None, reason='numba is not installed')
RUNNABLE = [
    pytest.param(method, marks=NEEDS_NUMBA if method == 'numba' else ()) for method in METHODS if method != 'triton'
]


def dense_walk(scores, affinity, beta, num_steps, radius):
    """Slow twin: the N x N transition, multiplied step by step."""
    batch, count, height, width = scores.shape
    results = []
    for b in range(batch):
        matrix = torch.eye(height * width, dtype=affinity.dtype)
        for p, (dy, dx) in enumerate(neighbor_offsets(radius).tolist()):
            for y in range(height - dy):
                for x in range(max(0, -dx), width - max(0, dx)):
                    source, target = y * width + x, (y + dy) * width + x + dx
                    matrix[source, target] = matrix[target, source] = affinity[b, p, y, x] ** beta
        transition = matrix / matrix.sum(0)
        flat = scores[b].flatten(1)
        for _ in range(num_steps):
            flat = flat @ transition
        results.append(flat.view(count, height, width))
    return torch.stack(results)


def field(batch, height, width, radius=5, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, len(neighbor_offsets(radius)), height, width, generator=generator, dtype=dtype)


@pytest.mark.parametrize('method', RUNNABLE)
@pytest.mark.parametrize('dtype, tolerance', [(torch.float64, 1e-7), (torch.float32, 1e-6)])
def test_walk_equals_the_recorded_one(recorded, method, dtype, tolerance):
    walk = recorded('walk')
    features = torch.as_tensor(recorded('affinity')['features_chw'])[None].to(dtype)
    beta, log_steps = walk['beta_logt'].tolist()
    affinity = pairwise_affinity(features, border='reference')
    scores = torch.as_tensor(walk['scores_khw'])[None].to(dtype)
    result = random_walk(scores, affinity, float(beta), 2**log_steps, method)
    assert result.dtype == dtype
    np.testing.assert_allclose(result[0].numpy(), walk['result_khw'], atol=tolerance)


@pytest.mark.parametrize('method', RUNNABLE)
def test_walk_over_edges_equals_the_recorded_one(recorded, method):
    group = recorded('irn')
    edge = torch.as_tensor(group['edge'])[None].double()
    scores = torch.as_tensor(group['cams'])[None].double() * (1 - edge)
    result = random_walk(scores, edge_to_affinity(edge), beta=10.0, num_steps=256, method=method)
    np.testing.assert_allclose(result[0].numpy(), group['propagated'], atol=1e-8)


@pytest.mark.parametrize('method', RUNNABLE)
@pytest.mark.parametrize(
    'size, radius', [((6, 7), 5), ((1, 9), 5), ((8, 1), 3), ((1, 1), 5), ((2, 3), 7), ((5, 12), 4)]
)
@pytest.mark.parametrize('num_steps', [1, 2, 7, 64])
def test_walk_equals_its_twin(method, size, radius, num_steps):
    scores = torch.rand(2, 3, *size, dtype=torch.float64)
    affinity = field(2, *size, radius)
    expected = dense_walk(scores, affinity, 3.0, num_steps, radius)
    result = random_walk(scores, affinity, 3.0, num_steps, method)
    torch.testing.assert_close(result, expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize('method', RUNNABLE)
def test_float32_stays_close_to_float64(method):
    scores, affinity = torch.rand(1, 2, 20, 24, dtype=torch.float64), field(1, 20, 24)
    expected = random_walk(scores, affinity, 8.0, 256, 'dense')
    result = random_walk(scores.float(), affinity.float(), 8.0, 256, method)
    torch.testing.assert_close(result.double(), expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize('method', RUNNABLE)
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_kept_and_finite(method, dtype):
    scores = (torch.rand(1, 2, 9, 10) * 6e4).to(dtype)
    result = random_walk(scores, field(1, 9, 10, dtype=dtype), 8.0, 100, method)
    assert result.dtype == dtype and torch.isfinite(result).all()


@pytest.mark.parametrize('method', RUNNABLE)
def test_no_step_is_the_identity_and_no_map_is_allowed(method):
    scores, affinity = torch.rand(2, 3, 5, 6), field(2, 5, 6, dtype=torch.float32)
    result = random_walk(scores, affinity, num_steps=0, method=method)
    assert result.equal(scores) and result.data_ptr() != scores.data_ptr()
    assert random_walk(scores[:, :0], affinity, method=method).shape == (2, 0, 5, 6)
    assert random_walk(scores[:0], affinity[:0], method=method).shape == (0, 3, 5, 6)


@pytest.mark.parametrize('method', RUNNABLE)
def test_no_mass_crosses_a_wall(method):
    features = torch.zeros(1, 1, 6, 12)
    features[..., 6:] = 1e4
    scores = torch.zeros(1, 1, 6, 12)
    scores[..., :6] = 1
    result = random_walk(scores, pairwise_affinity(features), method=method)
    assert result.equal(scores)


@pytest.mark.parametrize('method', RUNNABLE)
def test_a_long_walk_ends_at_the_mean_weighted_by_degree(method):
    features = torch.zeros(1, 1, 6, 7, dtype=torch.float64)
    scores, affinity = torch.rand(1, 1, 6, 7, dtype=torch.float64), pairwise_affinity(features)
    degree = torch.ones(6, 7, dtype=torch.float64)
    for p, y, x in torch.nonzero(affinity[0]).tolist():
        dy, dx = neighbor_offsets(5)[p].tolist()
        degree[y, x] += 1
        degree[y + dy, x + dx] += 1
    mean = (scores[0, 0] * degree).sum() / degree.sum()
    result = random_walk(scores, affinity, num_steps=4000, method=method)
    torch.testing.assert_close(result, mean.expand_as(result), atol=1e-9, rtol=0)


def test_isolated_cells_of_the_reference_border():
    """Ten cells of a 47 x 63 grid have no edge in the published border rule, none with every pair."""
    features = torch.zeros(1, 1, 47, 63)
    for border, isolated in (('reference', 10), ('full', 0)):
        scores = torch.rand(1, 1, 47, 63)
        result = random_walk(scores, pairwise_affinity(features, border=border), num_steps=1)
        assert (result == scores).sum() == isolated


@pytest.mark.parametrize('method', RUNNABLE)
def test_inputs_are_left_alone_and_need_not_be_contiguous(method):
    scores = torch.rand(2, 8, 9, 3).permute(0, 3, 1, 2)
    affinity = field(2, 8, 9, dtype=torch.float32).transpose(2, 3).contiguous().transpose(2, 3)
    before = scores.clone(), affinity.clone()
    result = random_walk(scores, affinity, num_steps=20, method=method)
    assert scores.equal(before[0]) and affinity.equal(before[1])
    expected = random_walk(scores.contiguous(), affinity.contiguous(), num_steps=20, method=method)
    torch.testing.assert_close(result, expected)


@pytest.mark.parametrize(
    'changes, name',
    [
        (dict(scores=torch.rand(2, 4, 4)), 'scores'),
        (dict(scores=torch.zeros(1, 2, 4, 4, dtype=torch.long)), 'scores'),
        (dict(affinity=torch.rand(1, 34, 4, 5)), 'affinity'),
        (dict(affinity=torch.rand(2, 34, 4, 4)), 'affinity'),
        (dict(affinity=torch.rand(1, 33, 4, 4)), 'affinity'),
        (dict(affinity=-torch.ones(1, 34, 4, 4)), 'affinity'),
        (dict(affinity=torch.full((1, 34, 4, 4), float('nan'))), 'affinity'),
        (dict(beta=0), 'beta'),
        (dict(beta=float('inf')), 'beta'),
        (dict(num_steps=True), 'num_steps'),
        (dict(method='triton'), 'triton'),
        (dict(num_steps=-1), 'num_steps'),
        (dict(num_steps=2.0), 'num_steps'),
        (dict(method='fast'), 'method'),
    ],
)
def test_random_walk_rejects_bad_arguments(changes, name):
    arguments = dict(scores=torch.rand(1, 2, 4, 4), affinity=torch.rand(1, 34, 4, 4))
    with pytest.raises(ValueError, match=name):
        random_walk(**{**arguments, **changes})


@pytest.mark.parametrize('device, compiled', [('cpu', 'numba'), ('cuda', 'triton')])
def test_the_compiled_walk_of_the_device_is_taken_where_it_is_installed(monkeypatch, device, compiled):
    asked = []
    monkeypatch.setattr(WALK, '_is_installed', lambda name: asked.append(name) or True)
    assert resolve_method('auto', torch.device(device)) == compiled
    assert resolve_method(compiled, torch.device(device)) == compiled
    assert set(asked) == {compiled}
    other = {'numba': 'triton', 'triton': 'numba'}[compiled]
    with pytest.raises(ValueError, match=f'{other}.*does not run'):
        resolve_method(other, torch.device(device))


@pytest.mark.parametrize('device, compiled', [('cpu', 'numba'), ('cuda', 'triton')])
def test_without_its_package_the_compiled_walk_is_not_there(monkeypatch, device, compiled):
    monkeypatch.setattr(WALK, '_is_installed', lambda name: False)
    assert resolve_method('auto', torch.device(device)) == 'chebyshev'
    assert resolve_method('stencil', torch.device(device)) == 'stencil'
    with pytest.raises(ImportError, match=f'needs the package {compiled}'):
        resolve_method(compiled, torch.device(device))


def test_other_devices_walk_by_torch():
    assert resolve_method('auto', torch.device('meta')) == 'chebyshev'


@pytest.mark.parametrize('method', ['stencil', 'chebyshev'])
@pytest.mark.parametrize('block', [1, 30, 60, 61])
def test_blocks_of_maps_change_nothing(monkeypatch, method, block):
    scores, affinity = torch.rand(2, 3, 5, 6), field(2, 5, 6, dtype=torch.float32)
    expected = random_walk(scores, affinity, num_steps=9, method=method)
    monkeypatch.setattr(WALK, 'BLOCK_CELLS', block)
    torch.testing.assert_close(random_walk(scores, affinity, num_steps=9, method=method), expected)


@pytest.mark.parametrize('block, most_maps', [(1, 1), (30, 1), (59, 1), (60, 2), (1000, 5)])
def test_a_block_holds_as_many_maps_as_fit_its_cells(monkeypatch, block, most_maps):
    sizes, power = [], StencilWalker.power
    monkeypatch.setattr(WALK, 'BLOCK_CELLS', block)
    monkeypatch.setattr(
        StencilWalker, 'power', lambda self, maps, steps: sizes.append(tuple(maps.shape)) or power(self, maps, steps)
    )
    random_walk(torch.rand(2, 5, 5, 6), field(2, 5, 6, dtype=torch.float32), num_steps=2, method='stencil')
    assert {batch for batch, *_ in sizes} == {1}
    assert max(count for _, count, *_ in sizes) == most_maps
    assert sum(count for _, count, *_ in sizes) == 10


def test_the_walk_is_the_published_one_by_default():
    scores, affinity = torch.rand(1, 2, 6, 7), 0.6 * field(1, 6, 7, dtype=torch.float32)
    assert torch.equal(random_walk(scores, affinity), random_walk(scores, affinity, 8, 2**8, 'auto'))
    assert not torch.equal(random_walk(scores, affinity), random_walk(scores, affinity, 9, 2**8))
    assert not torch.equal(random_walk(scores, affinity), random_walk(scores, affinity, 8, 2**8 + 1))
