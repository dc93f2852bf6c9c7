import io

import numpy as np
import pytest

from mmwsss.fileio import DataError, Seeds, read_seeds, write_seeds


def seeds_of(count=2, grid=(5, 7), size=(38, 51)):
    cams = np.random.default_rng(count).random((count, *grid)).astype(np.float16)
    return Seeds(np.arange(1, count + 1, dtype=np.uint8), cams, size)


def save(path, **arrays):
    np.savez_compressed(path, **{**seeds_of()._asdict(), 'size': np.array([38, 51], np.int32), **arrays})


@pytest.mark.parametrize('count, grid', [(0, (5, 7)), (1, (1, 1)), (20, (9, 3)), (254, (2, 2))])
def test_round_trip(tmp_path, count, grid):
    seeds = seeds_of(count, grid)
    write_seeds(tmp_path / 'sub' / 's.npz', seeds)
    read = read_seeds(str(tmp_path / 'sub' / 's.npz'))
    np.testing.assert_array_equal(read.class_ids, seeds.class_ids)
    np.testing.assert_array_equal(read.cams, seeds.cams)
    assert read.size == (38, 51) and read.cams.dtype == np.float16 and read.class_ids.dtype == np.uint8


def test_same_seeds_give_the_same_bytes(tmp_path):
    for name in ('a.npz', 'b.npz'):
        write_seeds(tmp_path / name, seeds_of())
    assert (tmp_path / 'a.npz').read_bytes() == (tmp_path / 'b.npz').read_bytes()


def test_nothing_is_pickled(tmp_path):
    write_seeds(tmp_path / 's.npz', seeds_of())
    with np.load(tmp_path / 's.npz', allow_pickle=False) as arrays:
        assert set(arrays) == {'class_ids', 'cams', 'size'}


WRONG = {
    'class_ids int64': dict(class_ids=np.array([1, 2])),
    'other count': dict(class_ids=np.array([1], np.uint8)),
    'descending': dict(class_ids=np.array([2, 1], np.uint8)),
    'twice': dict(class_ids=np.array([1, 1], np.uint8)),
    'cams float32': dict(cams=np.zeros((2, 5, 7), np.float32)),
    'cams flat': dict(cams=np.zeros((2, 35), np.float16)),
    'no cell': dict(cams=np.zeros((2, 0, 7), np.float16)),
    'NaN': dict(cams=np.full((2, 5, 7), np.nan, np.float16)),
    'infinity': dict(cams=np.full((2, 5, 7), np.inf, np.float16)),
    'negative': dict(cams=np.full((2, 5, 7), -0.1, np.float16)),
    'not normalized': dict(cams=np.full((2, 5, 7), 4, np.float16)),
    'size of three': dict(size=np.array([38, 51, 3], np.int32)),
    'size float': dict(size=np.array([38, np.nan])),
    'size zero': dict(size=np.array([38, 0], np.int32)),
    'pickled': dict(class_ids=np.array([object(), object()])),
}


@pytest.mark.parametrize('arrays', WRONG.values(), ids=WRONG)
def test_wrong_content_is_named(tmp_path, arrays):
    save(tmp_path / 's.npz', **arrays)
    with pytest.raises(DataError, match=r's\.npz: expected'):
        read_seeds(tmp_path / 's.npz')


@pytest.mark.parametrize('name', ['class_ids', 'cams', 'size'])
def test_missing_array_is_named(tmp_path, name):
    arrays = {key: value for key, value in seeds_of()._asdict().items() if key != name}
    np.savez_compressed(tmp_path / 's.npz', **arrays)
    with pytest.raises(DataError, match=rf's\.npz.*{name}'):
        read_seeds(tmp_path / 's.npz')


@pytest.mark.parametrize('content', [b'', b'hello', b'PK\x03\x04', b'\x80\x04}.'])
def test_file_that_is_no_archive(tmp_path, content):
    (tmp_path / 's.npz').write_bytes(content)
    with pytest.raises(DataError, match=r's\.npz: expected seeds'):
        read_seeds(tmp_path / 's.npz')


def test_single_array_is_no_archive(tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    (tmp_path / 's.npz').write_bytes(buffer.getvalue())
    with pytest.raises(DataError, match=r's\.npz: expected seeds'):
        read_seeds(tmp_path / 's.npz')


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match=r'absent\.npz: expected seeds'):
        read_seeds(tmp_path / 'absent.npz')


def test_damage_is_never_a_crash(tmp_path):
    path, rng = tmp_path / 's.npz', np.random.default_rng(0)
    write_seeds(path, seeds_of())
    whole = path.read_bytes()
    for length in range(0, len(whole), 23):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r's\.npz'):
            read_seeds(path)
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            read_seeds(path)
        except DataError as error:
            assert 's.npz' in str(error)


@pytest.mark.parametrize(
    'change', [dict(cams=np.full((2, 5, 7), np.nan)), dict(cams=np.full((2, 5, 7), 3.0)), dict(size=(0, 3))]
)
def test_what_cannot_be_read_is_not_written(tmp_path, change):
    with pytest.raises(ValueError, match=r'cannot be written to .*s\.npz'):
        write_seeds(tmp_path / 's.npz', seeds_of()._replace(**change))
    assert list(tmp_path.iterdir()) == []
