"""Files of each format, written here byte by byte."""

import io
import json
import os
import struct
from collections import OrderedDict

import numpy as np
import pytest
import torch

from mmwsss.converters.weights import read_tensors
from mmwsss.fileio import DataError

ARRAYS = {
    'arg:conv_weight': np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    'aux:half': np.array([0.5, -2], np.float16),
    'arg:count': np.array([[7]], np.int64),
}
MXNET_VERSIONS = ('legacy', 'v1', 'v2', 'v3')


def safetensors_file(tensors):
    header, body = {'__metadata__': dict(format='pt')}, b''
    dtypes = {torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16', torch.int64: 'I64'}
    for name, tensor in tensors.items():
        data = (
            bytes(tensor.contiguous().view(torch.uint8).flatten().tolist()) if tensor.ndim else tensor.numpy().tobytes()
        )
        header[name] = dict(
            dtype=dtypes[tensor.dtype], shape=list(tensor.shape), data_offsets=[len(body), len(body) + len(data)]
        )
        body += data
    text = json.dumps(header).encode()
    return struct.pack('<Q', len(text)) + text + body


def torch_file(value, **settings):
    buffer = io.BytesIO()
    torch.save(value, buffer, **settings)
    return buffer.getvalue()


LAYERS = {
    'conv1_1': (np.arange(54, dtype=np.float32).reshape(2, 3, 3, 3), np.array([1, -2], np.float32)),
    'fc7': (np.full((2, 2, 1, 1), 0.25, np.float32), np.zeros(2, np.float32)),
}
TENSORS = dict(weight=torch.arange(6.0).reshape(2, 3), half=torch.ones(2).bfloat16(), count=torch.tensor(3))
KINDS = ('mxnet', 'caffe', 'safetensors', 'pytorch', 'pytorch_legacy')


@pytest.fixture
def files(writers):
    """A file of each kind, as bytes."""
    return dict(
        mxnet=writers.mxnet(ARRAYS),
        caffe=writers.caffe(LAYERS),
        safetensors=safetensors_file(TENSORS),
        pytorch=torch_file(TENSORS),
        pytorch_legacy=torch_file(TENSORS, _use_new_zipfile_serialization=False),
    )


@pytest.fixture
def read(tmp_path):
    def read_bytes(data):
        path = tmp_path / 'weights'
        path.write_bytes(data)
        return read_tensors(path)

    return read_bytes


@pytest.mark.parametrize('version', MXNET_VERSIONS)
def test_mxnet(read, writers, version):
    tensors = read(writers.mxnet(ARRAYS, version))
    assert list(tensors) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(tensors[name].numpy(), array)
        assert tensors[name].numpy().dtype == array.dtype


def test_mxnet_sparse_arrays_are_refused(read, writers):
    with pytest.raises(DataError, match='MXNet.*sparse'):
        read(writers.mxnet(ARRAYS, storage=1))


@pytest.mark.parametrize('kind', ['packed', 'unpacked', 'legacy'])
def test_caffe(read, writers, kind):
    tensors = read(writers.caffe(LAYERS, kind))
    assert list(tensors) == ['conv1_1.weight', 'conv1_1.bias', 'fc7.weight', 'fc7.bias']
    for name, blobs in LAYERS.items():
        for leaf, blob in zip(('weight', 'bias'), blobs, strict=True):
            np.testing.assert_array_equal(tensors[f'{name}.{leaf}'].numpy(), blob)


def test_caffe_blob_of_another_size_is_refused(read, writers):
    field, varint = writers.field, writers.varint
    blob = field(7, field(1, varint(3))) + field(5, np.zeros(2, '<f4').tobytes())
    with pytest.raises(DataError, match=r'blob of shape \(3,\) has 8 bytes'):
        read(field(100, field(1, b'conv') + field(7, blob)))


def test_safetensors(read, files):
    tensors = read(files['safetensors'])
    assert list(tensors) == list(TENSORS)
    for name, tensor in TENSORS.items():
        assert torch.equal(tensors[name], tensor) and tensors[name].dtype == tensor.dtype


@pytest.mark.parametrize(
    'wrap', [dict, OrderedDict, lambda tensors: dict(state_dict=tensors, epoch=3), lambda tensors: dict(model=tensors)]
)
@pytest.mark.parametrize('zipped', [True, False])
def test_torch(read, wrap, zipped):
    parallel = {f'module.{name}': tensor for name, tensor in TENSORS.items()}
    tensors = read(torch_file(wrap(parallel), _use_new_zipfile_serialization=zipped))
    assert list(tensors) == list(TENSORS)
    assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())


class RunsCode:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize('zipped', [True, False])
def test_pickled_objects_are_not_run(read, tmp_path, zipped):
    marker = tmp_path / 'made'
    with pytest.raises(DataError, match=r'torch\.save\(model\.state_dict\(\)'):
        read(torch_file(dict(TENSORS, net=RunsCode(str(marker))), _use_new_zipfile_serialization=zipped))
    assert not marker.exists()


@pytest.mark.parametrize('value', [[1, 2], dict(), dict(lr=0.1), dict(state_dict=dict(lr=0.1))])
def test_torch_files_of_other_things(read, value):
    with pytest.raises(DataError, match='expected a state dict'):
        read(torch_file(value))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('share', [0.05, 0.5, 0.9, 0.99])
def test_files_that_are_cut_off(read, files, kind, share):
    data = files[kind]
    with pytest.raises(DataError, match='weights.*(cut off|cannot be read)'):
        read(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    'data', [b'', b'\xff' * 100, b'not weights at all', b'\x89PNG\r\n\x1a\n' + bytes(60), bytes(64)]
)
def test_other_files(read, data):
    with pytest.raises(DataError, match='weights of PyTorch, safetensors, MXNet or Caffe'):
        read(data)


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match='no such file'):
        read_tensors(tmp_path / 'none.pth')
