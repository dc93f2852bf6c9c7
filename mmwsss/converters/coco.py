"""COCO: masks of its objects, lists and image-level labels."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from mmwsss.datasets.coco import CLASSES, PALETTE
from mmwsss.fileio import DataError, write_mask
from mmwsss.fileio.coco_ids import check_references, check_unique

from .dataset_files import check_counts, check_files, convert_files, write_labels, write_list

# Number of images in each list. Images of train without any object are left out: they have no label to learn from.
COUNTS = MappingProxyType({
    '2014': dict(train=82081, val=40504),
    '2017': dict(train=117266, val=5000),
})  # fmt: skip


def convert_coco(
    root: str | Path,
    year: str = '2014',
    counts: Mapping[str, Mapping[str, int]] | None = COUNTS,
    num_workers: int = 0,
) -> dict[str, int]:
    """Rasterize the annotated objects and write lists and image-level labels.

    Every annotation counts, including crowds. If objects overlap, the mask shows the smaller one, which is mostly the
    one in front. The function writes ``masks/<split><year>/<id>.png``, ``lists/<split><year>.txt`` and
    ``image_labels<year>.json`` to ``root``. ``train`` lists only images with an object, ``val`` lists all images.

    Args:
        root (str | Path): Folder of ``train<year>``, ``val<year>`` and ``annotations``.
        year (str): ``'2014'`` or ``'2017'``. Defaults to ``'2014'``.
        counts (dict, optional): Expected lengths of the lists of each year; None checks none. Defaults to the published
            ones.
        num_workers (int): Threads. Defaults to 0.

    Returns:
        dict[str, int]: Lengths of the lists.

    Raises:
        DataError: If a file is missing or no annotation file of COCO, or a list is not of the expected length.
    """
    root = Path(root)
    labels: dict[str, list[str]] = {}
    found: dict[str, int] = {}
    for name in ('train', 'val'):
        split = f'{name}{year}'
        annotated = read_instances(root / 'annotations' / f'instances_{split}.json')
        images = [image for image in annotated if image['objects'] or name == 'val']
        found[name] = len(images)
        check_counts({name: len(images)}, counts[year] if counts else None, f'{root}, {year}')
        check_files((root / split / image['file_name'] for image in images), f'images of COCO {split}')
        convert_files(partial(_write_mask, root / 'masks' / split), images, num_workers)
        write_list(root / 'lists' / f'{split}.txt', [image['id'] for image in images])
        labels |= {image['id']: sorted({CLASSES[index] for index, _, _ in image['objects']}) for image in images}
    write_labels(root / f'image_labels{year}.json', labels)
    return found


def read_instances(path: str | Path) -> list[dict[str, Any]]:
    """Read an ``instances_*.json`` of COCO.

    Returns:
        list[dict]: For each image, ``id`` (file name without suffix), ``file_name``, ``size`` (height, width) and
        ``objects``: class index, area and segmentation (polygons or run lengths) of each object.

    Raises:
        DataError: If the file is missing or no such file, or its categories are not the 80 of COCO.
    """
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
        unknown = sorted({category['name'] for category in content['categories']}.difference(CLASSES[1:]))
        if unknown:
            raise DataError(f'{path}: expected the 80 categories of COCO, found {unknown[:5]} too')
        class_of_category = {category['id']: CLASSES.index(category['name']) for category in content['categories']}
        annotations, images = content['annotations'], content['images']
        for what, listed in (('category', content['categories']), ('image', images)):
            check_unique(str(path), what, (one['id'] for one in listed))
        check_references(
            str(path), 'image', (entry['image_id'] for entry in annotations), {one['id'] for one in images}
        )
        check_references(str(path), 'category', (entry['category_id'] for entry in annotations), class_of_category)
        objects = defaultdict(list)
        for entry in annotations:
            described = (class_of_category[entry['category_id']], entry['area'], entry['segmentation'])
            objects[entry['image_id']].append(described)
        return [
            dict(
                id=PurePosixPath(image['file_name']).stem,
                file_name=image['file_name'],
                size=(image['height'], image['width']),
                objects=objects[image['id']],
            )
            for image in images
        ]
    except (OSError, json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise DataError(f'{path}: expected the annotations of COCO objects ({error!r})') from error


def rasterize(objects: Sequence[tuple[int, float, Any]], size: tuple[int, int]) -> np.ndarray:
    """Draw objects, from the largest to the smallest.

    Args:
        objects (sequence): Class index, area, and segmentation (polygons, or COCO's run lengths) of each.
        size (tuple[int, int]): Height and width in pixels.

    Returns:
        ndarray: uint8 (H, W), 0 where there is no object.
    """
    drawn = np.zeros(size, np.uint8)
    for index, _, segmentation in sorted(objects, key=lambda entry: -entry[1]):
        if isinstance(segmentation, list):
            runs = coco_mask.merge(coco_mask.frPyObjects(segmentation, *size)) if segmentation else None
        elif isinstance(segmentation['counts'], list):
            runs = coco_mask.frPyObjects(segmentation, *size)
        else:
            runs = segmentation
        if runs is not None:
            drawn[coco_mask.decode(runs).astype(bool)] = index
    return drawn


def _write_mask(folder: Path, image: Mapping[str, Any]) -> None:
    try:
        mask = rasterize(image['objects'], image['size'])
    except DataError:
        raise
    except Exception as error:  # pycocotools fails on malformed segmentations in a dozen ways
        raise DataError(f'{image["file_name"]}: its objects cannot be drawn ({error!r})') from error
    write_mask(folder / f'{image["id"]}.png', mask, PALETTE)
