"""Readers of image-level labels: which classes are in which image."""

import csv
import gc
import io
import json
import xml.etree.ElementTree as ElementTree
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine import fileio

from mmwsss.fileio import DataError, check_image_id, read_class_mask
from mmwsss.fileio.coco_ids import check_references, check_unique


def read_image_labels(
    source: str, image_ids: Sequence[str] | None = None, backend_args: dict | None = None
) -> dict[str, list[str]]:
    """Read image-level labels as class names.

    Args:
        source (str): One of

            - ``*.json`` with ``{image_id: [class name, ...]}``,
            - ``*.json`` in COCO's annotation format (every annotated category of an image counts),
            - ``*.csv`` with a row ``image_id,class name[,class name ...]`` an image,
            - a folder of PASCAL VOC annotations ``<image_id>.xml`` (every ``object/name`` counts).
        image_ids (sequence[str], optional): Needed for a folder of XML files. Defaults to None.
        backend_args (dict, optional): Arguments of mmengine's file backend. Defaults to None.

    Returns:
        dict[str, list[str]]: Class names of each image id.

    Raises:
        DataError: If the file is missing, in none of these formats, or has an image id twice or one that is no path
            below a folder.
    """
    if fileio.isdir(source, backend_args=backend_args):
        return {image_id: _read_voc_xml(source, image_id, backend_args) for image_id in image_ids or ()}
    labels = _read_file(source, backend_args)
    for image_id in labels:
        check_image_id(image_id, source)
    return labels


def _read_file(source: str, backend_args: dict | None) -> dict[str, list[str]]:
    try:
        text = fileio.get_text(source, backend_args=backend_args).removeprefix('\ufeff')
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{source}: the image-level labels cannot be read ({error})') from error
    if source.endswith('.csv'):
        return _parse_csv(source, text)
    if source.endswith('.json'):
        objects = _Objects(source)
        content = _load_json(source, text, objects)
        del text  # which can be as large as what was read from it
        return _parse_json(source, content, objects)
    raise DataError(f'{source}: expected image-level labels as .json, .csv or a folder of VOC .xml files')


def _parse_csv(source: str, text: str) -> dict[str, list[str]]:
    labels: dict[str, list[str]] = {}
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise DataError(f'{source}: expected comma-separated values ({error})') from error
    for number, row in enumerate(rows, 1):
        image_id, *names = (cell.strip() for cell in row or [''])
        if not image_id:
            if any(names):
                raise DataError(f'{source}: row {number} has no image id')
            continue
        if image_id in labels:
            raise DataError(f'{source}: row {number} repeats the image id {image_id!r}')
        labels[image_id] = [name for name in names if name]
    return labels


_IMAGE, _ANNOTATION = object(), object()


class _Objects:
    """Receives the objects of a JSON file while it is parsed.

    It keeps what labels need of COCO's images and annotations in columns and leaves markers in their place. Millions of
    objects would take more memory than the file.

    Args:
        source (str): The file, for messages.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.file_names: list[Any] = []
        self.image_ids, self.annotated_ids, self.category_ids = _Column(), _Column(), _Column()

    def __call__(self, pairs: list[tuple[str, Any]]) -> Any:
        unique = dict(pairs)
        if len(unique) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            repeated = next(key for key, count in counts.items() if count > 1)
            raise DataError(f'{self.source}: the key {repeated!r} is there twice')
        if 'image_id' in unique and 'category_id' in unique:
            self.annotated_ids.append(unique['image_id'])
            self.category_ids.append(unique['category_id'])
            return _ANNOTATION
        if 'id' in unique and 'file_name' in unique:
            self.image_ids.append(unique['id'])
            self.file_names.append(unique['file_name'])
            return _IMAGE
        return unique


class _Column:
    """A list that takes eight bytes an entry as long as all entries are integers of 64 bits."""

    def __init__(self) -> None:
        self.values: array | list = array('q')

    def append(self, value: Any) -> None:
        try:
            self.values.append(value)
        except (TypeError, OverflowError):
            self.values = [*self.values, value]


def _load_json(source: str, text: str, objects: _Objects) -> Any:
    # Millions of objects without a cycle: looking for one again and again would take most of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return json.loads(text, object_pairs_hook=objects)
    except DataError:
        raise
    except (ValueError, RecursionError) as error:  # beside JSONDecodeError, a number of too many digits
        raise DataError(f'{source}: expected JSON, {error}') from error
    finally:
        if collecting:
            gc.enable()


def _parse_json(source: str, content: Any, objects: _Objects) -> dict[str, list[str]]:
    if isinstance(content, dict) and {'images', 'annotations', 'categories'} <= content.keys():
        return _parse_coco(source, content, objects)
    if not isinstance(content, dict) or not all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in content.values()
    ):
        raise DataError(f'{source}: expected {{image id: [class name, ...]}} or a COCO annotation file')
    return content


def _parse_coco(source: str, content: dict, objects: _Objects) -> dict[str, list[str]]:
    try:
        for name, marker, column in (
            ('images', _IMAGE, objects.image_ids),
            ('annotations', _ANNOTATION, objects.annotated_ids),
        ):
            if not content[name].count(marker) == len(content[name]) == len(column.values):
                raise TypeError(name)
        check_unique(source, 'category', (category['id'] for category in content['categories']))
        names = {category['id']: category['name'] for category in content['categories']}
        if not all(isinstance(name, str) for name in names.values()):
            raise TypeError('the name of a category')
        content.clear()
        stems = [name.rsplit('.', 1)[0] for name in objects.file_names]
        present: dict[Any, tuple[str, ...]] = dict.fromkeys(objects.image_ids.values, ())
        if not len(stems) == len(present) == len(set(stems)):
            raise DataError(f'{source}: expected COCO images whose ids and file names without suffix are all different')
        check_references(source, 'image', objects.annotated_ids.values, present)
        check_references(source, 'category', objects.category_ids.values, names)
        for image_id, category_id in zip(objects.annotated_ids.values, objects.category_ids.values):
            found, name = present[image_id], names[category_id]
            if name not in found:
                present[image_id] = (*found, name)
        return {stem: sorted(found) for stem, found in zip(stems, present.values())}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f'{source}: expected a COCO annotation file, {error!r} is missing or malformed') from error


def _read_voc_xml(folder: str, image_id: str, backend_args: dict | None) -> list[str]:
    check_image_id(image_id, folder)
    path = fileio.join_path(folder, f'{image_id}.xml', backend_args=backend_args)
    try:
        root = ElementTree.fromstring(fileio.get(path, backend_args=backend_args))
        if root.tag != 'annotation':
            raise ValueError(f'its root is <{root.tag}>')
    except (OSError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f'{path}: expected a VOC <annotation> of image {image_id!r} ({error})') from error
    return sorted({name.text.strip() for name in root.iterfind('object/name') if name.text})


def labels_from_mask(
    path: str,
    classes: Sequence[str],
    class_of_index: Mapping[int, int] | None = None,
    with_background: bool = True,
) -> list[str]:
    """Class names that occur in a mask, for data sets that come with masks but no list of labels.

    Args:
        path (str): Mask of class indices, 255 where there is none.
        classes (sequence[str]): Class names.
        class_of_index (dict, optional): As in :func:`read_class_mask`. Defaults to None.
        with_background (bool): Whether class 0 is the background, which is no label. Defaults to True.

    Returns:
        list[str]: Class names.

    Raises:
        DataError: If the mask is missing or holds an index that is no class.
    """
    counts = np.bincount(read_class_mask(path, len(classes), class_of_index).ravel(), minlength=256)
    return [name for index, name in enumerate(classes) if counts[index] and not (index == 0 and with_background)]


def multi_hot(names: Iterable[str], foreground: Sequence[str], image_id: str, source: str) -> np.ndarray:
    """Encode class names.

    Returns:
        ndarray: float32 (len(foreground),) of zeros and ones.

    Raises:
        DataError: If a name is no class, naming the file and the image.
    """
    label = np.zeros(len(foreground), np.float32)
    for name in names:
        if name not in foreground:
            raise DataError(
                f'{source}: label {name!r} of image {image_id!r} is no class; expected names out of {list(foreground)}'
            )
        label[list(foreground).index(name)] = 1
    return label
