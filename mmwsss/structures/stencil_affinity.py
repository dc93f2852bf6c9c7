from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmwsss.ops import random_walk

from .files import AffinityField


@dataclass(frozen=True)
class StencilAffinity:
    """Affinities of near cells, a stencil for each cell of a grid.

    Attributes:
        field (Tensor): (B, P, h, w) in [0, 1], as of :func:`mmwsss.ops.pairwise_affinity`.
        covered_size (tuple[int, int]): Height and width in pixels of the input that the grid covers, before padding.
        stride (int): Pixels of the input a cell.
    """

    field: Tensor
    covered_size: tuple[int, int]
    stride: int

    @classmethod
    def of_file(cls, field: AffinityField, device: torch.device | str = 'cpu') -> 'StencilAffinity':
        """The affinities of one image as its file holds them, a batch of one."""
        return cls(torch.as_tensor(field.affinity, device=device)[None], field.size, field.stride)

    def to_file(self) -> AffinityField:
        """What the file of one image holds, of a batch of one."""
        return AffinityField(self.field[0].float().cpu().numpy(), self.covered_size, self.stride)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return self.field.shape[2], self.field.shape[3]

    def of_image(self, index: int) -> 'StencilAffinity':
        """The affinities of one image, a batch of one."""
        return StencilAffinity(self.field[index : index + 1], self.covered_size, self.stride)

    def propagate(self, maps: Tensor, num_steps: int, beta: float = 1.0, method: str = 'auto') -> Tensor:
        """Lets maps (B, K, h, w) of the grid walk; see :func:`mmwsss.ops.random_walk`."""
        return random_walk(maps, self.field.to(maps.dtype), beta, num_steps, method)

    def __reduce__(self) -> tuple[Callable, tuple[Any, ...]]:
        """Arrays go to another process by value, tensors would by shared memory that both must keep open."""
        return _rebuild, (self.field.float().cpu().numpy(), self.covered_size, self.stride)


def _rebuild(field: np.ndarray, covered_size: tuple[int, int], stride: int) -> StencilAffinity:
    return StencilAffinity(torch.from_numpy(field), covered_size, stride)
