"""Reads ``.npy`` files that hold a pickled object, as far as it is made of arrays, tensors, numbers and containers.

``numpy.load(allow_pickle=True)`` and ``pickle.load`` run whatever code a file names. Here, nothing that a file names
is looked up: a few names stand for functions of this module, which rebuild arrays from their bytes and check each
argument, and any other name is refused.
"""

import io
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
from mmengine import fileio

from .errors import DataError

_MAX_BYTES = 1 << 30
_MAX_AXES = 8


class _Allowed:
    """A callable that pickled state cannot change."""

    __slots__ = ('_function',)

    def __init__(self, function: Callable) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError('state for a function')


class _Dtype:
    """Stands for a numpy.dtype: a number type by its code, byte order set by pickled state."""

    __slots__ = ('code', 'order')

    def __init__(self, code: str, *_: Any) -> None:
        if not isinstance(code, str) or code[:1] not in 'biufO' or not code[1:].isdigit():
            raise pickle.UnpicklingError(f'array of type {code!r}')
        self.code, self.order = code, '='

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ('<', '>', '|', '='):
            raise pickle.UnpicklingError('an unknown byte order')
        self.order = state[1]

    def resolve(self) -> np.dtype:
        if self.code.startswith('O'):
            raise pickle.UnpicklingError('an array of objects within another')
        return np.dtype(self.order + self.code)


class _Array:
    """Stands for a numpy.ndarray; pickled state fills it in."""

    __slots__ = ('value',)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, content = state
        if not isinstance(dtype, _Dtype):
            raise pickle.UnpicklingError('an array without a type')
        if dtype.code.startswith('O'):
            if shape != () or not isinstance(content, list) or len(content) != 1:
                raise pickle.UnpicklingError(f'an array of objects of shape {shape!r}')
            self.value = content[0]
        else:
            self.value = _array(content, dtype, shape, 'F' if fortran else 'C')


def _array(content: bytes, dtype: _Dtype, shape: tuple[int, ...], order: Literal['C', 'F']) -> np.ndarray:
    """An array of bytes whose number fits its shape."""
    if not isinstance(content, bytes | bytearray) or not isinstance(dtype, _Dtype) or order not in ('C', 'F'):
        raise pickle.UnpicklingError('an array without its bytes')
    if not isinstance(shape, tuple) or len(shape) > _MAX_AXES or not all(type(n) is int and n >= 0 for n in shape):
        raise pickle.UnpicklingError(f'an array of shape {shape!r}')
    kind = dtype.resolve()
    if math.prod(shape) * kind.itemsize != len(content):
        raise pickle.UnpicklingError(f'{len(content)} bytes for an array of shape {shape}')
    return np.frombuffer(content, kind).reshape(shape, order=order)


def _scalar(dtype: _Dtype, content: bytes) -> bool | int | float:
    return _array(content, dtype, (), 'C').item()


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    """How old pickles hold bytes."""
    if not isinstance(text, str) or encoding not in ('latin1', 'latin-1'):
        raise pickle.UnpicklingError(f'text in {encoding!r}')
    return text.encode('latin1')


def _storage(content: bytes) -> Any:
    """The numbers of a tensor, read by torch without unpickling objects, on the CPU."""
    import torch

    if not isinstance(content, bytes):
        raise pickle.UnpicklingError('a tensor without its bytes')
    storage = torch.load(io.BytesIO(content), map_location='cpu', weights_only=True)
    if not isinstance(storage, torch.storage.TypedStorage):
        raise pickle.UnpicklingError('a tensor whose bytes are no storage')
    return storage


def _tensor(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> np.ndarray:
    import torch

    if not isinstance(storage, torch.storage.TypedStorage):
        raise pickle.UnpicklingError('a tensor without a storage')
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or len(size) > _MAX_AXES or not all(type(n) is int and n >= 0 for n in numbers):
        raise pickle.UnpicklingError(f'a tensor of size {size!r} and stride {stride!r}')
    last = offset + sum((n - 1) * jump for n, jump in zip(size, stride)) if all(size) else -1
    # A stride of 0 would make a small file an array of any size.
    flat = torch.tensor([], dtype=storage.dtype).set_(storage)
    if last >= flat.numel() or math.prod(size) > flat.numel():
        raise pickle.UnpicklingError(f'a tensor of size {size} beyond its {flat.numel()} numbers')
    flat = flat.float() if flat.dtype == torch.bfloat16 else flat
    return np.ascontiguousarray(torch.as_strided(flat, size, stride, offset).numpy())


def _functions() -> dict[tuple[str, str], Any]:
    functions: dict[tuple[str, str], Callable[..., Any]] = {
        ('numpy', 'ndarray'): lambda *_: _refuse('numpy.ndarray'),
        ('numpy', 'dtype'): _Dtype,
        ('_codecs', 'encode'): _encode,
        ('__builtin__', 'bytes'): lambda: b'',
        ('collections', 'OrderedDict'): lambda *items: dict(*items),
        ('torch.storage', '_load_from_bytes'): _storage,
        ('torch._utils', '_rebuild_tensor_v2'): _tensor,
    }
    for core in ('numpy.core', 'numpy._core'):
        functions[core + '.multiarray', '_reconstruct'] = lambda *_: _Array()
        functions[core + '.multiarray', 'scalar'] = _scalar
        functions[core + '.numeric', '_frombuffer'] = _array
    return {name: _Allowed(function) for name, function in functions.items()}


def _refuse(name: str) -> NoReturn:
    raise pickle.UnpicklingError(f'a call of {name}')


class _RestrictedUnpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._functions = _functions()

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._functions[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f'{module}.{name}, which is none of them') from None

    def persistent_load(self, _: Any) -> NoReturn:
        raise pickle.UnpicklingError('a reference to outside the file')


def _plain(value: Any, known: dict[int, Any], depth: int = 0) -> Any:
    """The value with arrays in the place of what stands for them; what is there many times is made once."""
    if depth > _MAX_AXES:
        raise pickle.UnpicklingError('containers nested too deeply')
    if value is None or isinstance(value, bool | int | float | str | np.ndarray):
        return value
    if id(value) not in known:
        if isinstance(value, _Array):
            plain = _plain(value.value, known, depth + 1)
        elif isinstance(value, dict):
            plain = {_plain(key, known, depth + 1): _plain(item, known, depth + 1) for key, item in value.items()}
        elif isinstance(value, list | tuple):
            plain = [_plain(item, known, depth + 1) for item in value]
        else:
            raise pickle.UnpicklingError(f'a {type(value).__name__}, which is none of them')
        known[id(value)] = plain
    return known[id(value)]


def read_npy_object(path: str | Path) -> Any:
    """Read the object that ``numpy.save`` pickled, or the array that it wrote, without running anything of the file.

    Args:
        path (str | Path): A ``.npy`` file.

    Returns:
        dicts and lists of numbers, text and arrays. Tensors come as arrays, tuples as lists, numpy's scalars as
        numbers.

    Raises:
        DataError: If the file is missing, cut off, takes more than a gibibyte, or holds anything else.
    """
    try:
        content = fileio.get(str(path))
        if len(content) > _MAX_BYTES:
            raise ValueError('more than a gibibyte')
        file = io.BytesIO(content)
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        dtype = read_header(file)[2]
        if not dtype.hasobject:
            return np.load(io.BytesIO(content), allow_pickle=False)
        value = _RestrictedUnpickler(file).load()
        return _plain(value, {})
    except Exception as error:  # damaged pickles fail in a dozen ways
        raise DataError(f'{path}: expected a .npy file of arrays, dicts and numbers, got {error}') from error
