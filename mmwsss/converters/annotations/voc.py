"""Palette masks in the folders of Pascal VOC: Datumaro's and CVAT's "Segmentation mask"."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from mmwsss.converters.dataset_files import write_list
from mmwsss.fileio import DataError, atomic_write, write_mask

from .files import AnnotatedImage
from .label_set import LabelSet

MASK_FOLDER = 'SegmentationClass'
IMAGE_FOLDER = 'JPEGImages'
LABEL_MAP = 'labelmap.txt'
LIST = 'ImageSets/Segmentation/default.txt'
_MAX_NAMED = 3


def write_voc(images: Iterable[AnnotatedImage], target: str | Path, labels: LabelSet) -> Path:
    """Writes ``SegmentationClass/<image id>.png``, ``labelmap.txt`` and ``ImageSets/Segmentation/default.txt``.

    Args:
        images (iterable[AnnotatedImage]): One after the other.
        target (str | Path): Folder.
        labels (LabelSet): Classes.

    Returns:
        Path: The folder.

    Raises:
        DataError: If the name of a class has a character that separates fields of ``labelmap.txt``.
    """
    target, ids, has_ignored = Path(target), [], False
    if broken := [name for name in labels.classes if re.search(r'[:#\n]', name)]:
        raise DataError(f'{LABEL_MAP}: expected names of classes without ":" and "#", got {broken}')
    for image in images:
        write_mask(target / MASK_FOLDER / f'{image.image_id}.png', image.mask, labels.palette)
        has_ignored |= bool((image.mask == 255).any())
        ids.append(image.image_id)
    values = [*range(len(labels.classes)), *([255] if has_ignored else [])]
    lines = [f'{labels.name_of(value)}:{",".join(map(str, labels.color_of(value)))}::' for value in values]
    atomic_write(target / LABEL_MAP, ('# label:color_rgb:parts:actions\n' + '\n'.join(lines) + '\n').encode())
    write_list(target / LIST, ids)
    return target


def read_voc(source: str | Path, labels: LabelSet) -> Iterator[tuple[str, np.ndarray]]:
    """Reads the masks of a folder like that of :func:`write_voc`.

    The colors of ``labelmap.txt`` say what pixels are, in palette and in RGB masks.

    Yields:
        tuple[str, ndarray]: Image id and mask, uint8 (H, W), of each image.

    Raises:
        DataError: Naming the file, if a label is no class or a color is no label.
    """
    source = Path(source)
    colors = _read_label_map(source / LABEL_MAP, labels)
    paths = sorted((source / MASK_FOLDER).rglob('*.png'))
    if not paths:
        raise DataError(f'{source / MASK_FOLDER}: expected masks (*.png), found none')
    for path in paths:
        image_id = path.relative_to(source / MASK_FOLDER).with_suffix('').as_posix()
        yield image_id, _read_colors(path, colors)


def _read_label_map(path: Path, labels: LabelSet) -> dict[int, int]:
    """Value of masks by color, as one number."""
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{path}: expected lines label:red,green,blue:: ({error})') from error
    found: dict[int, int] = {_packed(np.array(labels.color_of(255), np.uint8)).item(): 255}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith('#'):
            continue
        name, _, rest = line.partition(':')
        color = rest.partition(':')[0].split(',')
        if len(color) != 3 or not all(part.strip().isdecimal() and int(part) < 256 for part in color):
            raise DataError(f'{path}: expected label:red,green,blue:: in line {number}, got {line!r}')
        packed = _packed(np.array([int(part) for part in color], np.uint8)).item()
        # CVAT adds a background to every label map.
        value = 255 if name == 'background' and name not in labels.classes else labels.value_of(name, str(path))
        if found.setdefault(packed, value) != value:
            raise DataError(f'{path}: the color in line {number} is that of {labels.name_of(found[packed])!r} too')
    return found


def _packed(colors: np.ndarray) -> np.ndarray:
    return colors.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])


def _read_colors(path: Path, colors: dict[int, int]) -> np.ndarray:
    try:
        with Image.open(path, formats=['PNG']) as image:
            mode, pixels = image.mode, np.array(image.convert('RGB'))
    except Exception as error:  # Pillow fails on damaged files in a dozen ways
        raise DataError(f'{path}: expected a PNG mask ({error})') from error
    if mode not in ('P', 'RGB', 'RGBA'):
        raise DataError(f'{path}: expected a palette or RGB mask in the colors of {LABEL_MAP}, got mode {mode}')
    packed = _packed(pixels)
    present, inverse = np.unique(packed, return_inverse=True)
    if unknown := [f'#{color:06x}' for color in present.tolist() if color not in colors]:
        more = f' and {len(unknown) - _MAX_NAMED} more' if len(unknown) > _MAX_NAMED else ''
        raise DataError(f'{path}: color {", ".join(unknown[:_MAX_NAMED])}{more} is none of {LABEL_MAP}')
    values = np.array([colors[color] for color in present.tolist()], np.uint8)
    return values[inverse].reshape(packed.shape)
