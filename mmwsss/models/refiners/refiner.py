from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmwsss.fileio import read_image
from mmwsss.structures import ScoreMaps, StencilAffinity


@dataclass(frozen=True)
class RefineContext:
    """What is known of a batch of images beside its score maps; None for what is not there.

    Attributes:
        sources (sequence, optional): Of each image its file, or the image itself, uint8 (H, W, 3) RGB.
        affinity (StencilAffinity, optional): Affinities of near cells.
        features (Tensor, optional): Floating-point features (B, D, h, w) on a grid that covers the images exactly.
    """

    sources: Sequence[str | np.ndarray] | None = None
    affinity: StencilAffinity | None = None
    features: Tensor | None = None

    @cached_property
    def images(self) -> list[np.ndarray]:
        """The images, uint8 (H, W, 3) RGB each; read when they are first asked for."""
        sources = self.sources or ()
        return [read_image(one, channel_order='rgb') if isinstance(one, str) else one for one in sources]

    def image_tensor(self, device: torch.device | str) -> Tensor:
        """The images of a batch of one size, float32 (B, 3, H, W) from 0 to 255."""
        stacked = np.stack(self.images).transpose(0, 3, 1, 2)
        return torch.from_numpy(np.ascontiguousarray(stacked)).to(device, torch.float32)

    def __reduce__(self) -> tuple[Callable, tuple[Any, ...]]:
        """Arrays go to another process by value, tensors would by shared memory that both must keep open."""
        features = None if self.features is None else self.features.cpu().numpy()
        return _rebuild, (self.sources, self.affinity, features)


def _rebuild(
    sources: Sequence[str | np.ndarray] | None, affinity: StencilAffinity | None, features: np.ndarray | None
) -> RefineContext:
    return RefineContext(sources, affinity, None if features is None else torch.from_numpy(features))


class Refiner(ABC):
    """Role: makes better score maps of score maps.

    Attributes:
        needs (tuple[str, ...]): What of the :class:`RefineContext` it reads: any of 'image', 'affinity', 'features',
            'displacement'.
        on_device (bool): Whether it works on the device of the maps in a fraction of the time that a network takes, so
            that a stage runs it there and not in a process of its own.
    """

    needs: tuple[str, ...] = ()
    on_device: bool = False

    @abstractmethod
    def refine(self, maps: ScoreMaps, context: RefineContext) -> ScoreMaps:
        """Refine.

        Args:
            maps (ScoreMaps): Maps of a batch, on any grid.
            context (RefineContext): What else is known of its images; holds what :attr:`needs` names.

        Returns:
            ScoreMaps: Of the same images; possibly on another grid, and with the background in front.
        """

    def __repr__(self) -> str:
        settings = ', '.join(f'{name}={value!r}' for name, value in vars(self).items())
        return f'{type(self).__name__}({settings})'
