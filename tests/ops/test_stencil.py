import pytest
import torch

from mmwsss.ops import neighbor_offsets, stencil
from mmwsss.ops.chebyshev import PLAIN_STEP, chebyshev_coefficients, chebyshev_schedule
from mmwsss.ops.stencil import (
    PaddedMaps,
    StencilWalker,
    edge_weights,
    inverse_degree,
    shift_runs,
    transition_matrix,
    used_shifts,
)

SIZES = [((4, 5), 3), ((1, 6), 3), ((3, 1), 2), ((2, 3), 5)]


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_field(size, radius, batch=1):
    return random(batch, len(neighbor_offsets(radius)), *size)


def dense(weights, radius):
    """Twin: the transition of a field (P, H, W), written entry by entry."""
    height, width = weights.shape[1:]
    matrix = torch.eye(height * width, dtype=weights.dtype)
    for p, (dy, dx) in enumerate(neighbor_offsets(radius).tolist()):
        for y in range(height - dy):
            for x in range(max(0, -dx), width - max(0, dx)):
                here, there = y * width + x, (y + dy) * width + x + dx
                matrix[here, there] = matrix[there, here] = weights[p, y, x]
    return matrix / matrix.sum(1, keepdim=True)


@pytest.mark.parametrize('beta', [1, 2, 3.0, 6, 7, 8.0, 0.5, 2.5, 64, 65.0])
def test_edge_weights_are_the_power_inside_the_grid_and_zero_outside(beta):
    field = random_field((4, 5), 3, batch=2)
    before = field.clone()
    weights = edge_weights(field, beta, torch.float64, 3)
    for p, (dy, dx) in enumerate(neighbor_offsets(3).tolist()):
        for y in range(4):
            for x in range(5):
                inside = y + dy < 4 and 0 <= x + dx < 5
                expected = field[:, p, y, x] ** beta if inside else torch.zeros(2, dtype=torch.float64)
                torch.testing.assert_close(weights[:, p, y, x], expected, rtol=1e-12, atol=0)
    assert field.equal(before)


def test_edge_weights_have_the_type_asked_for():
    assert edge_weights(random_field((3, 3), 2).half(), 2, torch.float32, 2).dtype == torch.float32


def test_integer_powers_are_exact_where_pow_is_not_asked():
    """Products only: 0.5 to the 64 is a power of two."""
    field = torch.full((1, 4, 2, 2), 0.5)
    assert edge_weights(field, 64.0, torch.float32, 2).max() == 2.0**-64


@pytest.mark.parametrize('value', [-1e-3, 1.001, float('nan')])
def test_edge_weights_refuse_affinities_out_of_range(value):
    field = random_field((3, 3), 2)
    field[0, 0, 1, 1] = value
    with pytest.raises(ValueError, match='affinity'):
        edge_weights(field, 2, torch.float64, 2)


def test_affinities_outside_the_grid_are_not_read():
    field = random_field((3, 3), 2)
    field[0, 0, :, -1] = float('nan')
    assert torch.isfinite(edge_weights(field, 2, torch.float64, 2)).all()


def test_zero_and_one_are_affinities():
    field = torch.zeros(1, 4, 2, 2)
    field[0, 0] = 1
    assert set(edge_weights(field, 3, torch.float32, 2).unique().tolist()) == {0, 1}


@pytest.mark.parametrize('size, radius', SIZES)
def test_padded_maps_reach_every_neighbor_by_a_shift(size, radius):
    maps = random(2, 3, *size)
    padded = PaddedMaps(maps, radius)
    assert padded.unpad(padded.cells).equal(maps)
    for dy in range(1 - radius, radius):
        for dx in range(1 - radius, radius):
            shifted = padded.unpad(padded.shifted(dy * padded.row + dx))
            for y in range(size[0]):
                for x in range(size[1]):
                    inside = 0 <= y + dy < size[0] and 0 <= x + dx < size[1]
                    expected = maps[..., y + dy, x + dx] if inside else torch.zeros(2, 3, dtype=maps.dtype)
                    assert shifted[..., y, x].equal(expected)


def test_padded_maps_are_a_copy():
    maps = random(1, 1, 3, 3)
    before = maps.clone()
    PaddedMaps(maps, 2).cells.zero_()
    assert maps.equal(before)


@pytest.mark.parametrize('size, radius', SIZES)
def test_used_shifts_are_those_with_a_pair_on_the_grid(size, radius):
    expected = [
        (p, dy * (size[1] + radius - 1) + dx)
        for p, (dy, dx) in enumerate(neighbor_offsets(radius).tolist())
        if dy < size[0] and abs(dx) < size[1]
    ]
    assert used_shifts(*size, radius) == expected


@pytest.mark.parametrize('size, radius', SIZES)
def test_the_transition_equals_its_twin(size, radius):
    weights = edge_weights(random_field(size, radius), 2, torch.float64, radius)[0]
    torch.testing.assert_close(transition_matrix(weights, radius), dense(weights, radius))


@pytest.mark.parametrize('size, radius', SIZES)
@pytest.mark.parametrize('num_steps', [1, 2, 3, 10])
def test_walkers_equal_the_power_of_the_twin(size, radius, num_steps):
    scores = random(2, 3, *size, seed=1)
    weights = edge_weights(random_field(size, radius, batch=2), 2, torch.float64, radius)
    walker = StencilWalker(weights, radius)
    expected = torch.stack(
        [
            (maps.flatten(1) @ torch.linalg.matrix_power(dense(field, radius).T, num_steps)).view(3, *size)
            for maps, field in zip(scores, weights, strict=True)
        ]
    )
    before = scores.clone()
    torch.testing.assert_close(walker.power(scores, num_steps), expected)
    torch.testing.assert_close(
        walker.walk(scores, chebyshev_schedule(chebyshev_coefficients(num_steps, 0.0))), expected
    )
    torch.testing.assert_close(walker.walk(scores, (PLAIN_STEP,) * num_steps), expected)
    torch.testing.assert_close(walker.power(scores, num_steps), expected)
    assert scores.equal(before)


@pytest.mark.parametrize('coefficients', [(1.0,), (0.0, 1.0), (0.2, 0.0, 0.0, 0.8), (0.1, 0.2, 0.3, 0.4)])
def test_a_chebyshev_series_equals_that_of_the_twin(coefficients):
    scores = random(1, 2, 3, 4, seed=1)
    weights = edge_weights(random_field((3, 4), 3), 1, torch.float64, 3)
    matrix = dense(weights[0], 3)
    terms = [torch.eye(12, dtype=torch.float64), matrix]
    while len(terms) < len(coefficients):
        terms.append(2 * matrix @ terms[-1] - terms[-2])
    series = sum(coefficient * term for coefficient, term in zip(coefficients, terms, strict=False))
    expected = (scores.flatten(2) @ series.T).view_as(scores)
    torch.testing.assert_close(StencilWalker(weights, 3).walk(scores, chebyshev_schedule(coefficients)), expected)


@pytest.mark.parametrize('size, radius', [*SIZES, ((3, 5), 3)])
def test_runs_hold_every_used_shift_once(size, radius):
    runs = shift_runs(*size, radius)
    assert [(p + i, shift + i) for p, shift, count in runs for i in range(count)] == used_shifts(*size, radius)


def test_a_run_is_a_row_of_neighbors():
    assert [count for *_, count in shift_runs(20, 30, 5)] == [4, 9, 9, 7, 5]


@pytest.mark.parametrize('size, radius', SIZES)
def test_degrees_are_the_row_sums_of_the_matrix_of_affinities(size, radius):
    padded = PaddedMaps(edge_weights(random_field(size, radius, batch=2), 2, torch.float64, radius), radius)
    inverse = inverse_degree(padded, radius)
    assert inverse.shape == (2, 1, padded.length)
    for field, measured in zip(padded.unpad(padded.cells), padded.unpad(inverse), strict=True):
        torch.testing.assert_close(measured.flatten(), dense(field, radius).diagonal())


def test_degrees_are_summed_in_float64():
    """The affinities are so small that 1 in float32 is not changed by any one of them."""
    weights = torch.full((1, 34, 9, 9), 2.0**-26)
    padded = PaddedMaps(edge_weights(weights, 1, torch.float32, 5), 5)
    inverse = padded.unpad(inverse_degree(padded, 5))
    assert inverse.dtype == torch.float32
    assert inverse[0, 0, 4, 4] == torch.tensor(1 / (1 + 68 * 2.0**-26))


def stepped(size, radius, channels=5):
    field, scores = random_field(size, radius, batch=2).float(), random(2, channels, *size, seed=1).float()
    return StencilWalker(edge_weights(field, 2.0, torch.float32, radius), radius).power(scores, 3)


@pytest.mark.parametrize('numbers', [1, 60, 200])
@pytest.mark.parametrize('size, radius', SIZES)
def test_how_many_maps_are_taken_at_once_changes_nothing(monkeypatch, size, radius, numbers):
    expected = stepped(size, radius)
    monkeypatch.setattr(stencil, 'CACHED_NUMBERS', numbers)
    torch.testing.assert_close(stepped(size, radius), expected, rtol=0, atol=1e-6)


def test_without_maps_there_is_nothing_to_walk():
    assert stepped((4, 5), 3, channels=0).shape == (2, 0, 4, 5)


@pytest.mark.parametrize('precision', ['medium', 'high'])
def test_a_lower_precision_of_matrix_products_is_not_used(monkeypatch, precision):
    expected = stepped((4, 5), 3)
    monkeypatch.setattr(torch.Tensor, 'baddbmm_', None)
    kept = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        torch.testing.assert_close(stepped((4, 5), 3), expected, rtol=0, atol=1e-6)
    finally:
        torch.set_float32_matmul_precision(kept)


def test_a_precision_that_torch_cannot_tell_is_taken_for_a_lower_one(monkeypatch):
    def contradictory():
        raise RuntimeError('set in two ways')

    expected = stepped((4, 5), 3)
    monkeypatch.setattr(torch, 'get_float32_matmul_precision', contradictory)
    monkeypatch.setattr(torch.Tensor, 'baddbmm_', None)
    torch.testing.assert_close(stepped((4, 5), 3), expected, rtol=0, atol=1e-6)


def test_autocast_leaves_a_walk_as_it_is():
    expected = stepped((4, 5), 3)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert stepped((4, 5), 3).equal(expected)
