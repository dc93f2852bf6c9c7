"""Masks and class names drawn over images."""

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
    background: int | None = None,
) -> np.ndarray:
    """Blend the colors of a mask with an image; the background stays as it is.

    Args:
        image (ndarray): uint8 (H, W, 3), RGB.
        mask (ndarray): uint8 (H, W) of class indices.
        palette (sequence): RGB color of each class, 0 to 255.
        opacity (float): Of the colors, in [0, 1]. Defaults to 0.5.
        ignore_index (int): Index drawn in near-white. Defaults to 255.
        background (int, optional): Index of the background. Defaults to None: there is none.

    Returns:
        ndarray: uint8 (H, W, 3), RGB.
    """
    colors = np.zeros((256, 3), np.float32)
    colors[: len(palette)] = palette
    colors[ignore_index] = IGNORE_COLOR
    blended = image * np.float32(1 - opacity) + colors[mask] * np.float32(opacity)
    drawn = blended.round().astype(np.uint8)
    return drawn if background is None else np.where(mask[:, :, None] == background, image, drawn)


def draw_names(image: np.ndarray, names: Sequence[str], colors: Sequence[Sequence[int]]) -> np.ndarray:
    """Write class names into the upper left corner, each on its color.

    Args:
        image (ndarray): uint8 (H, W, 3), RGB.
        names (sequence[str]): From top to bottom; those that find no room are left out.
        colors (sequence): RGB color of each.

    Returns:
        ndarray: uint8 (H, W, 3), RGB.
    """
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    size = max(10, round(min(canvas.size) / 28))
    for line, (name, color) in enumerate(zip(names, colors, strict=True)):
        top = 3 + line * (size + 7)
        box = draw.textbbox((7, top), name, font=load_font(size))
        draw.rectangle((3, top - 1, box[2] + 4, top + size + 4), fill=tuple(int(part) for part in color))
        dark = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] > 140
        draw.text((7, top), name, fill='black' if dark else 'white', font=load_font(size))
    return np.asarray(canvas)


@lru_cache(maxsize=8)
def load_font(size: int) -> ImageFont.FreeTypeFont:
    """The font that matplotlib brings along, which knows more than ASCII; `size` in pixels."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf')), size)
