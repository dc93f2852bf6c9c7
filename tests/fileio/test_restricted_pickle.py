import codecs
import collections
import io
import os
import pickle

import numpy as np
import pytest
import torch

from mmwsss.fileio import DataError
from mmwsss.fileio.restricted_pickle import read_npy_object


def npy(pickled):
    """A .npy file that says it holds one object, and what was pickled."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    header += b' ' * (117 - len(header)) + b'\n'
    return b'\x93NUMPY\x01\x00' + len(header).to_bytes(2, 'little') + header + pickled


class Call:
    def __init__(self, function, *arguments, state=None):
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.reduced


def assert_same(found, expected):
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


def example():
    rng = np.random.default_rng(0)
    return {
        3: rng.random((4, 5), np.float32),
        'half': rng.random((2, 3, 4)).astype(np.float16),
        'fortran': np.asfortranarray(rng.random((3, 4))),
        'big endian': np.arange(6, dtype='>i4').reshape(2, 3),
        'empty': np.zeros((0, 7)),
        'flags': np.array([True, False]),
        'list': [1, 2.5, 'x', None, True],
        'nested': {'size': 7},
    }


def test_arrays_dicts_and_numbers(tmp_path):
    np.save(tmp_path / 'a.npy', example())
    assert_same(read_npy_object(tmp_path / 'a.npy'), example())


@pytest.mark.parametrize('protocol', range(6))
def test_every_protocol(tmp_path, protocol):
    for value in (example(), np.array(example(), dtype=object)):
        (tmp_path / 'a.npy').write_bytes(npy(pickle.dumps(value, protocol)))
        assert_same(read_npy_object(tmp_path / 'a.npy'), example())


def test_names_of_older_numpy(tmp_path):
    np.save(tmp_path / 'a.npy', example())
    content = (tmp_path / 'a.npy').read_bytes()
    before, after = b'\x8c\x16numpy._core.multiarray', b'\x8c\x15numpy.core.multiarray'
    assert before in content
    start = content.index(b'\x80')
    # Without the frame, whose length would be one off.
    (tmp_path / 'a.npy').write_bytes(content[: start + 2] + content[start + 11 :].replace(before, after))
    assert_same(read_npy_object(tmp_path / 'a.npy'), example())


def test_scalars_and_tensors_become_numbers_and_arrays(tmp_path):
    tensor = torch.arange(12.0).reshape(3, 4)
    value = {
        'scalar': np.float32(0.5),
        np.int64(2): 1,
        't': tensor,
        'view': tensor[1:, ::2].T,
        'keys': torch.tensor([3]),
    }
    value['ordered'] = collections.OrderedDict(a=1)
    np.save(tmp_path / 'a.npy', value)
    found = read_npy_object(tmp_path / 'a.npy')
    assert found['scalar'] == 0.5 and found[2] == 1 and found['ordered'] == {'a': 1}
    for name in ('t', 'view', 'keys'):
        np.testing.assert_array_equal(found[name], value[name].numpy())


def test_plain_array(tmp_path):
    np.save(tmp_path / 'a.npy', np.arange(3))
    np.testing.assert_array_equal(read_npy_object(tmp_path / 'a.npy'), np.arange(3))


def attacks(marker):
    command = f'touch {marker}'
    yield 'os.system', Call(os.system, command)
    yield 'eval', Call(eval, f'__import__("os").system("{command}")')
    yield 'inside a dict', {0: np.zeros((2, 2)), 1: Call(os.system, command)}
    yield 'getattr', Call(getattr, 'text', 'upper')
    yield 'inside a tensor', {'keys': Call(torch.storage._load_from_bytes, legacy_torch_file(Call(os.system, command)))}
    yield 'state for a function', Call(collections.OrderedDict, state={'__call__': 1})
    yield 'class of its own', Seedlike()
    yield 'date', __import__('datetime').date(2020, 1, 1)


class Seedlike:
    pass


def legacy_torch_file(value):
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def test_code_is_refused_and_not_run(tmp_path):
    marker = tmp_path / 'ran'
    for name, value in attacks(marker):
        path = tmp_path / 'evil.npy'
        np.save(path, np.array(value, dtype=object))
        with pytest.raises(DataError, match=r'evil\.npy: expected a \.npy file of arrays, dicts and numbers'):
            read_npy_object(path)
        assert not marker.exists(), name


def test_opcodes_that_name_code_or_reach_outside(tmp_path):
    path = tmp_path / 'evil.npy'
    for pickled in (
        b'cos\nsystem\n.',
        b"(S'touch x'\nios\nsystem\n.",
        b'cnumpy\nload\n.',
        b'cnumpy.core.multiarray\n_reconstruct.__globals__\n.',
        b'Pabc\n.',
        b'cnumpy\ndtype\n(N}S"__call__"\nI1\nstb.',
    ):
        path.write_bytes(npy(pickled))
        with pytest.raises(DataError, match=r'evil\.npy'):
            read_npy_object(path)


def test_numbers_that_do_not_fit_their_bytes(tmp_path):
    path, storage = tmp_path / 'a.npy', torch.zeros(4).storage()
    rebuild = torch._utils._rebuild_tensor_v2
    hooks = collections.OrderedDict()
    frombuffer = np.zeros(3).__reduce_ex__(5)[0]
    for value in (
        Call(rebuild, storage, 0, (3, 3), (3, 1), False, hooks),
        Call(rebuild, storage, 3, (2,), (1,), False, hooks),
        Call(rebuild, storage, 0, (1 << 40,), (0,), False, hooks),
        Call(rebuild, storage, -1, (1,), (1,), False, hooks),
        Call(frombuffer, b'1234', np.dtype('f4'), (1 << 40,), 'C'),
        Call(frombuffer, b'', np.dtype('f4'), (0,) * 40, 'C'),
        Call(frombuffer, b'1234', np.dtype('f4'), (-1,), 'C'),
        np.array([{}, {}], dtype=object),
        np.array(['text']),
    ):
        path.write_bytes(npy(pickle.dumps(value, 4)))
        with pytest.raises(DataError, match=r'a\.npy'):
            read_npy_object(path)


def test_damage_is_never_a_crash(tmp_path):
    path, rng = tmp_path / 'a.npy', np.random.default_rng(0)
    np.save(path, {**example(), 'keys': torch.tensor([1])})
    whole = path.read_bytes()
    for length in range(0, len(whole), 29):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r'a\.npy'):
            read_npy_object(path)
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            read_npy_object(path)
        except DataError as error:
            assert 'a.npy' in str(error)


def test_what_is_there_many_times_is_read_once(tmp_path):
    value = [1.5] * 1000
    for _ in range(5):
        value = [value] * 1000
    np.save(tmp_path / 'a.npy', {'a': value})
    found = read_npy_object(tmp_path / 'a.npy')['a']
    assert found[0] is found[999] and found[3][2][1][0][5][7] == 1.5


def test_missing_and_nested(tmp_path):
    with pytest.raises(DataError, match=r'absent\.npy'):
        read_npy_object(tmp_path / 'absent.npy')
    loop = []
    loop.append(loop)
    np.save(tmp_path / 'loop.npy', {'a': loop})
    with pytest.raises(DataError, match=r'loop\.npy.*nested too deeply'):
        read_npy_object(tmp_path / 'loop.npy')


def malformed():
    reconstruct, frombuffer = np.zeros(3).__reduce__()[0], np.zeros(3).__reduce_ex__(5)[0]
    read_storage, rebuild = torch.storage._load_from_bytes, torch._utils._rebuild_tensor_v2
    yield "array of type 'V8'", Call(np.dtype, 'V8', False, True)
    yield 'an unknown byte order', Call(np.dtype, 'f4', False, True, state=(3, '?', None, None, None, -1, -1, 0))
    yield 'array without a type', Call(reconstruct, np.ndarray, (0,), b'b', state=(1, (1,), 'f4', False, b'1234'))
    yield 'array without its bytes', Call(frombuffer, 'text', np.dtype('f4'), (1,), 'C')
    yield 'array without its bytes', Call(frombuffer, b'1234', np.dtype('f4'), (1,), 'K')
    yield "text in 'utf-8'", Call(codecs.encode, 'text', 'utf-8')
    yield 'a tensor without its bytes', Call(read_storage, 'text')
    yield 'no storage', Call(read_storage, legacy_torch_file([1]))
    yield 'a tensor without a storage', Call(rebuild, 5, 0, (1,), (1,), False, collections.OrderedDict())
    yield 'a call of numpy.ndarray', Call(np.ndarray, (2,))


@pytest.mark.parametrize('expected, value', list(malformed()))
def test_arguments_of_what_is_allowed_are_checked(tmp_path, expected, value):
    (tmp_path / 'a.npy').write_bytes(npy(pickle.dumps(value, 4)))
    with pytest.raises(DataError, match=expected):
        read_npy_object(tmp_path / 'a.npy')


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr('mmwsss.fileio.restricted_pickle._MAX_BYTES', 100)
    np.save(tmp_path / 'a.npy', example())
    with pytest.raises(DataError, match='more than a gibibyte'):
        read_npy_object(tmp_path / 'a.npy')
