"""CamVid in the layout of the SegNet tutorial: checks, labels of images and of tiles, both read off the masks."""

import shutil
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np

from mmwsss.datasets.camvid import CamVidDataset
from mmwsss.datasets.image_labels import labels_from_mask
from mmwsss.fileio import DataError, atomic_write, read_class_mask, read_image, read_mask, write_mask

from .dataset_files import LABELS_FILE, check_counts, check_files, convert_files, write_labels

CLASSES = CamVidDataset.METAINFO['classes']
PALETTE = CamVidDataset.METAINFO['palette']
COUNTS = MappingProxyType(dict(train=367, val=101, test=233))
# Of these, tiles are cut: networks learn from one and are validated on the other.
TILED = ('train', 'val')


def convert_camvid(
    root: str | Path,
    labels_file: str | Path | None = None,
    counts: Mapping[str, int] | None = COUNTS,
    num_workers: int = 0,
) -> dict[str, int]:
    """Check the data set and write the image-level labels of all its splits, read off the masks.

    Args:
        root (str | Path): Folder of ``train``, ``trainannot``, ``val``, ``valannot``, ``test`` and ``testannot``.
        labels_file (str | Path, optional): Target JSON. Defaults to ``image_labels.json`` of ``root``.
        counts (dict[str, int], optional): Expected number of images of each split; None checks none. Defaults to
            the published ones.
        num_workers (int): Threads. Defaults to 0.

    Returns:
        dict[str, int]: Number of images of each split.

    Raises:
        DataError: If a mask is missing or holds an index above 11, or a split is not of the expected size.
    """
    root = Path(root)
    images = _images(root, COUNTS)
    found = {name: len(listed) for name, listed in images.items()}
    check_counts(found, counts, root)
    masks = [_mask_of(path) for listed in images.values() for path in listed]
    check_files(masks, 'masks of CamVid')
    read = partial(
        labels_from_mask,
        classes=CLASSES,
        class_of_index=CamVidDataset.get_label_map(),
        with_background=False,
    )
    labels = convert_files(read, masks, num_workers)
    write_labels(labels_file or root / LABELS_FILE, {mask.stem: names for mask, names in zip(masks, labels)})
    return found


def cut_tiles(
    root: str | Path, rows: int, columns: int, tiles_dir: str | Path | None = None, num_workers: int = 0
) -> dict[str, int]:
    """Cut the images of ``train`` and ``val`` into tiles with labels of their own, read off the masks.

    The labels of tiles tell where in the image a class is. That is stronger supervision than the labels of images.
    The tiles are a data set of the layout of CamVid: ``train/<image id>_<row>_<column>.png``, counted from 0, the same
    in ``trainannot``, and of ``val`` likewise, with an ``image_labels.json``. A tile that shows none of the classes is
    left out. ``test`` is not cut: networks are tested on its images.

    Args:
        root (str | Path): Folder of ``train``, ``trainannot``, ``val`` and ``valannot``.
        rows (int): Tiles from top to bottom, at least 1. They differ by at most one pixel.
        columns (int): Tiles from left to right, at least 1.
        tiles_dir (str | Path, optional): Folder for the tiles. It must not exist: it appears once all tiles are there.
            Defaults to ``tiles_<rows>x<columns>`` of ``root``.
        num_workers (int): Threads. Defaults to 0.

    Returns:
        dict[str, int]: Number of tiles of each split.

    Raises:
        DataError: If there is no row or no column, the folder is there already, a split has no images, an image is
            smaller than the grid or of another size than its mask, or a mask is missing or holds an index above 11.
    """
    if rows < 1 or columns < 1:
        raise DataError(f'{root}: expected a grid of at least 1 row and 1 column of tiles, got {rows} x {columns}')
    target = Path(tiles_dir) if tiles_dir is not None else Path(root) / f'tiles_{rows}x{columns}'
    if target.exists():
        raise DataError(f'{target}: expected no such folder, as tiles of an earlier call may differ; remove it')
    images = _images(Path(root), TILED)
    for name, listed in images.items():
        if not listed:
            raise DataError(f'{Path(root) / name}: expected images to cut, found none')
    paths = [path for listed in images.values() for path in listed]
    check_files(map(_mask_of, paths), 'masks of CamVid')
    part = target.with_name(f'.{target.name}.part')
    shutil.rmtree(part, ignore_errors=True)
    cut = convert_files(partial(_cut_image, grid=(rows, columns), target=part), paths, num_workers)
    write_labels(part / LABELS_FILE, {tile: names for labels in cut for tile, names in labels.items()})
    part.replace(target)
    return {name: sum(len(labels) for path, labels in zip(paths, cut) if path.parent.name == name) for name in TILED}


def _images(root: Path, splits: Iterable[str]) -> dict[str, list[Path]]:
    return {
        name: sorted(path for path in (root / name).glob('*') if path.suffix in ('.png', '.jpg')) for name in splits
    }


def _mask_of(image: Path) -> Path:
    return image.parents[1] / f'{image.parent.name}annot' / f'{image.stem}.png'


def _cut_image(path: Path, grid: tuple[int, int], target: Path) -> dict[str, list[str]]:
    """Writes the tiles of an image and of its mask; gives the classes of each tile."""
    mask_path = _mask_of(path)
    image, stored = read_image(str(path)), read_mask(mask_path)
    classes = read_class_mask(mask_path, len(CLASSES), CamVidDataset.get_label_map())
    if image.shape[:2] != stored.shape:
        raise DataError(f'{mask_path}: expected a mask of the size of {path}, got {stored.shape}')
    if any(side < parts for side, parts in zip(stored.shape, grid)):
        raise DataError(f'{path}: expected an image of at least {grid[0]} x {grid[1]} pixels, to cut it into tiles')
    tops, lefts = (np.linspace(0, side, parts + 1).astype(int) for side, parts in zip(stored.shape, grid))
    labels = {}
    for row, column in np.ndindex(grid):
        box = slice(tops[row], tops[row + 1]), slice(lefts[column], lefts[column + 1])
        present = np.unique(classes[box])
        names = [CLASSES[index] for index in present[present != 255]]
        if not names:
            continue
        tile, split = f'{path.stem}_{row}_{column}', path.parent.name
        _, content = cv2.imencode('.png', image[box])
        atomic_write(target / split / f'{tile}.png', content.tobytes())
        write_mask(target / f'{split}annot' / f'{tile}.png', stored[box], PALETTE)
        labels[tile] = names
    return labels
