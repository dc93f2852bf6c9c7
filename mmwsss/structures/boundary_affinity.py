from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .stencil_affinity import StencilAffinity


@dataclass(frozen=True)
class BoundaryAffinity(StencilAffinity):
    """Affinities that were made of class boundaries, which are also places where no walk begins.

    Attributes:
        edge (Tensor): (B, 1, h, w) in [0, 1], the probability that a cell lies on a boundary.
    """

    edge: Tensor

    def of_image(self, index: int) -> 'BoundaryAffinity':
        """The affinities of one image, a batch of one."""
        one = slice(index, index + 1)
        return BoundaryAffinity(self.field[one], self.covered_size, self.stride, self.edge[one])

    def propagate(self, maps: Tensor, num_steps: int, beta: float = 1.0, method: str = 'auto') -> Tensor:
        """Lets what maps (B, K, h, w) hold beside the boundaries, ``maps * (1 - edge)``, walk."""
        inside = maps * (1 - self.edge.to(device=maps.device, dtype=maps.dtype))
        return super().propagate(inside, num_steps, beta, method)

    def __reduce__(self) -> tuple[Callable, tuple[Any, ...]]:
        """Arrays go to another process by value, tensors would by shared memory that both must keep open."""
        arrays = self.field.float().cpu().numpy(), self.edge.float().cpu().numpy()
        return _rebuild, (*arrays, self.covered_size, self.stride)


def _rebuild(field: np.ndarray, edge: np.ndarray, covered_size: tuple[int, int], stride: int) -> BoundaryAffinity:
    return BoundaryAffinity(torch.from_numpy(field), covered_size, stride, torch.from_numpy(edge))
