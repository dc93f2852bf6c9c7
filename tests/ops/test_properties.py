"""Properties that hold for every input, tried on generated ones."""

from importlib.util import find_spec

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmwsss.ops import (
    affinity_loss,
    edge_to_affinity,
    neighbor_offsets,
    pair_labels,
    pairwise_affinity,
    pool_label_map,
    random_walk,
)
from mmwsss.ops.chebyshev import chebyshev_coefficients
from mmwsss.ops.random_walk import METHODS
from mmwsss.ops.stencil import edge_weights, transition_matrix

# Those that run on this CPU.
RUNNABLE = sorted(set(METHODS) - {'auto', 'triton'} - (set() if find_spec('numba') else {'numba'}))
quick = settings(max_examples=20, deadline=None)
slow = settings(max_examples=6, deadline=None)
sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))
small_sizes = st.tuples(st.integers(1, 4), st.integers(1, 4))
seeds = st.integers(0, 2**31 - 1)
radii = st.integers(2, 7)
betas = st.floats(0.5, 12)
steps = st.integers(0, 300)


def random(seed, *shape, dtype=torch.float64):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def random_field(seed, size, radius, batch=1):
    """A field of random sharpness: from nearly disconnected to nearly uniform."""
    values = random(seed, batch, len(neighbor_offsets(radius)), *size)
    return values ** (10 ** (2 * random(seed + 1, 1).item() - 1))


def undirected(field, radius):
    """The field as a dense symmetric matrix of affinities."""
    matrix = torch.zeros(field.shape[2] * field.shape[3], field.shape[2] * field.shape[3], dtype=field.dtype)
    width = field.shape[3]
    for p, (dy, dx) in enumerate(neighbor_offsets(radius).tolist()):
        for y in range(field.shape[2] - dy):
            for x in range(max(0, -dx), width - max(0, dx)):
                source, target = y * width + x, (y + dy) * width + x + dx
                matrix[source, target] = matrix[target, source] = field[0, p, y, x]
    return matrix


@quick
@given(small_sizes, radii, betas, seeds)
def test_the_transition_conserves_mass(size, radius, beta, seed):
    matrix = transition_matrix(edge_weights(random_field(seed, size, radius), beta, torch.float64, radius)[0], radius)
    assert (matrix >= 0).all()
    torch.testing.assert_close(matrix.sum(1), torch.ones(len(matrix), dtype=torch.float64))
    degree = 1 + undirected(random_field(seed, size, radius), radius).pow(beta).sum(1)
    torch.testing.assert_close(degree @ matrix, degree)


@quick
@given(sizes, radii, betas, steps, st.sampled_from(RUNNABLE), st.floats(-1e3, 1e3), seeds)
def test_constants_are_fixed_points(size, radius, beta, num_steps, method, value, seed):
    scores = torch.full((1, 1, *size), value, dtype=torch.float64)
    assert random_walk(scores, random_field(seed, size, radius), beta, num_steps, method).equal(scores)


@quick
@given(small_sizes, radii, betas, steps, st.sampled_from(RUNNABLE), seeds)
def test_the_weighted_sum_is_kept(size, radius, beta, num_steps, method, seed):
    """The walk is reversible: the sum of the scores weighted by degree does not change."""
    field, scores = random_field(seed, size, radius), random(seed + 2, 1, 2, *size)
    degree = (1 + undirected(field, radius).pow(beta).sum(1)).view(size)
    walked = random_walk(scores, field, beta, num_steps, method)
    before, after = ((maps * degree).sum((2, 3)) / degree.sum() for maps in (scores, walked))
    torch.testing.assert_close(after, before, atol=1e-9, rtol=0)


@quick
@given(
    sizes,
    radii,
    betas,
    steps,
    st.sampled_from(RUNNABLE),
    st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64]),
    seeds,
)
def test_results_lie_within_the_range_of_the_inputs(size, radius, beta, num_steps, method, dtype, seed):
    scores = ((random(seed, 2, 2, *size) - 0.5) * 1e4).to(dtype)
    walked = random_walk(scores, random_field(seed, size, radius, batch=2).to(dtype), beta, num_steps, method)
    assert walked.dtype == dtype and torch.isfinite(walked).all()
    assert (walked >= scores.amin((2, 3), keepdim=True)).all()
    assert (walked <= scores.amax((2, 3), keepdim=True)).all()


@quick
@given(sizes, radii, betas, steps, seeds)
def test_all_methods_agree(size, radius, beta, num_steps, seed):
    field, scores = random_field(seed, size, radius, batch=2), random(seed + 2, 2, 2, *size)
    exact = random_walk(scores, field, beta, num_steps, 'dense')
    for method in RUNNABLE:
        walked = random_walk(scores, field, beta, num_steps, method)
        torch.testing.assert_close(walked, exact, atol=1e-9, rtol=0)
        single = random_walk(scores.float(), field.float(), beta, num_steps, method)
        torch.testing.assert_close(single.double(), exact, atol=2e-5, rtol=0)


@quick
@given(sizes, radii, seeds, st.sampled_from(['flip x', 'flip y', 'transpose']), st.sampled_from(RUNNABLE))
def test_walks_turn_with_the_image(size, radius, seed, turn, method):
    """Turning features and scores turns the result: the half-plane of offsets is no preferred direction."""
    turns = {
        'flip x': lambda maps: maps.flip(-1),
        'flip y': lambda maps: maps.flip(-2),
        'transpose': lambda maps: maps.transpose(-1, -2),
    }
    turned = turns[turn]
    features, scores = random(seed, 1, 3, *size), random(seed + 1, 1, 2, *size)
    edge = random(seed + 2, 1, 1, *size)
    for field_of, source in ((lambda f: pairwise_affinity(f, radius), features),
                             (lambda e: edge_to_affinity(e, radius), edge)):  # fmt: skip
        walked = random_walk(scores, field_of(source), 4.0, 12, method)
        walked_turned = random_walk(turned(scores), field_of(turned(source)), 4.0, 12, method)
        torch.testing.assert_close(walked_turned, turned(walked))


@quick
@given(sizes, radii, st.sampled_from(['full', 'reference']), seeds)
def test_affinities_are_positive_exactly_at_pairs(size, radius, border, seed):
    field = pairwise_affinity(random(seed, 2, 3, *size), radius, border)
    labels = pair_labels(torch.randint(0, 3, (2, *size)), radius, border)
    assert (field <= 1).all()
    assert ((field > 0) == (labels != 255)).all()


@slow
@given(small_sizes, radii, st.sampled_from(['full', 'reference']), seeds)
def test_gradients_of_affinity_and_loss(size, radius, border, seed):
    features = (random(seed, 1, 2, *size) * 3).requires_grad_()
    labels = pair_labels((random(seed + 1, 1, *size) * 3).long(), radius, border)
    assert torch.autograd.gradcheck(
        lambda value: sum(affinity_loss(pairwise_affinity(value, radius, border), labels).values()), features
    )


@quick
@given(sizes, st.sampled_from([torch.float16, torch.bfloat16]), st.floats(0, 6e4), seeds)
def test_half_precision_never_overflows(size, dtype, scale, seed):
    features = ((random(seed, 1, 8, *size) - 0.5) * 2 * scale).to(dtype).requires_grad_()
    field = pairwise_affinity(features)
    labels = pair_labels((random(seed + 1, 1, *size) * 3).long())
    losses = affinity_loss(field, labels)
    sum(losses.values()).backward()
    reduced = affinity_loss(field.detach().to(dtype), labels)
    for value in (field, features.grad, *losses.values(), *reduced.values()):
        assert torch.isfinite(value).all()


@quick
@given(sizes, st.integers(1, 12), seeds)
def test_pooled_labels_occur_in_the_map(size, stride, seed):
    label_map = (random(seed, 2, *size) * 4).long()
    label_map[label_map == 3] = 255
    pooled = pool_label_map(label_map, stride)
    assert set(pooled.unique().tolist()) <= set(label_map.unique().tolist()) | {255}


@quick
@given(st.integers(1, 5000), st.floats(1e-14, 0.5))
def test_chebyshev_coefficients_give_the_power(num_steps, tail):
    coefficients = torch.tensor(chebyshev_coefficients(num_steps, tail), dtype=torch.float64)
    assert len(coefficients) <= num_steps + 1 and (coefficients >= 0).all()
    angles = torch.linspace(0, torch.pi, 200, dtype=torch.float64)
    degrees = torch.arange(len(coefficients), dtype=torch.float64)
    values = torch.cos(angles[:, None] * degrees) @ coefficients
    torch.testing.assert_close(values, torch.cos(angles) ** num_steps, atol=2 * tail + 1e-9, rtol=0)
