import numpy as np
import pytest

from mmwsss.fileio import DataError, read_feature_table, write_feature_table

IDS = ['a', 'sub/größer']


def features_of(count=2):
    return np.random.default_rng(0).normal(size=(count, 5)).astype(np.float32)


def test_round_trip_in_half_precision(tmp_path):
    write_feature_table(tmp_path / 'new' / 't.npy', IDS, features_of())
    image_ids, features = read_feature_table(tmp_path / 'new' / 't.npy')
    assert image_ids == IDS and np.array_equal(features, features_of().astype(np.float16))


def test_features_stay_in_the_file(tmp_path):
    write_feature_table(tmp_path / 't.npy', IDS, features_of())
    assert isinstance(read_feature_table(tmp_path / 't.npy')[1], np.memmap)


@pytest.mark.parametrize('features', [features_of(3), np.zeros((2, 0)), np.full((2, 3), np.nan), np.full((2, 3), 1e6)])
def test_what_does_not_fit_is_not_written(tmp_path, features):
    with pytest.raises(ValueError, match='t.npy must be'):
        write_feature_table(tmp_path / 't.npy', IDS, features)
    assert not list(tmp_path.iterdir())


def test_cut_file(tmp_path):
    path = tmp_path / 't.npy'
    write_feature_table(path, IDS, features_of())
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match='t.npy: expected a table of features'):
        read_feature_table(path)


@pytest.mark.parametrize(
    ('before', 'after'), [(b"{'descr'", b"{'descr\x93"), (b'a\0\0\0', b'\xff\xff\xff\xff')], ids=['header', 'letter']
)
def test_damaged_file(tmp_path, before, after):
    path = tmp_path / 't.npy'
    write_feature_table(path, IDS, features_of())
    assert before in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(before, after))
    with pytest.raises(DataError, match='t.npy: expected'):
        read_feature_table(path)


@pytest.mark.parametrize(
    'array', [np.zeros((2, 3), np.float16), np.zeros(2, [('image_id', 'U1'), ('features', 'f4', (3,))])]
)
def test_other_arrays(tmp_path, array):
    np.save(tmp_path / 't.npy', array)
    with pytest.raises(DataError, match='t.npy: expected a table of image_id and float16 features'):
        read_feature_table(tmp_path / 't.npy')


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match='absent.npy'):
        read_feature_table(tmp_path / 'absent.npy')
