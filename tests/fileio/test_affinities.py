import numpy as np
import pytest
import torch

from mmwsss.fileio import AffinityField, DataError, as_stored, quantize_affinity, read_affinity, write_affinity
from mmwsss.ops import edge_to_affinity
from mmwsss.structures import BoundaryAffinity, StencilAffinity, affinity_of_file


def field_of(size=(38, 51), stride=8, cells=(5, 7)):
    return AffinityField(np.random.default_rng(0).random((12, *cells), np.float32), size, stride)


def test_there_and_back_within_the_stated_error(tmp_path):
    field = field_of()
    write_affinity(tmp_path / 'a/b.npz', field)
    back = read_affinity(tmp_path / 'a/b.npz')
    assert back.affinity.dtype == np.float32 and back[1:] == field[1:]
    assert np.abs(back.affinity - field.affinity).max() <= 0.002
    write_affinity(tmp_path / 'c.npz', field._replace(affinity=quantize_affinity(field.affinity)))
    np.testing.assert_array_equal(read_affinity(tmp_path / 'c.npz').affinity, back.affinity)
    assert (tmp_path / 'c.npz').stat().st_size < 12 * 5 * 7 + 1000


def test_ends_of_the_range_are_exact():
    assert quantize_affinity(np.array([0, 1, 0.5])).tolist() == [0, 255, 128]


@pytest.mark.parametrize(
    'change',
    [
        dict(affinity=np.full((12, 5, 7), 1.1)),
        dict(affinity=np.full((12, 5, 7), np.nan)),
        dict(affinity=np.zeros((5, 7))),
        dict(size=(41, 51)),
        dict(size=(0, 51)),
        dict(stride=0),
    ],
)
def test_what_is_no_field_is_not_written(tmp_path, change):
    with pytest.raises(ValueError, match=r'a\.npz'):
        write_affinity(tmp_path / 'a.npz', field_of()._replace(**change))
    assert list(tmp_path.iterdir()) == []


def test_damage_and_other_files_are_named(tmp_path):
    path = tmp_path / 'a.npz'
    with pytest.raises(DataError, match=r'a\.npz: expected affinities'):
        read_affinity(path)
    write_affinity(path, field_of())
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r'a\.npz: expected affinities'):
            read_affinity(path)
    np.savez(path, affinity=np.zeros((12, 5, 7), np.float16), size=np.array([38, 51]), stride=np.array(8))
    with pytest.raises(DataError, match=r'a\.npz: expected uint8 affinity'):
        read_affinity(path)
    np.savez(path, affinity=np.zeros((12, 4, 7), np.uint8), size=np.array([38, 51]), stride=np.array(8))
    with pytest.raises(DataError, match=r'a\.npz: expected at least \(5, 7\) cells'):
        read_affinity(path)


def boundaries(displacement=True):
    edge = torch.rand(1, 1, 5, 7, generator=torch.Generator().manual_seed(0))
    moved = torch.randn(1, 2, 5, 7, generator=torch.Generator().manual_seed(1)) * 9
    return BoundaryAffinity(edge_to_affinity(edge, 3), (38, 51), 8, edge, moved if displacement else None)


@pytest.mark.parametrize('displacement', [True, False])
def test_boundaries_take_the_place_of_affinities(tmp_path, displacement):
    affinity = boundaries(displacement)
    write_affinity(tmp_path / 'a.npz', affinity.to_file())
    with np.load(tmp_path / 'a.npz') as file:
        assert set(file.files) == {'edge', 'radius', 'size', 'stride'} | ({'displacement'} if displacement else set())
    back = affinity_of_file(read_affinity(tmp_path / 'a.npz'))
    assert isinstance(back, BoundaryAffinity) and (back.covered_size, back.stride) == ((38, 51), 8)
    torch.testing.assert_close(back.edge, affinity.edge, atol=0.002, rtol=0)
    torch.testing.assert_close(back.field, affinity.field, atol=0.002, rtol=0)
    assert torch.equal(back.field, edge_to_affinity(back.edge, 3))
    field = affinity.to_file()
    write_affinity(tmp_path / 'b.npz', field._replace(edge=quantize_affinity(field.edge)))
    np.testing.assert_array_equal(read_affinity(tmp_path / 'b.npz').edge, back.edge[0, 0])
    if displacement:
        torch.testing.assert_close(back.displacement, affinity.displacement, atol=0, rtol=1e-3)
    else:
        assert back.displacement is None


@pytest.mark.parametrize(
    'affinity', [boundaries(), boundaries(False), StencilAffinity(boundaries().field, (38, 51), 8)]
)
def test_what_chains_see_is_what_the_file_holds(tmp_path, affinity):
    seen = as_stored(affinity)
    write_affinity(tmp_path / 'a.npz', seen.to_file())
    back = affinity_of_file(read_affinity(tmp_path / 'a.npz'))
    assert type(seen) is type(back) is type(affinity)
    for name in ('field', 'edge', 'displacement'):
        if getattr(affinity, name, None) is not None:
            assert torch.equal(getattr(seen, name), getattr(back, name)), name


def test_other_affinities_are_not_stored_without_a_word():
    class Other(StencilAffinity):
        pass

    with pytest.raises(DataError, match='affinity_dir: a file does not hold all of a Other; set affinity_dir=None'):
        as_stored(Other(boundaries().field, (38, 51), 8))


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(edge=np.zeros((5, 7), np.float32)), r'uint8 edge \(h, w\)'),
        (dict(edge=np.zeros((1, 5, 7), np.uint8)), r'uint8 edge \(h, w\)'),
        (
            dict(edge=np.zeros((4, 7), np.uint8), displacement=np.zeros((2, 4, 7), np.float16)),
            r'at least \(5, 7\) cells',
        ),
        (dict(radius=np.array(1)), 'a radius from 2 to 64, got 1'),
        (dict(radius=np.array(65)), 'a radius from 2 to 64, got 65'),
        (dict(radius=np.array([3])), 'a radius from 2 to 64'),
        (dict(displacement=np.zeros((2, 5, 6), np.float16)), r'finite float16 displacements \(2, 5, 7\)'),
        (dict(displacement=np.zeros((2, 5, 7))), 'finite float16 displacements'),
        (dict(displacement=np.full((2, 5, 7), np.nan, np.float16)), 'finite float16 displacements'),
        (dict(stride=np.array(0)), 'a positive size and stride'),
    ],
)
def test_wrong_boundaries_are_named(tmp_path, change, message):
    path = tmp_path / 'a.npz'
    write_affinity(path, boundaries().to_file())
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(path, **{**arrays, **change})
    with pytest.raises(DataError, match=rf'a\.npz: expected {message}'):
        read_affinity(path)


def test_boundaries_out_of_range_are_not_written(tmp_path):
    field = boundaries().to_file()
    with pytest.raises(ValueError, match=r'a\.npz must be in \[0, 1\]'):
        write_affinity(tmp_path / 'a.npz', field._replace(edge=field.edge * 2))
