import math
from itertools import product

import pytest
import torch

from mmwsss.ops import permutohedral
from mmwsss.ops.permutohedral import PermutohedralLattice


@pytest.fixture(params=['numba', 'torch'], autouse=True)
def way(request, monkeypatch):
    """The lattice as numba compiles it, and in torch operations."""
    if request.param == 'numba':
        pytest.importorskip('numba')
    else:
        monkeypatch.setattr(permutohedral, '_numba', lambda: None)
    return request.param


def random(*shape, scale=1.0, seed=0):
    return scale * torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def elevated(features):
    """Twin: the matrix of Adams et al., section 3.1, with columns in the plane of coordinate sum 0."""
    dim = features.shape[1]
    matrix = torch.zeros(dim + 1, dim, dtype=features.dtype)
    for column in range(dim):
        matrix[: column + 1, column] = 1
        matrix[column + 1, column] = -(column + 1)
        matrix[:, column] /= math.sqrt((column + 1) * (column + 2))
    return math.sqrt(2 / 3) * (dim + 1) * features @ matrix.T


def simplex(point):
    """Twin: (vertex, weight) of the simplex around an elevated point, found among all the vertices near it.

    A vertex of remainder k has coordinates that are all k modulo d + 1. The nearest one of each remainder, by the
    distance along the lattice, holds the point between them.
    """
    size = len(point)
    base = [math.floor(value / size) * size for value in point]
    vertices = []
    for remainder in range(size):
        candidates = []
        for shifts in product((-1, 0, 1), repeat=size):
            vertex = [origin + shift * size + remainder for origin, shift in zip(base, shifts, strict=True)]
            if sum(vertex) == 0:
                gaps = [value - at for value, at in zip(point, vertex, strict=True)]
                candidates.append((max(gaps) - min(gaps), tuple(vertex)))
        candidates.append((math.inf, None))
        distance, vertex = min(candidates)
        vertices.append((vertex, 1 - distance / size))
    return vertices


def neighbor(vertex, direction, sign):
    return tuple(at + sign * (len(vertex) - 1 if i == direction else -1) for i, at in enumerate(vertex))


def filter_twin(features, values):
    """Twin: splat, blur along each direction, slice, with the lattice in a dictionary."""
    points = [simplex(point) for point in elevated(features).tolist()]
    lattice = {}
    for corners, value in zip(points, values, strict=True):
        for vertex, weight in corners:
            lattice[vertex] = lattice.get(vertex, 0) + weight * value
    for direction in range(features.shape[1] + 1):
        lattice = {
            vertex: value + sum(lattice.get(neighbor(vertex, direction, sign), 0) for sign in (1, -1)) / 2
            for vertex, value in lattice.items()
        }
    sums = [sum(weight * lattice[vertex] for vertex, weight in corners) for corners in points]
    return torch.stack(sums) / (1 + 2.0 ** -features.shape[1])


@pytest.mark.parametrize('dim', [1, 2, 3, 5])
def test_positions_are_elevated_by_the_published_matrix(dim):
    features = random(7, dim, scale=5)
    torch.testing.assert_close(PermutohedralLattice(features)._elevate(features), elevated(features))


@pytest.mark.parametrize('dim', [1, 2, 3])
@pytest.mark.parametrize('scale', [0.5, 4.0])
def test_filtering_equals_its_twin(dim, scale):
    features = random(30, dim, scale=2 * scale) - scale
    values = random(30, 2, seed=1)
    torch.testing.assert_close(PermutohedralLattice(features).filter(values), filter_twin(features, values))


@pytest.mark.parametrize('dim', [1, 2, 5])
def test_weights_are_barycentric(dim):
    lattice = PermutohedralLattice(random(50, dim, scale=20) - 10)
    assert lattice.weights.shape == lattice.vertices.shape == (50, dim + 1)
    assert (lattice.weights >= -1e-12).all()
    torch.testing.assert_close(lattice.weights.sum(1), torch.ones(50, dtype=torch.float64))


@pytest.mark.parametrize('dim', [1, 2, 3, 5])
def test_neighbors_of_opposite_directions_point_at_each_other(dim):
    lattice = PermutohedralLattice(random(40, dim, scale=3))
    count = lattice.neighbors.shape[2]
    for ahead, behind in lattice.neighbors:
        present = torch.nonzero(ahead < count)[:, 0]
        assert behind[ahead[present]].equal(present)
        assert (behind < count).sum() == len(present)


@pytest.mark.parametrize('dim', [1, 2])
def test_filtering_is_close_to_the_gaussian(dim):
    features = random(400, dim, scale=6)
    values = random(400, 1, seed=1)
    kernel = torch.exp(-(torch.cdist(features, features) ** 2) / 2)
    filtered = PermutohedralLattice(features).filter(values)
    assert ((filtered - kernel @ values).abs() / (kernel @ values)).mean() < 0.15


def test_filtering_does_not_change_its_input_and_is_linear():
    lattice = PermutohedralLattice(random(20, 2, scale=3))
    first, second = random(20, 1, seed=1), random(20, 1, seed=2)
    before = first.clone()
    both = lattice.filter(torch.cat([first, second], 1))
    assert first.equal(before)
    torch.testing.assert_close(both.sum(1, keepdim=True), lattice.filter(first + second))


@pytest.mark.parametrize(
    'features', [torch.zeros(3), torch.zeros(0, 2), torch.zeros(3, 0), torch.zeros(3, 2, dtype=torch.long)]
)
def test_bad_features_are_refused(features):
    with pytest.raises(ValueError, match='features'):
        PermutohedralLattice(features)


def test_a_lattice_that_is_too_large_to_index_is_refused():
    with pytest.raises(ValueError, match='standard deviations'):
        PermutohedralLattice(torch.tensor([[0.0] * 5, [1e5] * 5], dtype=torch.float64))


def test_a_large_lattice_is_indexed_without_overflow():
    """Points so far apart that the packed keys almost fill 63 bits share no vertex."""
    features = torch.tensor([[0.0, 0.0, 0.0], [3e5, 3e5, 3e5]], dtype=torch.float64)
    lattice = PermutohedralLattice(features)
    assert not set(lattice.vertices[0].tolist()) & set(lattice.vertices[1].tolist())
    torch.testing.assert_close(lattice.filter(torch.eye(2, dtype=torch.float64))[0, 1].item(), 0.0)


@pytest.mark.parametrize('dim', [1, 2, 5])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_both_ways_give_the_same(monkeypatch, dim, dtype):
    pytest.importorskip('numba')
    features, values = random(60, dim, scale=4).to(dtype), random(60, 3, seed=1).to(dtype)
    compiled = PermutohedralLattice(features)
    filtered = compiled.filter(values)
    monkeypatch.setattr(permutohedral, '_numba', lambda: None)
    lattice = PermutohedralLattice(features)
    assert lattice.neighbors.shape == compiled.neighbors.shape and filtered.dtype == dtype
    torch.testing.assert_close(filtered, lattice.filter(values))


def test_without_numba_torch_does_it(monkeypatch, way):
    monkeypatch.undo()
    permutohedral._numba.cache_clear()
    monkeypatch.setattr(permutohedral, 'import_module', lambda *_: (_ for _ in ()).throw(ImportError()))
    lattice = PermutohedralLattice(random(5, 2))
    permutohedral._numba.cache_clear()
    assert lattice.vertices.dtype == torch.int64
