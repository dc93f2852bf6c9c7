from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .files import AffinityField
from .stencil_affinity import StencilAffinity


@dataclass(frozen=True)
class BoundaryAffinity(StencilAffinity):
    """Affinities that were made of class boundaries, which are also places where no walk begins.

    Attributes:
        edge (Tensor): (B, 1, h, w) in [0, 1], the probability that a cell lies on a boundary.
        displacement (Tensor, optional): (B, 2, h, w), from each cell to the center of its object, (dy, dx) in cells.
            Defaults to None: they are not known.
    """

    edge: Tensor
    displacement: Tensor | None = None

    @classmethod
    def of_file(cls, field: AffinityField, device: torch.device | str = 'cpu') -> 'BoundaryAffinity':
        """The affinities of one image as its file holds them, a batch of one; of a field with an ``edge``."""
        displacement = field.displacement
        return cls(
            torch.as_tensor(field.affinity, device=device)[None],
            field.size,
            field.stride,
            torch.as_tensor(field.edge, device=device)[None, None],
            None if displacement is None else torch.as_tensor(displacement, device=device)[None],
        )

    def to_file(self) -> AffinityField:
        """What the file of one image holds, of a batch of one."""
        displacement = self.displacement
        return (
            super()
            .to_file()
            ._replace(
                edge=self.edge[0, 0].float().cpu().numpy(),
                displacement=None if displacement is None else displacement[0].float().cpu().numpy(),
            )
        )

    def of_image(self, index: int) -> 'BoundaryAffinity':
        """The affinities of one image, a batch of one."""
        one = slice(index, index + 1)
        displacement = None if self.displacement is None else self.displacement[one]
        return BoundaryAffinity(self.field[one], self.covered_size, self.stride, self.edge[one], displacement)

    def propagate(self, maps: Tensor, num_steps: int, beta: float = 1.0, method: str = 'auto') -> Tensor:
        """Lets what maps (B, K, h, w) hold beside the boundaries, ``maps * (1 - edge)``, walk."""
        inside = maps * (1 - self.edge.to(device=maps.device, dtype=maps.dtype))
        return super().propagate(inside, num_steps, beta, method)

    def __reduce__(self) -> tuple[Callable, tuple[Any, ...]]:
        """Arrays go to another process by value, tensors would by shared memory that both must keep open."""
        tensors = (self.field, self.edge, self.displacement)
        arrays = (None if one is None else one.float().cpu().numpy() for one in tensors)
        return _rebuild, (*arrays, self.covered_size, self.stride)


def _rebuild(
    field: np.ndarray, edge: np.ndarray, displacement: np.ndarray | None, covered_size: tuple[int, int], stride: int
) -> BoundaryAffinity:
    moved = None if displacement is None else torch.from_numpy(displacement)
    return BoundaryAffinity(torch.from_numpy(field), covered_size, stride, torch.from_numpy(edge), moved)


def affinity_of_file(field: AffinityField, device: torch.device | str = 'cpu') -> StencilAffinity:
    """The affinities of one image as its file holds them, with the boundaries if they were made of such."""
    return (StencilAffinity if field.edge is None else BoundaryAffinity).of_file(field, device)
