import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from mmengine import fileio

from mmwsss.ops import edge_to_affinity
from mmwsss.ops.affinity import radius_of
from mmwsss.structures import AffinityField, BoundaryAffinity, StencilAffinity, affinity_of_file

from .atomic import atomic_write
from .errors import DataError

_MAX_BYTES = 1 << 30
_LEVELS = 255
# Cells as far apart as this are not compared by any method.
_MAX_RADIUS = 64


def quantize_affinity(affinity: np.ndarray) -> np.ndarray:
    """Affinities in [0, 1] as uint8, rounded to 1 / 255: the error is at most 0.002."""
    return np.rint(np.asarray(affinity, np.float32) * _LEVELS).astype(np.uint8)


def restore_affinity(affinity: np.ndarray) -> np.ndarray:
    """Affinities of :func:`quantize_affinity` as float32 in [0, 1]."""
    return affinity.astype(np.float32) / _LEVELS


def as_stored(affinity: StencilAffinity) -> StencilAffinity:
    """Affinities of one image, a batch of one, as their file holds them: rounded, and on the same device.

    Raises:
        DataError: If they are of a kind that has more than a file holds.
    """
    if type(affinity) not in (StencilAffinity, BoundaryAffinity):
        raise DataError(
            f'test_cfg.affinity_dir: a file does not hold all of a {type(affinity).__name__}; set affinity_dir=None'
        )
    return affinity_of_file(_field_of(_arrays_of(affinity.to_file())), affinity.field.device)


def write_affinity(path: str | Path, field: AffinityField) -> None:
    """Write an affinity field as a compressed ``.npz`` without pickled objects, whole or not at all.

    Affinities are stored as uint8, rounded to 1 / 255. That is P bytes a cell before compression: an image of
    320 x 240 pixels with stride 8 and radius 5 takes 41 kB at most. Of affinities that were made of boundaries, the
    boundaries take their place, one byte a cell, and displacements are stored in float16, four bytes a cell.

    Args:
        path (str | Path): Target ``.npz``.
        field (AffinityField): What to write; what is uint8, as of :func:`quantize_affinity`, is
            written as it is.

    Raises:
        ValueError: If the arrays are not what :class:`AffinityField` says.
    """
    for name in ('affinity', 'edge'):
        values = getattr(field, name)
        if values is not None and values.dtype != np.uint8 and not ((values >= 0) & (values <= 1)).all():
            raise ValueError(f'affinities for {path} must be in [0, 1]')
    arrays = _arrays_of(field)
    problem = _problem(arrays)
    if problem:
        raise ValueError(f'affinities cannot be written to {path}: expected {problem}')
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # Stubs take the arrays for a flag.
    atomic_write(path, buffer.getvalue())


def read_affinity(path: str | Path) -> AffinityField:
    """Read what :func:`write_affinity` wrote.

    Raises:
        DataError: If the file is missing, cut off, its arrays are no affinities, or they take more than a gibibyte.
    """
    try:
        with np.load(io.BytesIO(fileio.get(str(path))), allow_pickle=False) as file:
            if sum(member.file_size for member in file.zip.infolist()) > _MAX_BYTES:
                raise ValueError('arrays of more than a gibibyte')
            names = ['edge', 'radius'] if 'edge' in file else ['affinity']
            names += ['displacement'] if 'displacement' in file else []
            arrays = {name: file[name] for name in (*names, 'size', 'stride')}
    except Exception as error:  # zipfile, zlib and numpy fail on damaged files in a dozen ways
        raise DataError(f'{path}: expected affinities (.npz with affinity, size and stride), got {error}') from error
    problem = _problem(arrays)
    if problem:
        raise DataError(f'{path}: expected {problem}')
    return _field_of(arrays)


def _arrays_of(field: AffinityField) -> dict[str, np.ndarray]:
    """The arrays that a file holds."""
    arrays = dict(size=np.asarray(field.size, np.int32), stride=np.asarray(field.stride, np.int32))
    if field.edge is None:
        return dict(affinity=_quantized(field.affinity), **arrays)
    arrays.update(edge=_quantized(field.edge), radius=np.asarray(radius_of(len(field.affinity)), np.int32))
    if field.displacement is not None:
        arrays['displacement'] = np.asarray(field.displacement, np.float16)
    return arrays


def _quantized(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    return values if values.dtype == np.uint8 else quantize_affinity(values)


def _field_of(arrays: Mapping[str, np.ndarray]) -> AffinityField:
    """What the arrays of a file stand for."""
    size, stride = (int(arrays['size'][0]), int(arrays['size'][1])), int(arrays['stride'])
    if 'edge' not in arrays:
        return AffinityField(restore_affinity(arrays['affinity']), size, stride)
    edge = restore_affinity(arrays['edge'])
    affinity = edge_to_affinity(torch.from_numpy(edge)[None, None], int(arrays['radius']))[0].numpy()
    displacement = arrays['displacement'].astype(np.float32) if 'displacement' in arrays else None
    return AffinityField(affinity, size, stride, edge, displacement)


def _problem(arrays: Mapping[str, np.ndarray]) -> str | None:
    """What arrays should have been, and are, that are no :class:`AffinityField`."""
    size, stride, displacement = arrays['size'], arrays['stride'], arrays.get('displacement')
    values = arrays['edge'] if 'edge' in arrays else arrays['affinity']
    kinds: tuple = (values.dtype, values.ndim, size.dtype.kind, size.shape, stride.dtype.kind, stride.shape)
    if kinds != (np.uint8, 2 if 'edge' in arrays else 3, 'i', (2,), 'i', ()) or 0 in values.shape:
        axes = 'edge (h, w)' if 'edge' in arrays else 'affinity (P, h, w)'
        return (
            f'uint8 {axes}, integer size (2,) and stride, got {values.dtype} {values.shape}, '
            f'{size.dtype} {size.shape} and {stride.dtype} {stride.shape}'
        )
    if 'edge' in arrays and not (arrays['radius'].shape == () and 2 <= arrays['radius'] <= _MAX_RADIUS):
        return f'a radius from 2 to {_MAX_RADIUS}, got {arrays["radius"]}'
    if displacement is not None and (
        displacement.dtype != np.float16
        or displacement.shape != (2, *values.shape[-2:])
        or not np.isfinite(displacement).all()
    ):
        expected = (2, *values.shape[-2:])
        return f'finite float16 displacements {expected}, got {displacement.dtype} {displacement.shape}'
    if size.min() < 1 or stride < 1:
        return f'a positive size and stride, got {size.tolist()} and {stride}'
    cells = tuple(-(-int(side) // int(stride)) for side in size)
    grid = values.shape[-2:]
    if not (grid[0] >= cells[0] and grid[1] >= cells[1]):
        return f'at least {cells} cells of {stride} pixels for {size.tolist()} pixels, got {grid}'
    return None
