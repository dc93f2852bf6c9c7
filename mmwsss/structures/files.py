"""What the files of an image hold."""

from typing import NamedTuple

import numpy as np


class Seeds(NamedTuple):
    """Class activation maps of one image.

    Attributes:
        class_ids (ndarray): uint8 (K,), data set indices of the classes present, ascending. Of a data set with a
            background, the first is 0 where its map is there, as in those of a segmentor.
        cams (ndarray): float16 (K, h, w) in [0, 1] at a reduced stride.
        size (tuple[int, int]): Height and width of the image in pixels.
    """

    class_ids: np.ndarray
    cams: np.ndarray
    size: tuple[int, int]


class AffinityField(NamedTuple):
    """Affinities of the neighboring cells of one image.

    Attributes:
        affinity (ndarray): float32 (P, h, w) in [0, 1], in the order of :func:`mmwsss.ops.neighbor_offsets`.
        size (tuple[int, int]): Height and width in pixels of what the field covers, before padding to whole cells.
        stride (int): Pixels a cell, in each direction.
        edge (ndarray, optional): float32 (h, w) in [0, 1], the boundaries that the affinities were made of, as by
            :func:`mmwsss.ops.edge_to_affinity`. Defaults to None: they were made of something else.
        displacement (ndarray, optional): float32 (2, h, w), (dy, dx) in cells from each cell to the center of its
            object; only with ``edge``. Defaults to None.
    """

    affinity: np.ndarray
    size: tuple[int, int]
    stride: int
    edge: np.ndarray | None = None
    displacement: np.ndarray | None = None
