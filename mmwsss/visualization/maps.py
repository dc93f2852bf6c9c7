"""Activation maps and affinities as pictures."""

from collections.abc import Sequence

import matplotlib
import numpy as np


def draw_cams(cams: np.ndarray, class_ids: Sequence[int], palette: np.ndarray) -> np.ndarray:
    """Draws activation maps in the hue of the strongest class, the brighter the stronger.

    Args:
        cams (ndarray): (K, H, W) in [0, 1].
        class_ids (sequence[int]): (K,), data set indices.
        palette (ndarray): uint8 (256, 3).

    Returns:
        ndarray: uint8 (H, W, 3).
    """
    if len(cams) == 0:
        return np.zeros((*cams.shape[1:], 3), np.uint8)
    # Palettes have dark colors, which would look like weak activations.
    colors = palette[np.asarray(class_ids)].astype(np.float32)
    colors = (colors * (255 / colors.max(1, keepdims=True).clip(1)))[cams.argmax(0)]
    return (colors * cams.max(0)[..., None].clip(0, 1)).round().astype(np.uint8)


def affinity_boundaries(affinity: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """How little each cell is alike the eight around it.

    Args:
        affinity (ndarray): Field (P, h, w) of :func:`mmwsss.ops.pairwise_affinity`.
        offsets (ndarray): (P, 2) rows and columns to the other cell of each pair.

    Returns:
        ndarray: float32 (h, w) in [0, 1], one minus the mean affinity of the pairs inside the grid.
    """
    height, width = affinity.shape[1:]
    total, pairs = np.zeros((2, height, width), np.float32)
    for field, (dy, dx) in zip(affinity, offsets, strict=True):
        if max(abs(dy), abs(dx)) > 1:
            continue
        # The half plane of offsets has no negative dy; the field is 0 where a pair leaves the grid.
        columns = slice(max(0, -dx), width - max(0, dx))
        others = slice(max(0, dx), width - max(0, -dx))
        inside = field[: height - dy, columns]
        for rows, cells in ((slice(0, height - dy), columns), (slice(dy, height), others)):
            total[rows, cells] += inside
            pairs[rows, cells] += 1
    return 1 - total / pairs.clip(1)


def draw_boundaries(boundaries: np.ndarray) -> np.ndarray:
    """Draws boundaries (H, W) of any range bright on dark, relative to the strongest ones of the picture."""
    strongest = max(float(np.percentile(boundaries, 99.5)), 1e-6)
    return (matplotlib.colormaps['magma'](boundaries / strongest)[..., :3] * 255).round().astype(np.uint8)
