"""The walk compiled by numba, on grids small enough for Python to run it where numba is told not to compile."""

import pytest
import torch

pytest.importorskip('numba')
from mmwsss.ops import neighbor_offsets, random_walk, walk_numba
from mmwsss.ops.chebyshev import PLAIN_STEP, chebyshev_coefficients, chebyshev_schedule
from mmwsss.ops.stencil import edge_weights, transition_matrix

# The grids use an even and an odd number of offsets, one, and none.
SIZES = [((4, 5), 3), ((1, 6), 4), ((3, 4), 2), ((1, 2), 2), ((1, 1), 3)]


def random(*shape, seed=0, dtype=torch.float64):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def case(size, radius, batch=2, maps=3, dtype=torch.float64):
    field = random(batch, len(neighbor_offsets(radius)), *size, dtype=dtype)
    return edge_weights(field, 2, dtype, radius), random(batch, maps, *size, seed=1, dtype=dtype)


def walked_by_matrix(weights, scores, coefficients, radius):
    """Twin: the series of Chebyshev polynomials of the dense transition."""
    results = []
    for field, maps in zip(weights, scores, strict=True):
        matrix = transition_matrix(field, radius)
        terms = [torch.eye(len(matrix), dtype=matrix.dtype), matrix]
        while len(terms) < len(coefficients):
            terms.append(2 * matrix @ terms[-1] - terms[-2])
        series = sum(coefficient * term for coefficient, term in zip(coefficients, terms, strict=False))
        results.append((maps.flatten(1) @ series.T).view_as(maps))
    return torch.stack(results)


@pytest.mark.parametrize('size, radius', SIZES)
@pytest.mark.parametrize('coefficients', [(1.0,), (0.25, 0.75), (0.1, 0.2, 0.3, 0.4)])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_a_walk_equals_its_twin(size, radius, coefficients, dtype):
    weights, scores = case(size, radius, dtype=dtype)
    before = weights.clone(), scores.clone()
    walked = walk_numba.walk(weights, scores, chebyshev_schedule(coefficients), radius)
    assert walked.dtype == dtype
    torch.testing.assert_close(walked, walked_by_matrix(weights, scores, coefficients, radius))
    assert weights.equal(before[0]) and scores.equal(before[1])


@pytest.mark.parametrize('tile', [1, 7, 8, 10**6])
def test_the_size_of_a_tile_changes_nothing(monkeypatch, tile):
    weights, scores = case((4, 5), 3)
    schedule = (PLAIN_STEP, *chebyshev_schedule(chebyshev_coefficients(5, 0.0)))
    expected = walk_numba.walk(weights, scores, schedule, 3)
    monkeypatch.setattr(walk_numba, 'TILE_CELLS', tile)
    torch.testing.assert_close(walk_numba.walk(weights, scores, schedule, 3), expected)


@pytest.mark.parametrize('maps', [1, 2, 5])
@pytest.mark.parametrize('limit, most', [(0, 3), (10**9, 1)])
def test_threads_share_the_maps_of_a_long_walk(monkeypatch, maps, limit, most):
    weights, scores = case((4, 5), 3, maps=maps)
    coefficients = (0.5, 0.0, 0.5)
    schedule = chebyshev_schedule(coefficients)
    pools = []

    class Pool(walk_numba.ThreadPoolExecutor):
        def __init__(self, threads):
            pools.append(threads)
            super().__init__(threads)

    monkeypatch.setattr(walk_numba, 'ThreadPoolExecutor', Pool)
    monkeypatch.setattr(walk_numba, 'THREADED_OPERATIONS', limit)
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 3)
    walked = walk_numba.walk(weights, scores, schedule, 3)
    assert pools == [min(most, maps)]
    torch.testing.assert_close(walked, walked_by_matrix(weights, scores, coefficients, 3))


def test_a_walk_is_long_by_its_operations(monkeypatch):
    """Maps, padded cells, offsets and products are multiplied."""
    weights, scores = case((4, 5), 3, batch=1, maps=2)
    asked = []
    monkeypatch.setattr(torch, 'get_num_threads', lambda: asked.append(1) or 1)
    operations = 2 * (4 * (5 + 2)) * len(neighbor_offsets(3)) * 3
    for limit, expected in ((operations, []), (operations - 1, [1])):
        monkeypatch.setattr(walk_numba, 'THREADED_OPERATIONS', limit)
        walk_numba.walk(weights, scores, (PLAIN_STEP,) * 3, 3)
        assert asked == expected


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_plain_steps_are_steps(dtype):
    weights, scores = case((4, 5), 3, dtype=dtype)
    walked = walk_numba.walk(weights, scores, (PLAIN_STEP,) * 3, 3)
    torch.testing.assert_close(walked, walked_by_matrix(weights, scores, (0.0, 0.75, 0.0, 0.25), 3))
    assert walk_numba.walk(weights, scores, (), 3).equal(scores)


def test_the_random_walk_asks_for_it():
    field, scores = random(1, 12, 3, 4), random(1, 2, 3, 4, seed=1)
    expected = random_walk(scores, field, 2.0, 9, 'dense')
    torch.testing.assert_close(random_walk(scores, field, 2.0, 9, 'numba'), expected, atol=1e-6, rtol=0)
