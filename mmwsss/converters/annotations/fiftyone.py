"""FiftyOne's ImageSegmentationDirectory: gray masks of class indices beside the images."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from mmwsss.fileio import DataError, atomic_write, atomic_write_json, read_class_mask

from .files import AnnotatedImage
from .label_set import LabelSet

MASK_FOLDER = 'labels'
IMAGE_FOLDER = 'data'
TARGETS_FILE = 'mask_targets.json'


def write_fiftyone(images: Iterable[AnnotatedImage], target: str | Path, labels: LabelSet) -> Path:
    """Writes ``labels/<image id>.png`` and ``mask_targets.json``, the names of their values.

    FiftyOne reads the colors of palette masks and not their indices, so these masks are gray.

    Args:
        images (iterable[AnnotatedImage]): One after the other.
        target (str | Path): Folder.
        labels (LabelSet): Classes.

    Returns:
        Path: The folder.
    """
    target = Path(target)
    for image in images:
        buffer = io.BytesIO()
        Image.fromarray(image.mask).save(buffer, format='PNG')
        atomic_write(target / MASK_FOLDER / f'{image.image_id}.png', buffer.getvalue())
    atomic_write_json(target / TARGETS_FILE, {str(index): name for index, name in enumerate(labels.classes)})
    return target


def read_fiftyone(source: str | Path, labels: LabelSet) -> Iterator[tuple[str, np.ndarray]]:
    """Reads the masks of a folder like that of :func:`write_fiftyone`.

    Yields:
        tuple[str, ndarray]: Image id and mask, uint8 (H, W), of each image.

    Raises:
        DataError: Naming the file, if it is no mask or has an index that is no class.
    """
    folder = Path(source, MASK_FOLDER)
    paths = sorted(folder.rglob('*.png'))
    if not paths:
        raise DataError(f'{folder}: expected masks (*.png), found none')
    for path in paths:
        yield path.relative_to(folder).with_suffix('').as_posix(), read_class_mask(path, len(labels.classes))
