"""The pictures of a report: an image beside what each stage made of it."""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw

from mmwsss.evaluation.functional.confusion import IGNORE_INDEX, read_ground_truth
from mmwsss.evaluation.records import picture_size, shrink_mask
from mmwsss.fileio import atomic_write, read_image, read_mask, read_seeds
from mmwsss.ops.maps import resize_maps
from mmwsss.visualization import draw_boundaries, draw_cams, draw_overlay, load_font

from .images import ReportImage
from .stages import Source

TRUTH = 'ground truth'


@dataclass(frozen=True)
class Tile:
    """One picture of a panel.

    Attributes:
        name (str): What it shows.
        pixels (ndarray): uint8, (H, W, 3) RGB, or (H, W) of class indices.
        kind (str): 'image', or, of what lies over it, 'mask' or 'map'.
    """

    name: str
    pixels: np.ndarray
    kind: str


@dataclass(frozen=True)
class Panel:
    """An image and what the stages made of it, all of one size.

    Attributes:
        image (ReportImage): Which one.
        tiles (tuple[Tile]): The first is the image itself.
    """

    image: ReportImage
    tiles: tuple[Tile, ...]

    @property
    def shows_results(self) -> bool:
        """Whether there is more than the image and its ground truth."""
        return any(tile.kind != 'image' and tile.name != TRUTH for tile in self.tiles)

    @property
    def class_ids(self) -> list[int]:
        """Data set indices of the classes in the image, by its labels and its ground truth."""
        shown = set(self.image.class_ids)
        for tile in self.tiles:
            if tile.name == TRUTH:
                shown.update(np.unique(tile.pixels).tolist())
        return sorted(shown - {IGNORE_INDEX})


def make_panel(image: ReportImage, sources: Sequence[Source], num_classes: int, palette: np.ndarray) -> Panel:
    """Reads what there is of an image and brings it to the size of a picture.

    Args:
        image (ReportImage): Which one.
        sources (sequence[Source]): Folders of what was made of it; those that lack its file are passed over.
        num_classes (int): Number of classes.
        palette (ndarray): uint8 (256, 3).

    Raises:
        DataError: If a file cannot be read.
    """
    pixels = read_image(image.path, channel_order='rgb')
    size = picture_size(pixels.shape[:2])
    tiles = [Tile('image', cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA), 'image')]
    for source in sources:
        path = source.folder / f'{image.image_id}{".npz" if source.kind == "seeds" else ".png"}'
        if path.is_file():
            kind = 'mask' if source.kind == 'mask' else 'map'
            tiles.append(Tile(source.title, _draw(source.kind, path, size, palette), kind))
    if image.truth_path is not None:
        truth = read_ground_truth(image.truth_path, pixels.shape[:2], num_classes, image.truth_classes)
        tiles.append(Tile(TRUTH, shrink_mask(truth), 'mask'))
    return Panel(image, tuple(tiles))


def _draw(kind: str, path: Path, size: tuple[int, int], palette: np.ndarray) -> np.ndarray:
    if kind == 'seeds':
        seeds = read_seeds(path)
        maps = resize_maps(torch.from_numpy(seeds.cams).float(), size)
        return draw_cams(maps.numpy(), seeds.class_ids.tolist(), palette)
    pixels = shrink_mask(read_mask(path))
    return draw_boundaries(pixels / 255) if kind == 'boundaries' else pixels


def data_uri(pixels: np.ndarray, palette: np.ndarray, with_background: bool = False) -> str:
    """A picture as text for the `src` of an image: JPEG of colors, PNG of class indices.

    Args:
        pixels (ndarray): uint8, (H, W, 3) RGB, or (H, W) of class indices.
        palette (ndarray): uint8 (256, 3).
        with_background (bool): Whether class 0 is the background, which is transparent. Defaults to False.
    """
    buffer = io.BytesIO()
    drawn, kind = Image.fromarray(pixels), 'jpeg' if pixels.ndim == 3 else 'png'
    if kind == 'png':
        drawn.putpalette(palette.tobytes())
    transparent: dict[str, int] = dict(transparency=0) if kind == 'png' and with_background else {}
    drawn.save(buffer, kind, quality=78, optimize=True, **transparent)
    return f'data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}'


def write_sheet(
    path: Path,
    blocks: Sequence[Sequence[Panel]],
    palette: np.ndarray,
    opacity: float = 0.65,
    with_background: bool = False,
) -> None:
    """Writes one picture of all panels: a row an image, a column a result.

    Args:
        path (Path): Target `.png`; written whole or not at all.
        blocks (sequence[sequence[Panel]]): Panels of images that the same was made of, such as training images and
            held-out ones; each block has columns of its own. At least one panel each; their tiles may differ in number.
        palette (ndarray): uint8 (256, 3).
        opacity (float): Of what lies over the image. Defaults to 0.65.
        with_background (bool): Whether class 0 is the background, where the image is left as it is. Defaults to False.
    """
    parts = [_sheet_block(panels, palette, opacity, with_background) for panels in blocks]
    sheet = Image.new('RGB', (max(part.width for part in parts), sum(part.height for part in parts)), 'white')
    top = 0
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height
    buffer = io.BytesIO()
    sheet.save(buffer, 'PNG', optimize=True)
    atomic_write(path, buffer.getvalue())


def _sheet_block(panels: Sequence[Panel], palette: np.ndarray, opacity: float, with_background: bool) -> Image.Image:
    names = tile_names(panels)
    # Columns are as wide as the heads above them, however small the images are.
    gap, head, font = 6, 26, load_font(13)
    heads = [math.ceil(font.getlength(name)) for name in names]
    side = max(130, *heads, min(160, max(max(panel.tiles[0].pixels.shape[:2]) for panel in panels)))
    drawn = [[_blended(panel, tile, palette, opacity, with_background) for tile in panel.tiles] for panel in panels]
    rows = [_sheet_row(panel, pixels, names, side, gap) for panel, pixels in zip(panels, drawn, strict=True)]
    width = len(names) * (side + gap) + gap
    block = Image.new('RGB', (width, head + sum(row.height + gap for row in rows)), 'white')
    draw = ImageDraw.Draw(block)
    for column, name in enumerate(names):
        draw.text((gap + column * (side + gap), 6), name, fill='black', font=font)
    top = head
    for row in rows:
        block.paste(row, (0, top))
        top += row.height + gap
    return block


def tile_names(panels: Sequence[Panel]) -> list[str]:
    """Names of the tiles of all panels, in their order."""
    longest_first = sorted(panels, key=lambda panel: -len(panel.tiles))
    names = dict.fromkeys(tile.name for panel in longest_first for tile in panel.tiles)
    return sorted(names, key=lambda name: name == TRUTH)


def whole_panels(panels: Sequence[Panel]) -> list[Panel]:
    """The panels that have a tile for each result, so that a sheet of them has no empty place; else all of them."""
    names = {name for name in tile_names(panels) if name != TRUTH}
    whole = [panel for panel in panels if names <= {tile.name for tile in panel.tiles}]
    return whole or list(panels)


def _blended(panel: Panel, tile: Tile, palette: np.ndarray, opacity: float, with_background: bool) -> np.ndarray:
    """A tile over the image of its panel, uint8 (H, W, 3), RGB."""
    image = panel.tiles[0].pixels
    match tile.kind:
        case 'image':
            return image
        case 'mask':
            background = 0 if with_background else None
            return draw_overlay(image, tile.pixels, palette.tolist(), opacity, background=background)
        case _:
            return (opacity * tile.pixels + (1 - opacity) * image).round().astype(np.uint8)


def _sheet_row(panel: Panel, drawn: Sequence[np.ndarray], names: list[str], side: int, gap: int) -> Image.Image:
    height, width = panel.tiles[0].pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    row = Image.new('RGB', (len(names) * (side + gap) + gap, size[1]), 'white')
    for tile, pixels in zip(panel.tiles, drawn, strict=True):
        row.paste(Image.fromarray(pixels).resize(size), (gap + names.index(tile.name) * (side + gap), 0))
    return row
