"""Shapes that annotations are made of: connected components of masks, and polygons around them."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from mmwsss.fileio import DataError


class Component(NamedTuple):
    """A connected component of the pixels of one value.

    Attributes:
        value (int): Of the mask.
        left (int): First column.
        top (int): First row.
        pixels (ndarray): bool (h, w), the component within its box.
    """

    value: int
    left: int
    top: int
    pixels: np.ndarray

    def in_image(self, size: tuple[int, int]) -> np.ndarray:
        """The component as a mask of the image, bool (H, W)."""
        whole = np.zeros(size, bool)
        height, width = self.pixels.shape
        whole[self.top : self.top + height, self.left : self.left + width] = self.pixels
        return whole


def components(mask: np.ndarray, values: Sequence[int]) -> Iterator[Component]:
    """Connected components of a mask, in the order of the values; pixels that touch at a corner are connected.

    Args:
        mask (ndarray): uint8 (H, W).
        values (sequence[int]): Which of its values.

    Yields:
        Component: With all pixels of a value, each in one component.

    Examples:
        >>> [(c.value, c.left, c.top, c.pixels.shape) for c in components(np.eye(3, dtype=np.uint8), [0, 1])]
        [(0, 1, 0, (2, 2)), (0, 0, 1, (2, 2)), (1, 0, 0, (3, 3))]
    """
    for value in values:
        found = (mask == value).astype(np.uint8)
        if not found.any():
            continue
        number, numbers, boxes, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
        for index in range(1, number):
            left, top, width, height = (int(side) for side in boxes[index][:4])
            yield Component(value, left, top, numbers[top : top + height, left : left + width] == index)


def outline(component: Component, tolerance: float = 1.0) -> np.ndarray:
    """The polygon around a component, along the edges of its pixels.

    A hole is cut out by two edges that lie on each other and lead to it, since polygons of annotation tools have one
    ring.

    Args:
        component (Component): What it goes around.
        tolerance (float): By how many pixels it may deviate, so that it has few vertices. 0 is exact. Defaults to 1.

    Returns:
        ndarray: float64 (N, 2), x and y of the vertices in pixels of the image; a pixel covers [x, x + 1].

    Examples:
        >>> outline(Component(1, 10, 20, np.ones((2, 3), bool))).tolist()
        [[10.0, 20.0], [10.0, 22.0], [13.0, 22.0], [13.0, 20.0]]
    """
    # At twice the size, the centers of border pixels say which corner is meant.
    doubled = np.repeat(np.repeat(component.pixels.astype(np.uint8), 2, 0), 2, 1)
    found, hierarchy = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    rings = [_simplify((contour[:, 0] + 1) // 2, tolerance) for contour in found]
    is_hole = [parent >= 0 for parent in hierarchy[0, :, 3]]
    polygon = next(ring for ring, hole in zip(rings, is_hole) if not hole)
    for ring in (ring for ring, hole in zip(rings, is_hole) if hole):
        start = int(np.lexsort((ring[:, 0], ring[:, 1]))[0])
        hole = np.concatenate([ring[start:], ring[: start + 1]])
        near = int(((polygon - hole[0]) ** 2).sum(1).argmin())
        polygon = np.concatenate([polygon[: near + 1], hole, polygon[near:]])
    return polygon + np.array([component.left, component.top], np.float64)


def _simplify(corners: np.ndarray, tolerance: float) -> np.ndarray:
    """A ring of integer corners (N, 2) without those on straight lines, and within the tolerance."""
    ring = corners[(corners != np.roll(corners, 1, 0)).any(1)]
    before, after = ring - np.roll(ring, 1, 0), np.roll(ring, -1, 0) - ring
    ring = ring[before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]]
    if tolerance > 0:
        simple = cv2.approxPolyDP(ring.astype(np.int32)[:, None], tolerance, True)[:, 0]
        ring = simple if len(simple) >= 3 else ring
    return ring


def draw_polygon(points: Any, size: tuple[int, int], source: str) -> np.ndarray:
    """The pixels whose centers lie in a polygon.

    Args:
        points (sequence): x and y of its vertices in turn, in pixels.
        size (tuple[int, int]): Height and width of the image.
        source (str): Where it comes from, for the message.

    Returns:
        ndarray: bool (H, W).

    Raises:
        DataError: If it has fewer than three vertices, a coordinate is no number, or one is further outside the image
            than the image is large.
    """
    if not isinstance(points, list) or len(points) < 6 or len(points) % 2:
        raise DataError(f'{source}: expected x and y of three vertices at least, got {_short(points)}')
    if not all(type(value) in (int, float) and math.isfinite(value) for value in points):
        raise DataError(f'{source}: expected coordinates that are numbers, got {_short(points)}')
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    sides = np.array(size[::-1])
    if (corners < -sides).any() or (corners > 2 * sides).any():
        raise DataError(
            f'{source}: expected a polygon in an image of {size[1]} x {size[0]} pixels, got {_short(points)}'
        )
    return coco_mask.decode(coco_mask.frPyObjects([points], *size)[0]).astype(bool)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f'{text[:60]}...'
