"""Tensors of PyTorch, safetensors, MXNet and Caffe files, without the libraries that wrote them."""

import json
import math
import os
import pickle
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmwsss.fileio import DataError
from mmwsss.fileio.checkpoints import load_from_local

_MXNET_LIST = 0x112
# Shapes of 64 bits a side, then a storage type before the shape, then numpy's meaning of a shape without sides.
_MXNET_V1, _MXNET_V2, _MXNET_V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_MXNET_DTYPES = ('<f4', '<f8', '<f2', 'u1', '<i4', 'i1', '<i8')
_SAFETENSORS_DTYPES = dict(
    F64=torch.float64,
    F32=torch.float32,
    F16=torch.float16,
    BF16=torch.bfloat16,
    I64=torch.int64,
    I32=torch.int32,
    U8=torch.uint8,
)
# Fields of Caffe's NetParameter, its layers of today and of 2014, and their blobs.
_CAFFE_LAYERS = {100: dict(name=1, blobs=7), 2: dict(name=4, blobs=6)}
_BLOB_LEGACY_SIDES, _BLOB_DATA, _BLOB_SHAPE, _BLOB_DOUBLE_DATA = (1, 2, 3, 4), 5, 7, 8
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


class _Malformed(ValueError):
    """The bytes are not of the format; the message says why."""


class _Bytes:
    """Reads forward through bytes, and fails where they end too early."""

    def __init__(self, data: bytes | memoryview) -> None:
        self.data = memoryview(data)
        self.position = 0

    def take(self, count: int) -> memoryview:
        end = self.position + count
        if count < 0 or end > len(self.data):
            raise _Malformed('it is cut off')
        taken, self.position = self.data[self.position : end], end
        return taken

    def numbers(self, kind: str, count: int = 1) -> tuple[int, ...]:
        size = struct.calcsize(f'<{kind}')
        return struct.unpack(f'<{count}{kind}', self.take(count * size))

    def varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise _Malformed('a number is longer than 64 bits')

    def at_end(self) -> bool:
        return self.position == len(self.data)


def _tensor(data: memoryview, dtype: str, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(np.frombuffer(data, dtype).reshape(shape).copy())


def _mxnet_array(source: _Bytes) -> Tensor:
    (magic,) = source.numbers('I')
    if magic in (_MXNET_V2, _MXNET_V3) and source.numbers('i') != (0,):
        raise _Malformed('it holds a sparse array')
    if magic in (_MXNET_V1, _MXNET_V2, _MXNET_V3):
        (rank,) = source.numbers('I')
        kind = 'q'
    else:
        rank, kind = magic, 'I'
    if not 0 < rank <= 32:
        raise _Malformed(f'an array has {rank} sides')
    shape = source.numbers(kind, rank)
    source.numbers('i', 2)  # The device it was saved from.
    (dtype,) = source.numbers('i')
    if not 0 <= dtype < len(_MXNET_DTYPES):
        raise _Malformed(f'an array has the unknown type {dtype}')
    if min(shape) < 0:
        raise _Malformed(f'an array has the shape {shape}')
    size = np.dtype(_MXNET_DTYPES[dtype]).itemsize * math.prod(shape)
    return _tensor(source.take(size), _MXNET_DTYPES[dtype], shape)


def _read_mxnet(data: bytes) -> dict[str, Tensor]:
    source = _Bytes(data)
    source.numbers('Q', 2)
    arrays = [_mxnet_array(source) for _ in range(source.numbers('Q')[0])]
    names = [bytes(source.take(source.numbers('Q')[0])).decode() for _ in range(source.numbers('Q')[0])]
    if len(names) != len(arrays):
        raise _Malformed(f'it has {len(names)} names of {len(arrays)} arrays')
    return dict(zip(names, arrays))


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Numbers and values of the fields of a protobuf message."""
    source = _Bytes(data)
    while not source.at_end():
        tag = source.varint()
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise _Malformed('a field has the number 0')
        if wire_type == _VARINT:
            yield number, source.varint()
        elif wire_type == _LENGTH:
            yield number, source.take(source.varint())
        elif wire_type in (_FIXED32, _FIXED64):
            yield number, source.take(4 if wire_type == _FIXED32 else 8)
        else:
            raise _Malformed(f'a field has the unknown wire type {wire_type}')


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise _Malformed('a number is where a message belongs')
    return value


def _number(value: int | memoryview) -> int:
    if not isinstance(value, int):
        raise _Malformed('a message is where a number belongs')
    return value


def _varints(value: int | memoryview) -> list[int]:
    """Repeated numbers, one or many packed."""
    if isinstance(value, int):
        return [value]
    source, numbers = _Bytes(value), []
    while not source.at_end():
        numbers.append(source.varint())
    return numbers


def _caffe_blob(data: memoryview) -> Tensor:
    legacy: dict[int, int] = {}
    shape: list[int] | None = None
    values: dict[int, list[memoryview]] = {_BLOB_DATA: [], _BLOB_DOUBLE_DATA: []}
    for number, value in _fields(data):
        if number in _BLOB_LEGACY_SIDES:
            legacy[number] = _number(value)
        elif number in values:
            values[number].append(_message(value))
        elif number == _BLOB_SHAPE:
            shape = [side for _, sides in _fields(_message(value)) for side in _varints(sides)]
    dtype = '<f8' if values[_BLOB_DOUBLE_DATA] else '<f4'
    content = b''.join(values[_BLOB_DOUBLE_DATA] or values[_BLOB_DATA])
    if shape is None:
        shape = [legacy.get(number, 1) for number in _BLOB_LEGACY_SIDES]
    if math.prod(shape) * np.dtype(dtype).itemsize != len(content):
        raise _Malformed(f'a blob of shape {tuple(shape)} has {len(content)} bytes')
    return _tensor(memoryview(content), dtype, tuple(shape))


def _read_caffe(data: bytes) -> dict[str, Tensor]:
    """Weights as ``layer.weight`` and ``layer.bias``."""
    tensors = {}
    for number, layer in _fields(memoryview(data)):
        if number not in _CAFFE_LAYERS:
            continue
        name, blobs = '', []
        for field, value in _fields(_message(layer)):
            if field == _CAFFE_LAYERS[number]['name']:
                name = bytes(_message(value)).decode()
            elif field == _CAFFE_LAYERS[number]['blobs']:
                blobs.append(_caffe_blob(_message(value)))
        if len(blobs) > 2:
            raise _Malformed(f'layer {name} has {len(blobs)} blobs, a convolution has a weight and a bias')
        for kind, blob in zip(('weight', 'bias'), blobs):
            # Blobs of 2014 have four sides, biases too.
            tensors[f'{name}.{kind}'] = blob.flatten() if kind == 'bias' else blob
    if not tensors:
        raise _Malformed('no layer has weights')
    return tensors


def _read_safetensors(data: bytes) -> dict[str, Tensor]:
    source = _Bytes(data)
    header = json.loads(bytes(source.take(source.numbers('Q')[0])))
    body = source.data[source.position :]
    tensors = {}
    for name, entry in header.items():
        if name == '__metadata__':
            continue
        start, end = entry['data_offsets']
        dtype = _SAFETENSORS_DTYPES[entry['dtype']]
        if not 0 <= start <= end <= len(body):
            raise _Malformed('it is cut off')
        if end - start != math.prod(entry['shape']) * dtype.itemsize:
            raise _Malformed(f'{name} of shape {entry["shape"]} has {end - start} bytes')
        # Tensors of no element have no buffer to be read from.
        values = (
            torch.frombuffer(bytearray(body[start:end]), dtype=dtype) if end > start else torch.empty(0, dtype=dtype)
        )
        tensors[name] = values.reshape(entry['shape'])
    return tensors


def _read_torch(path: str) -> dict[str, Tensor]:
    try:
        value = load_from_local(path, 'cpu')
    except DataError as error:
        if isinstance(error.__cause__, pickle.UnpicklingError):
            raise DataError(
                f'{error}; if you trust the file, load it where it was made and save its tensors alone: '
                'torch.save(model.state_dict(), path)'
            ) from error
        raise
    for key in ('state_dict', 'model'):
        if isinstance(value, dict) and isinstance(value.get(key), dict):
            value = value[key]
    if not isinstance(value, dict) or not value or not all(torch.is_tensor(tensor) for tensor in value.values()):
        raise DataError(f'{path}: expected a state dict, tensors by name, alone or as `state_dict` or `model`')
    return {str(name).removeprefix('module.'): tensor for name, tensor in value.items()}


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Reads the tensors of a file of weights; its first bytes say which format it has.

    Args:
        path (str | Path): A file of ``torch.save``, safetensors, MXNet (``.params``) or Caffe (``.caffemodel``).

    Returns:
        dict[str, Tensor]: Tensors by name. MXNet's names keep their ``arg:`` and ``aux:``, Caffe's are
        ``layer.weight`` and ``layer.bias``, and a ``module.`` of torch's parallel wrappers is taken off.

    Raises:
        DataError: If the file is missing, cut off, of none of these formats, or holds more than tensors.

    Source: the formats of ``mx.nd.save`` and of ``caffe.proto``.
    """
    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        raise DataError(f'{path}: expected a file of weights, found no such file')
    with open(path, 'rb') as file:
        start = file.read(16)
    # Zip archives, and pickles from protocol 2 on.
    if start[:4] == b'PK\x03\x04' or start[:2] in (b'\x80\x02', b'\x80\x03', b'\x80\x04', b'\x80\x05'):
        return _read_torch(path)
    if start[:8] == struct.pack('<Q', _MXNET_LIST):
        reader, writer = _read_mxnet, 'MXNet'
    elif start[8:9] == b'{':
        reader, writer = _read_safetensors, 'safetensors'
    else:
        reader, writer = _read_caffe, 'PyTorch, safetensors, MXNet or Caffe'
    try:
        return reader(Path(path).read_bytes())
    except (_Malformed, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        reason = error if isinstance(error, _Malformed) else type(error).__name__
        raise DataError(
            f'{path}: expected a whole file of weights of {writer}, it cannot be read ({reason})'
        ) from error
