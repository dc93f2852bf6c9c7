"""The permutohedral lattice compiled for the CPU by numba: its vertices are found by hashing and not by sorting, and
values are filtered without a copy for each of the corners."""

import numpy as np
import torch
from torch import Tensor

from .compiled import compiled

_compile = compiled(nogil=True, fastmath={'contract', 'nsz'})


@_compile
def _place(table: np.ndarray, keys: np.ndarray, key: int, shift: np.uint64) -> np.int64:
    """Where a key is in a hash table of indices to ``keys``, or would be."""
    mask = len(table) - 1
    at = np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> shift)
    while table[at] >= 0 and keys[table[at]] != key:
        at = (at + 1) & mask
    return at


@_compile
def _index(packed: np.ndarray, steps: np.ndarray, bits: int, rows: np.ndarray) -> np.ndarray:
    """Numbers the keys (N,) as they come, into ``rows``, and gives the numbers of their neighbors (D, 2, M)."""
    shift, count = np.uint64(64 - bits), 0
    table, keys = np.full(2**bits, -1, np.int32), np.empty(len(packed), np.int64)
    for i in range(len(packed)):
        at = _place(table, keys, packed[i], shift)
        if table[at] < 0:
            table[at] = count
            keys[count] = packed[i]
            count += 1
        rows[i] = table[at]
    neighbors = np.empty((len(steps), 2, count), np.int32)
    for direction in range(len(steps)):
        for side in range(2):
            step = steps[direction] if side == 0 else -steps[direction]
            for m in range(count):
                found = table[_place(table, keys, keys[m] + step, shift)]
                neighbors[direction, side, m] = count if found < 0 else found
    return neighbors


def index_vertices(packed: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers vertices and finds their neighbors.

    Args:
        packed (Tensor): int64 (N, d + 1) on the CPU, the key of each vertex of each point, at least 0; so are those of
            their neighbors.
        steps (Tensor): int64 (d + 1,), what the key of a neighbor has more in each direction, and less on the other
            side.

    Returns:
        tuple[Tensor, Tensor]: int32 (N, d + 1), the number of each vertex, of M different ones; and int32
        (d + 1, 2, M), the numbers of their neighbors on both sides, M where there is none.

    Examples:
        >>> rows, neighbors = index_vertices(torch.tensor([[7, 9], [9, 8]]), torch.tensor([1, 5]))
        >>> rows.tolist(), neighbors[0].tolist()
        ([[0, 1], [1, 2]], [[2, 3, 1], [3, 2, 0]])
    """
    rows = torch.empty(packed.shape, dtype=torch.int32)
    bits = max(4, (2 * packed.numel()).bit_length())
    neighbors = _index(packed.contiguous().view(-1).numpy(), steps.numpy(), bits, rows.view(-1).numpy())
    return rows, torch.from_numpy(neighbors)


@_compile
def _filter(
    values: np.ndarray, vertices: np.ndarray, weights: np.ndarray, neighbors: np.ndarray, scale: float, out: np.ndarray
) -> None:
    """Spreads values (N, K) to vertices, blurs them along each direction, and reads them back into ``out``."""
    points, corners = vertices.shape
    count, channels = neighbors.shape[2], values.shape[1]
    # The last row is that of all vertices that are not there, and stays zero.
    lattice, blurred = np.zeros((count + 1, channels), values.dtype), np.zeros((count + 1, channels), values.dtype)
    for n in range(points):
        for c in range(corners):
            vertex, weight = vertices[n, c], weights[n, c]
            for k in range(channels):
                lattice[vertex, k] += weight * values[n, k]
    half = values.dtype.type(0.5)
    for direction in range(corners):
        for m in range(count):
            before, after = neighbors[direction, 0, m], neighbors[direction, 1, m]
            for k in range(channels):
                blurred[m, k] = lattice[m, k] + half * (lattice[before, k] + lattice[after, k])
        lattice, blurred = blurred, lattice
    for n in range(points):
        for k in range(channels):
            out[n, k] = 0
        for c in range(corners):
            vertex, weight = vertices[n, c], values.dtype.type(scale * weights[n, c])
            for k in range(channels):
                out[n, k] += weight * lattice[vertex, k]


def filter_values(values: Tensor, vertices: Tensor, weights: Tensor, neighbors: Tensor, scale: float) -> Tensor:
    """Filters values of points.

    Args:
        values (Tensor): float32 or float64 (N, K) on the CPU.
        vertices (Tensor): Integer (N, d + 1), rows of the vertices of each point.
        weights (Tensor): (N, d + 1), dtype of the values.
        neighbors (Tensor): Integer (d + 1, 2, M), rows of the neighbors of each vertex; M is no vertex.
        scale (float): Factor of the result.

    Returns:
        Tensor: (N, K).

    Examples:
        >>> vertices, weights = torch.tensor([[0, 1]]), torch.tensor([[0.5, 0.5]])
        >>> neighbors = torch.tensor([[[1, 2], [2, 0]], [[2, 0], [1, 2]]])
        >>> filter_values(torch.ones(1, 1), vertices, weights, neighbors, scale=1.0).tolist()
        [[1.125]]
    """
    out = torch.empty_like(values, memory_format=torch.contiguous_format)
    arrays = (one.detach().contiguous().numpy() for one in (values, vertices, weights, neighbors))
    _filter(*arrays, scale, out.numpy())
    return out
