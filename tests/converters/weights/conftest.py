"""The published AffinityNet networks, recorded, with their weights, and writers of MXNet's and Caffe's files."""

import os
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

DATA = Path(__file__).parents[2] / 'data'
RECORDED = DATA / 'psa_networks.npz'


class RecordedNetworks:
    """Outputs of the recording and, by the rule it was made with, its weights."""

    def __init__(self, arrays):
        self.arrays = arrays
        self.made = {}

    @property
    def image(self):
        return torch.from_numpy(self.arrays['image_nchw'])

    def shapes(self, network):
        """Names and shapes of ``resnet38_cls``, ``resnet38_aff``, ``vgg16_cls`` or ``vgg16_aff``."""
        shapes = {}
        for line in self.arrays[f'{network}/keys']:
            name, shape = str(line).split(' ', 1)
            shapes[name] = tuple(int(side) for side in shape.strip('()').split(',') if side.strip())
        return shapes

    def weights(self, network):
        for name, shape in self.shapes(network).items():
            if (name, shape) not in self.made:
                self.made[name, shape] = self._tensor(name, shape)
        return {name: self.made[name, shape] for name, shape in self.shapes(network).items()}

    def _tensor(self, name, shape):
        generator = torch.Generator().manual_seed(zlib.crc32(f'{int(self.arrays["salt"])}/{name}'.encode()))
        if name.endswith('num_batches_tracked'):
            return torch.zeros((), dtype=torch.int64)
        if name.endswith('running_var'):
            return torch.rand(shape, generator=generator) + 0.5
        if name.endswith(('running_mean', 'bias')):
            return torch.randn(shape, generator=generator) * 0.1
        if len(shape) == 1:
            return torch.rand(shape, generator=generator) * 0.5 + 0.5
        values = torch.randn(shape, generator=generator)
        return values.mul_((1 / values[0].numel()) ** 0.5)

    def check(self, name, output):
        """Compares an output with the samples of the recording, to 1e-4."""
        assert tuple(output.shape) == tuple(self.arrays[f'{name}/shape'])
        values = output.detach().flatten()
        expected = torch.from_numpy(self.arrays[f'{name}/sample'])
        torch.testing.assert_close(values[:: max(1, values.numel() // 4096)], expected, rtol=0, atol=1e-4)


@pytest.fixture(scope='module')
def networks():
    if not RECORDED.exists():
        pytest.skip(f'no recording of the published networks at {RECORDED}')
    with np.load(RECORDED, allow_pickle=False) as file:
        return RecordedNetworks({key: file[key] for key in file.files})


@pytest.fixture(scope='module')
def recorded_network():
    """``recorded_network('seam_net', 'seam_reference.npz')``: networks of further methods.

    The environment variable METHODS_ORACLES names another archive.
    """

    def make(group, file):
        path = Path(os.environ.get('METHODS_ORACLES') or DATA / file)
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files if key.startswith(f'{group}/')}
        if not arrays:
            pytest.skip(f'{path} holds no group {group}')
        return RecordedNetworks(arrays | {key: arrays[f'{group}/{key}'] for key in ('salt', 'image_nchw')})

    return make


MXNET_DTYPES = {np.dtype(np.float32): 0, np.dtype(np.float16): 2, np.dtype(np.int64): 6}
MXNET_VERSIONS = dict(legacy=None, v1=0xF993FAC8, v2=0xF993FAC9, v3=0xF993FACA)


def mxnet_file(arrays, version='v2', storage=0):
    magic = MXNET_VERSIONS[version]
    data = struct.pack('<QQQ', 0x112, 0, len(arrays))
    for array in arrays.values():
        data += b'' if magic is None else struct.pack('<I', magic)
        data += struct.pack('<i', storage) if version in ('v2', 'v3') else b''
        sides = 'I' if magic is None else 'q'
        data += struct.pack(f'<I{array.ndim}{sides}', array.ndim, *array.shape)
        data += struct.pack('<iii', 1, 0, MXNET_DTYPES[array.dtype]) + array.tobytes()
    data += struct.pack('<Q', len(arrays))
    return data + b''.join(struct.pack('<Q', len(name)) + name.encode() for name in arrays)


def varint(number):
    data = b''
    while number >= 0x80:
        data, number = data + bytes([number & 0x7F | 0x80]), number >> 7
    return data + bytes([number])


def field(number, value):
    """A protobuf field: a number, or bytes of a message or text."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def caffe_blob(array, kind='packed'):
    if kind == 'legacy':
        sides = (*[1] * (4 - array.ndim), *array.shape)
        shape = b''.join(field(number, side) for number, side in enumerate(sides, 1))
    elif kind == 'unpacked':
        shape = field(7, b''.join(field(1, side) for side in array.shape))
    else:
        shape = field(7, field(1, b''.join(map(varint, array.shape))))
    if kind == 'unpacked':
        return b''.join(varint(5 << 3 | 5) + struct.pack('<f', value) for value in array.flat) + shape
    return shape + field(5, array.astype('<f4').tobytes())


def caffe_file(layers, kind='packed'):
    """``layers``: arrays of a weight and a bias by the layer's name."""
    data = field(1, b'net') + field(5, 1)
    for name, blobs in layers.items():
        blobs = [caffe_blob(blob, kind) for blob in blobs]
        if kind == 'legacy':
            layer = field(2, b'data') + b''.join(field(6, blob) for blob in blobs) + field(4, name.encode())
            data += field(2, field(5, 4) + layer)
        else:
            layer = field(1, name.encode()) + field(2, b'Convolution')
            data += field(100, layer + b''.join(field(7, blob) for blob in blobs))
    return data


@pytest.fixture(scope='session')
def writers():
    """``mxnet(arrays, version, storage)`` and ``caffe(layers, kind)`` give the bytes of a file."""
    return SimpleNamespace(mxnet=mxnet_file, caffe=caffe_file, field=field, varint=varint)
