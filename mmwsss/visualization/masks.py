"""Masks and class names drawn over photographs."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmwsss.fileio import IGNORE_COLOR


def draw_overlay(
    image: np.ndarray,
    mask: np.ndarray,
    palette: Sequence[Sequence[int]],
    opacity: float = 0.5,
    ignore_index: int = 255,
) -> np.ndarray:
    """Blend the colours of a mask with a photograph.

    Args:
        image (ndarray): uint8 (H, W, 3), BGR.
        mask (ndarray): uint8 (H, W) of class indices.
        palette (sequence): RGB colour of each class, 0 to 255.
        opacity (float): Of the colours, in [0, 1]. Defaults to 0.5.
        ignore_index (int): Index drawn in near-white. Defaults to 255.

    Returns:
        ndarray: uint8 (H, W, 3), BGR.
    """
    colours = np.zeros((256, 3), np.float32)
    colours[: len(palette)] = palette
    colours[ignore_index] = IGNORE_COLOR
    blended = image * np.float32(1 - opacity) + colours[:, ::-1][mask] * np.float32(opacity)
    return blended.round().astype(np.uint8)


def draw_names(image: np.ndarray, names: Sequence[str], colours: Sequence[Sequence[int]]) -> np.ndarray:
    """Write class names into the upper left corner, each on its colour.

    Args:
        image (ndarray): uint8 (H, W, 3), BGR.
        names (sequence[str]): From top to bottom; those that find no room are left out.
        colours (sequence): RGB colour of each.

    Returns:
        ndarray: uint8 (H, W, 3), BGR.
    """
    canvas = Image.fromarray(np.ascontiguousarray(image[:, :, ::-1]))
    draw = ImageDraw.Draw(canvas)
    size = max(10, round(min(canvas.size) / 28))
    for line, (name, colour) in enumerate(zip(names, colours, strict=True)):
        top = 3 + line * (size + 7)
        box = draw.textbbox((7, top), name, font=load_font(size))
        draw.rectangle((3, top - 1, box[2] + 4, top + size + 4), fill=tuple(int(part) for part in colour))
        dark = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 140
        draw.text((7, top), name, fill='black' if dark else 'white', font=load_font(size))
    return np.asarray(canvas)[:, :, ::-1]


@lru_cache(maxsize=8)
def load_font(size: int) -> ImageFont.FreeTypeFont:
    """The font that matplotlib brings along, which knows more than ASCII; `size` in pixels."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf')), size)
