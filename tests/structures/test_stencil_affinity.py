import pickle

import numpy as np
import torch

from mmwsss.ops import neighbor_offsets, random_walk
from mmwsss.structures import AffinityField, StencilAffinity

PAIRS = len(neighbor_offsets(3))


def affinity_of(batch=2, dtype=torch.float32):
    field = torch.rand(batch, PAIRS, 5, 6, generator=torch.Generator().manual_seed(0))
    return StencilAffinity(field.to(dtype), (37, 48), 8)


def test_a_file_is_a_batch_of_one():
    field = AffinityField(np.random.default_rng(0).random((PAIRS, 5, 6)).astype(np.float32), (37, 48), 8)
    affinity = StencilAffinity.of_file(field)
    np.testing.assert_array_equal(affinity.field, field.affinity[None])
    assert (affinity.covered_size, affinity.stride, affinity.grid) == ((37, 48), 8, (5, 6))


def test_one_image_of_a_batch():
    affinity = affinity_of()
    one = affinity.of_image(1)
    assert one.field.shape == (1, PAIRS, 5, 6) and torch.equal(one.field[0], affinity.field[1])
    assert (one.covered_size, one.stride) == (affinity.covered_size, affinity.stride)


def test_maps_walk_as_by_the_op():
    affinity, maps = affinity_of(), torch.rand(2, 3, 5, 6)
    expected = random_walk(maps, affinity.field, 4.0, 9)
    torch.testing.assert_close(affinity.propagate(maps, 9, beta=4.0), expected)
    exact = affinity.propagate(maps.double(), 9, beta=4.0, method='dense')
    torch.testing.assert_close(exact, expected.double(), atol=1e-4, rtol=0)


def test_other_processes_get_the_same_in_float32():
    affinity = affinity_of(dtype=torch.bfloat16)
    copy = pickle.loads(pickle.dumps(affinity))
    assert copy.field.dtype == torch.float32 and torch.equal(copy.field, affinity.field.float())
    assert (copy.covered_size, copy.stride) == (affinity.covered_size, affinity.stride)
