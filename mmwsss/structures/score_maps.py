from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmwsss.ops.maps import crop_to_covered, resize_maps

from .files import Seeds

NO_CLASS = -1


@dataclass(frozen=True)
class ScoreMaps:
    """Score maps of a batch of images, and what is needed to bring them to the size of the images.

    Maps lie on a grid of cells of ``stride`` pixels of the network's input, of which ``covered_size`` is the part that
    is no padding; or, without a stride, they cover the image exactly.

    Attributes:
        maps (Tensor): Floating-point (B, K, h, w); images with fewer than K maps are padded with zeros.
        class_ids (Tensor): int64 (B, K), class index of each map, -1 where there is none.
        image_size (tuple[int, int]): Height and width of the images in pixels.
        with_background (bool): Whether class 0 of the data set is the background.
        has_background (bool): Whether the map of the background is there, in front. Defaults to False.
        covered_size (tuple[int, int], optional): Height and width in pixels of the input that the grid covers.
            Defaults to None.
        stride (int, optional): Pixels of the input a cell. Defaults to None.
    """

    maps: Tensor
    class_ids: Tensor
    image_size: tuple[int, int]
    with_background: bool
    has_background: bool = False
    covered_size: tuple[int, int] | None = None
    stride: int | None = None

    @classmethod
    def of_seeds(cls, seeds: Seeds, with_background: bool, device: torch.device | str = 'cpu') -> 'ScoreMaps':
        """The class maps of one image as its file holds them, a batch of one in float32.

        Where the data set has a background and class 0 is among the maps, theirs is the background's.
        """
        maps = torch.as_tensor(np.asarray(seeds.cams, np.float32), device=device)[None]
        class_ids = torch.as_tensor(np.asarray(seeds.class_ids, np.int64), device=device)[None]
        height, width = seeds.size
        has_background = with_background and 0 in seeds.class_ids
        return cls(maps, class_ids, (int(height), int(width)), with_background, has_background)

    @cached_property
    def at_image_size(self) -> Tensor:
        """Maps (B, K, H, W) at the size of the images."""
        return self.resized(self.image_size)

    def resized(self, size: tuple[int, int]) -> Tensor:
        """Maps (B, K, H, W) that cover the images exactly, at any size, without the padding of their grid."""
        maps = self.maps
        if self.stride is not None and self.covered_size is not None:
            maps = crop_to_covered(maps, self.covered_size, self.stride)
        return resize_maps(maps, size)

    def at_size(self, maps: Tensor) -> 'ScoreMaps':
        """Other maps (B, K, H, W) of the same classes, at the size of the images."""
        return replace(self, maps=maps, stride=None, covered_size=None)

    def of_image(self, index: int) -> tuple[Tensor, Tensor]:
        """Maps (K, H, W) of one image at its size, and their class indices (K,), without the padding."""
        kept = self.class_ids[index] != NO_CLASS
        return self.at_image_size[index, kept], self.class_ids[index, kept]

    def with_front(self, maps: Tensor) -> 'ScoreMaps':
        """Maps (B, 1 + K, h, w) of the same place, the first of which is the background's."""
        front = self.class_ids.new_zeros(len(self.class_ids), 1)
        return replace(self, maps=maps, class_ids=torch.cat([front, self.class_ids], 1), has_background=True)

    def __reduce__(self) -> tuple[Callable, tuple[Any, ...]]:
        """Arrays go to another process by value, tensors would by shared memory that both must keep open."""
        fields = (self.image_size, self.with_background, self.has_background, self.covered_size, self.stride)
        return _rebuild, (self.maps.cpu().numpy(), self.class_ids.cpu().numpy(), *fields)


def _rebuild(maps: np.ndarray, class_ids: np.ndarray, *fields: Any) -> ScoreMaps:
    return ScoreMaps(torch.from_numpy(maps), torch.from_numpy(class_ids), *fields)
