"""COCO's JSON of objects, which CVAT, Datumaro, FiftyOne, Roboflow and others read."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmwsss.fileio import DataError, atomic_write, decode_rle, encode_rle
from mmwsss.fileio.coco_ids import check_references, check_unique

from .files import AnnotatedImage, dump_json, image_size, load_json
from .label_set import LabelSet
from .shapes import components, draw_polygon, outline

# Where Datumaro and CVAT look for it.
ANNOTATIONS_FILE = 'annotations/instances_default.json'


def write_coco(
    images: Iterable[AnnotatedImage], target: str | Path, labels: LabelSet, polygons: bool, tolerance: float
) -> Path:
    """Writes masks as ``annotations/instances_default.json``, one annotation a connected component.

    A ``category_id`` is a value of the masks. Segmentations are compressed run lengths, which `pycocotools` decodes to
    the same pixels, or polygons.

    Args:
        images (iterable[AnnotatedImage]): One after the other.
        target (str | Path): Folder.
        labels (LabelSet): Classes.
        polygons (bool): Polygons in place of run lengths.
        tolerance (float): Of :func:`mmwsss.converters.annotations.shapes.outline`.

    Returns:
        Path: The file.
    """
    listed: list[dict] = []
    annotations: list[dict] = []
    for image in images:
        height, width = image.mask.shape
        listed.append(dict(id=len(listed) + 1, file_name=image.file_name, width=width, height=height))
        for component in components(image.mask, labels.annotated()):
            rows, columns = component.pixels.shape
            if polygons:
                segmentation: Any = [outline(component, tolerance).ravel().tolist()]
            else:
                segmentation = encode_rle(component.in_image(image.mask.shape))
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=len(listed),
                    category_id=component.value,
                    segmentation=segmentation,
                    area=int(component.pixels.sum()),
                    bbox=[component.left, component.top, columns, rows],
                    iscrowd=0,
                )
            )
    has_ignored = any(annotation['category_id'] == 255 for annotation in annotations)
    categories = [
        dict(id=value, name=labels.name_of(value), supercategory='') for value in labels.annotated(has_ignored)
    ]
    path = Path(target, ANNOTATIONS_FILE)
    content = dict(info={}, licenses=[], categories=categories, images=listed, annotations=annotations)
    atomic_write(path, dump_json(content))
    return path


def read_coco(source: str | Path, labels: LabelSet) -> Iterator[tuple[str, np.ndarray]]:
    """Reads masks from a JSON of COCO, or from a folder with such files in ``annotations``.

    All images of the file have a mask. Where annotations overlap, the smaller one is on top.

    Yields:
        tuple[str, ndarray]: File name and mask, uint8 (H, W), of each image.

    Raises:
        DataError: Naming file and entry, if one is malformed, its category is no class, or its segmentation does not
            fit the image.
    """
    for path in _json_files(Path(source)):
        content = load_json(path)
        if not isinstance(content, dict):
            raise DataError(f'{path}: expected a COCO file of images, annotations and categories')
        images, annotations, categories = (
            _entries(path, content, name, keys)
            for name, keys in (
                ('images', ('id', 'file_name', 'width', 'height')),
                ('annotations', ('image_id', 'category_id', 'segmentation')),
                ('categories', ('id', 'name')),
            )
        )
        for what, entries in (('image', images), ('category', categories)):
            check_unique(str(path), what, (entry['id'] for entry in entries))
        values = {one['id']: one['name'] for one in categories}
        by_image: dict[Any, list[int]] = {entry['id']: [] for entry in images}
        check_references(str(path), 'image', (entry['image_id'] for entry in annotations), by_image)
        check_references(str(path), 'category', (entry['category_id'] for entry in annotations), values)
        for position, entry in enumerate(annotations):
            by_image[entry['image_id']].append(position)
        for number, image in enumerate(images):
            size = image_size(image['height'], image['width'], f'{path}: images[{number}]')
            if not isinstance(image['file_name'], str):
                raise DataError(f'{path}: images[{number}]: expected a file_name, got {image["file_name"]!r}')
            mask, drawn = labels.blank(size), []
            for position in by_image[image['id']]:
                where = f'{path}: annotations[{position}]'
                value = labels.value_of(values[annotations[position]['category_id']], f'{where}.category_id')
                drawn.append((value, _draw(annotations[position]['segmentation'], size, f'{where}.segmentation')))
            for value, pixels in sorted(drawn, key=lambda one: -int(one[1].sum())):
                mask[pixels] = value
            yield image['file_name'], mask


def _json_files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    found = sorted((source / 'annotations').glob('*.json'))
    if not found:
        raise DataError(f'{source}: expected a COCO JSON file, or a folder with annotations/*.json')
    return found


def _entries(path: Path, content: dict, name: str, keys: tuple[str, ...]) -> list[dict]:
    entries = content.get(name)
    if not isinstance(entries, list):
        raise DataError(f'{path}: expected a list {name!r}')
    for position, entry in enumerate(entries):
        missing = [key for key in keys if key not in entry] if isinstance(entry, dict) else list(keys)
        if missing:
            raise DataError(f'{path}: {name}[{position}] lacks {", ".join(missing)}')
    return entries


def _draw(segmentation: Any, size: tuple[int, int], where: str) -> np.ndarray:
    if not isinstance(segmentation, list):
        return decode_rle(segmentation, size, where)
    pixels = np.zeros(size, bool)
    for index, points in enumerate(segmentation):
        pixels |= draw_polygon(points, size, f'{where}[{index}]')
    return pixels
