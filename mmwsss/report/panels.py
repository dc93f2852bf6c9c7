"""The pictures of a report: a photograph beside what each step made of it."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from mmwsss.evaluation.functional.confusion import IGNORE_INDEX, read_truth
from mmwsss.fileio import atomic_write, read_image, read_mask, read_seeds
from mmwsss.visualization import draw_boundaries, draw_cams, load_font

from .photographs import Photograph

SIDE = 300


@dataclass(frozen=True)
class Tile:
    """One picture of a panel.

    Attributes:
        name (str): What it shows.
        image (ndarray): uint8, (H, W, 3) RGB, or (H, W) of class indices.
        blends (bool): Whether it lies over the photograph.
    """

    name: str
    image: np.ndarray
    blends: bool = True


@dataclass(frozen=True)
class Panel:
    """A photograph and what the steps made of it, all of one size.

    Attributes:
        photograph (Photograph): Which one.
        tiles (tuple[Tile]): The first is the photograph itself.
    """

    photograph: Photograph
    tiles: tuple[Tile, ...]


def read_palette(path: str | Path) -> np.ndarray:
    """Colours of a palette PNG, uint8 (256, 3) RGB; grey levels where it has none."""
    with Image.open(path) as image:
        stored = image.getpalette() if image.mode == 'P' else None
    palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    if stored:
        colours = np.asarray(stored, np.uint8).reshape(-1, 3)
        palette[: len(colours)] = colours
    return palette


def make_panel(
    photograph: Photograph,
    num_classes: int,
    palette: np.ndarray,
    predicted: Mapping[str, np.ndarray] | None = None,
    mask_name: str = 'pseudo mask',
    side: int = SIDE,
) -> Panel:
    """Reads what there is of a photograph and brings it to a longer side of at most `side` pixels.

    Args:
        photograph (Photograph): Which one.
        num_classes (int): Number of classes.
        palette (ndarray): uint8 (256, 3).
        predicted (dict[str, ndarray], optional): What networks made of it, see
            :func:`predict_photographs`. Defaults to None.
        mask_name (str): What the pseudo mask is called. Defaults to ``'pseudo mask'``.
        side (int): Pixels. Defaults to 300.
    """
    predicted = predicted or {}
    image = read_image(photograph.path)[:, :, ::-1]
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    tiles = [Tile('photograph', cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA), blends=False)]
    if photograph.seed_path.is_file():
        seeds = read_seeds(photograph.seed_path)
        tiles.append(Tile('CAM', draw_cams(resize_maps(seeds.cams, size), seeds.class_ids.tolist(), palette)))
    if photograph.affinity_label_path.is_file():
        tiles.append(Tile('affinity labels', _shrink(read_mask(photograph.affinity_label_path), size)))
    if 'affinity' in predicted:
        tiles.append(Tile('affinity', draw_boundaries(resize_maps(predicted['affinity'][None], size)[0])))
    if 'random walk' in predicted:
        tiles.append(Tile('random walk', _shrink(predicted['random walk'], size)))
    if photograph.pseudo_mask_path.is_file():
        tiles.append(Tile(mask_name, _shrink(read_mask(photograph.pseudo_mask_path), size)))
    if 'segmentor' in predicted:
        tiles.append(Tile('segmentor', _shrink(predicted['segmentor'], size)))
    if photograph.truth_path is not None:
        truth = read_truth(photograph.truth_path, (height, width), num_classes, photograph.truth_classes)
        tiles.append(Tile('truth', _shrink(truth, size)))
    return Panel(photograph, tuple(tiles))


def _shrink(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(mask, size[::-1], interpolation=cv2.INTER_NEAREST)


def data_uri(image: np.ndarray, palette: np.ndarray) -> str:
    """A picture as text for the `src` of an image: JPEG of colours, PNG of class indices."""
    buffer = io.BytesIO()
    if image.ndim == 3:
        Image.fromarray(image).save(buffer, 'JPEG', quality=78, optimize=True)
        kind = 'jpeg'
    else:
        drawn = Image.fromarray(image)
        drawn.putpalette(palette.tobytes())
        drawn.save(buffer, 'PNG', optimize=True)
        kind = 'png'
    return f'data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}'


def write_sheet(path: Path, panels: Sequence[Panel], palette: np.ndarray, opacity: float = 0.65) -> None:
    """Writes one picture of all panels: a row a photograph, a column a step.

    Args:
        path (Path): Target `.png`; written whole or not at all.
        panels (sequence[Panel]): At least one; their tiles may differ in number.
        palette (ndarray): uint8 (256, 3).
        opacity (float): Of what lies over the photograph. Defaults to 0.65.
    """
    names = tile_names(panels)
    side = min(160, max(max(panel.tiles[0].image.shape[:2]) for panel in panels))
    gap, head = 6, 26
    rows = [_sheet_row(panel, names, palette, opacity, side, gap) for panel in panels]
    width = len(names) * (side + gap) + gap
    sheet = Image.new('RGB', (width, head + sum(row.height + gap for row in rows)), 'white')
    draw = ImageDraw.Draw(sheet)
    for column, name in enumerate(names):
        draw.text((gap + column * (side + gap), 6), name, fill='black', font=load_font(13))
    top = head
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height + gap
    buffer = io.BytesIO()
    sheet.save(buffer, 'PNG', optimize=True)
    atomic_write(path, buffer.getvalue())


def tile_names(panels: Sequence[Panel]) -> list[str]:
    """Names of the tiles of all panels, in their order."""
    longest_first = sorted(panels, key=lambda panel: -len(panel.tiles))
    return list(dict.fromkeys(tile.name for panel in longest_first for tile in panel.tiles))


def _sheet_row(panel: Panel, names: list[str], palette: np.ndarray, opacity: float, side: int, gap: int) -> Image.Image:
    photo = panel.tiles[0].image
    scale = min(1.0, side / max(photo.shape[:2]))
    size = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
    row = Image.new('RGB', (len(names) * (side + gap) + gap, size[1]), 'white')
    for tile in panel.tiles:
        image = palette[tile.image] if tile.image.ndim == 2 else tile.image
        if tile.blends:
            image = (opacity * image + (1 - opacity) * photo).round().astype(np.uint8)
        left = gap + names.index(tile.name) * (side + gap)
        row.paste(Image.fromarray(np.ascontiguousarray(image)).resize(size), (left, 0))
    return row


def classes_shown(panel: Panel) -> list[int]:
    """Data set indices of the classes in a photograph, by its labels and its true mask."""
    shown = set(panel.photograph.class_ids)
    for tile in panel.tiles:
        if tile.name == 'truth':
            shown.update(int(index) for index in np.unique(tile.image) if index != IGNORE_INDEX)
    return sorted(shown)
