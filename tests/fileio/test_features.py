import numpy as np
import pytest

from mmwsss.fileio import DataError, read_features, write_features


def features_of(shape=(5, 3, 4)):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_round_trip_in_half_precision(tmp_path):
    write_features(tmp_path / 'a' / 'f.npz', features_of())
    read = read_features(tmp_path / 'a' / 'f.npz')
    assert read.dtype == np.float16 and np.array_equal(read, features_of().astype(np.float16))


def test_size_is_what_the_documentation_says(tmp_path):
    write_features(tmp_path / 'f.npz', features_of((80, 21, 28)))
    assert (tmp_path / 'f.npz').stat().st_size == pytest.approx(94e3, rel=0.02)


@pytest.mark.parametrize('features', [np.zeros((3, 4)), np.full((1, 2, 2), np.nan), np.full((1, 2, 2), 1e6)])
def test_what_is_no_features_is_not_written(tmp_path, features):
    with pytest.raises(ValueError, match='f.npz: expected'):
        write_features(tmp_path / 'f.npz', features)
    assert not list(tmp_path.iterdir())


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match='absent.npz: expected features'):
        read_features(tmp_path / 'absent.npz')


def test_cut_file(tmp_path):
    path = tmp_path / 'f.npz'
    write_features(path, features_of())
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match='f.npz: expected features'):
        read_features(path)


@pytest.mark.parametrize(
    'features, found',
    [
        (np.zeros((1, 2, 2)), 'float64'),
        (np.zeros((2, 2), np.float16), r'\(2, 2\)'),
        (np.full((1, 1, 1), np.inf, np.float16), 'finite'),
    ],
)
def test_other_arrays(tmp_path, features, found):
    np.savez(tmp_path / 'f.npz', features=features)
    with pytest.raises(DataError, match=f'f.npz: expected .*{found}'):
        read_features(tmp_path / 'f.npz')
