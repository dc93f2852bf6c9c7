import pickle
from dataclasses import replace

import pytest
import torch

from mmwsss.ops import edge_to_affinity, random_walk
from mmwsss.structures import BoundaryAffinity, StencilAffinity, affinity_of_file


@pytest.fixture
def affinity():
    edge = torch.rand(2, 1, 5, 6, generator=torch.Generator().manual_seed(0))
    displacement = torch.randn(2, 2, 5, 6, generator=torch.Generator().manual_seed(1))
    return BoundaryAffinity(edge_to_affinity(edge, 3), (37, 46), 8, edge, displacement)


def test_scores_on_boundaries_do_not_walk(affinity):
    maps = torch.rand(2, 3, 5, 6, generator=torch.Generator().manual_seed(1))
    walked = affinity.propagate(maps, 4, 2.0)
    torch.testing.assert_close(walked, random_walk(maps * (1 - affinity.edge), affinity.field, 2.0, 4))
    everywhere = replace(affinity, edge=torch.ones_like(affinity.edge))
    assert not everywhere.propagate(maps, 4).any()


def test_maps_keep_their_type(affinity):
    assert affinity.propagate(torch.ones(2, 1, 5, 6, dtype=torch.float64), 2).dtype == torch.float64


def test_one_image_has_its_own_boundaries(affinity):
    one = affinity.of_image(1)
    assert torch.equal(one.edge, affinity.edge[1:]) and torch.equal(one.field, affinity.field[1:])
    assert torch.equal(one.displacement, affinity.displacement[1:])
    assert replace(affinity, displacement=None).of_image(1).displacement is None
    assert (one.covered_size, one.stride, one.grid) == ((37, 46), 8, (5, 6))


def test_other_processes_get_the_boundaries(affinity):
    copy = pickle.loads(pickle.dumps(affinity))
    assert isinstance(copy, BoundaryAffinity) and copy.covered_size == affinity.covered_size
    assert torch.equal(copy.edge, affinity.edge) and torch.equal(copy.field, affinity.field)
    assert torch.equal(copy.displacement, affinity.displacement)
    assert pickle.loads(pickle.dumps(replace(affinity, displacement=None))).displacement is None


def test_there_and_back_to_what_a_file_holds(affinity):
    for one in (affinity.of_image(1), replace(affinity.of_image(1), displacement=None)):
        back = affinity_of_file(one.to_file())
        assert isinstance(back, BoundaryAffinity) and (back.covered_size, back.stride) == ((37, 46), 8)
        assert torch.equal(back.edge, one.edge) and torch.equal(back.field, one.field)
        assert (back.displacement is None) == (one.displacement is None)
    assert torch.equal(affinity_of_file(affinity.to_file()).displacement, affinity.displacement[:1])
    plain = StencilAffinity(affinity.field[:1], (37, 46), 8)
    assert type(affinity_of_file(plain.to_file())) is StencilAffinity
