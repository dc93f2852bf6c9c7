import numpy as np
import pytest

from mmwsss.fileio import AffinityField, DataError, quantize_affinity, read_affinity, write_affinity


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
