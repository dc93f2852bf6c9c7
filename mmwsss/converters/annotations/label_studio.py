"""Label Studio's JSON: tasks with brush predictions out, tasks with annotations in."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree import ElementTree

import numpy as np

from mmwsss.fileio import DataError, atomic_write

from .brush_rle import decode_brush, encode_brush
from .files import AnnotatedImage, dump_json, image_size, load_json
from .label_set import LabelSet
from .shapes import components, draw_polygon

TASKS_FILE = 'tasks.json'
CONFIG_FILE = 'label_config.xml'
MODEL_VERSION = 'mmwsss'
# Where Label Studio serves the files of a local storage.
IMAGE_URL = '/data/local-files/?d='
_FROM, _TO = 'label', 'image'


def write_label_studio(
    images: Iterable[AnnotatedImage], target: str | Path, labels: LabelSet, image_url: str = IMAGE_URL
) -> Path:
    """Writes masks as predictions of tasks, one brush region a connected component, and a labeling interface.

    ``tasks.json`` is imported into a project whose interface is that of ``label_config.xml``.

    Args:
        images (iterable[AnnotatedImage]): One after the other.
        target (str | Path): Folder.
        labels (LabelSet): Classes.
        image_url (str): What is put before the file name of each image. Defaults to that of a local storage.

    Returns:
        Path: The file of tasks.
    """
    tasks = []
    has_ignored = False
    for image in images:
        height, width = image.mask.shape
        regions: list[dict] = []
        for component in components(image.mask, labels.annotated()):
            has_ignored |= component.value == 255
            rle = encode_brush(component.in_image(image.mask.shape))
            regions.append(
                dict(
                    id=f'region{len(regions)}',
                    type='brushlabels',
                    from_name=_FROM,
                    to_name=_TO,
                    original_width=width,
                    original_height=height,
                    image_rotation=0,
                    value=dict(format='rle', rle=rle, brushlabels=[labels.name_of(component.value)]),
                )
            )
        data = dict(image=image_url + quote(image.file_name), file_name=image.file_name, width=width, height=height)
        tasks.append(dict(data=data, predictions=[dict(model_version=MODEL_VERSION, result=regions)]))
    path = Path(target, TASKS_FILE)
    atomic_write(path, dump_json(tasks))
    atomic_write(Path(target, CONFIG_FILE), _interface(labels, has_ignored))
    return path


def _interface(labels: LabelSet, has_ignored: bool) -> bytes:
    view = ElementTree.Element('View')
    ElementTree.SubElement(view, 'Image', name=_TO, value='$image', zoom='true')
    brush = ElementTree.SubElement(view, 'BrushLabels', name=_FROM, toName=_TO)
    for value in labels.annotated(has_ignored):
        color = '#{:02x}{:02x}{:02x}'.format(*labels.color_of(value))
        ElementTree.SubElement(brush, 'Label', value=labels.name_of(value), background=color)
    ElementTree.indent(view)
    return ElementTree.tostring(view, 'utf-8') + b'\n'


def read_label_studio(source: str | Path, labels: LabelSet) -> Iterator[tuple[str, np.ndarray]]:
    """Reads masks from a JSON that Label Studio exported, or from a folder with its ``tasks.json``.

    A task counts if it has an annotation that was not cancelled; of several, the last one does. Brush and polygon
    regions are drawn in their order. Predictions are left out: nobody has looked at them.

    Yields:
        tuple[str, ndarray]: File name and mask, uint8 (H, W), of each annotated task.

    Raises:
        DataError: Naming file, task and region, if one is malformed, of another kind, or its label is no class.
    """
    path = Path(source)
    path = path if path.is_file() else path / TASKS_FILE
    tasks = load_json(path)
    if not isinstance(tasks, list):
        raise DataError(f"{path}: expected a list of tasks, Label Studio's JSON export")
    for number, task in enumerate(tasks):
        where = f'{path}: task {number}'
        if not isinstance(task, dict) or not isinstance(task.get('data'), dict):
            raise DataError(f'{where}: expected a task with data')
        regions = _annotated_regions(task, where)
        if regions is not None:
            yield _file_name(task['data'], where), _draw(regions, task['data'], labels, where)


def _annotated_regions(task: dict, where: str) -> list[dict] | None:
    annotations = task.get('annotations') or []
    if not isinstance(annotations, list) or not all(isinstance(one, dict) for one in annotations):
        raise DataError(f'{where}: expected a list of annotations')
    kept = [one for one in annotations if not one.get('was_cancelled')]
    if not kept:
        return None
    regions = kept[-1].get('result')
    if not isinstance(regions, list) or not all(isinstance(region, dict) for region in regions):
        raise DataError(f'{where}: expected a result, a list of regions, of its annotation')
    return regions


def _file_name(data: dict, where: str) -> str:
    if isinstance(data.get('file_name'), str):
        return data['file_name']
    if not isinstance(data.get('image'), str):
        raise DataError(f'{where}: expected data.image or data.file_name')
    try:
        address = urlsplit(data['image'])
    except ValueError as error:
        raise DataError(f'{where}: expected an address as data.image, got {data["image"]!r}') from error
    local = parse_qs(address.query).get('d')
    return local[0] if local else unquote(address.path).lstrip('/')


def _draw(regions: list[dict], data: dict, labels: LabelSet, where: str) -> np.ndarray:
    sizes = [(region.get('original_height'), region.get('original_width')) for region in regions if 'value' in region]
    if any(size != sizes[0] for size in sizes):
        raise DataError(f'{where}: expected regions of one image size, got {sorted({*map(str, sizes)})}')
    height, width = sizes[0] if sizes else (data.get('height'), data.get('width'))
    size = image_size(height, width, where)
    mask = labels.blank(size)
    for position, region in enumerate(regions):
        place = f'{where}, region {position}'
        kind, value = region.get('type'), region.get('value')
        if not isinstance(value, dict):  # a relation between regions
            continue
        names = value.get(kind) if isinstance(kind, str) else None
        if kind not in ('brushlabels', 'polygonlabels') or not isinstance(names, list) or len(names) != 1:
            raise DataError(f'{place}: expected brushlabels or polygonlabels of one label, got {kind!r} of {names!r}')
        index = labels.value_of(names[0], place)
        if kind == 'brushlabels':
            mask[decode_brush(value.get('rle'), size, f'{place}, rle')] = index
        else:
            mask[draw_polygon(_pixels(value.get('points'), size, place), size, f'{place}, points')] = index
    return mask


def _pixels(points: Any, size: tuple[int, int], place: str) -> list[float]:
    """Coordinates in turn, of pairs in percent of width and height."""
    try:
        return [float(part) * side / 100 for x, y in points for part, side in ((x, size[1]), (y, size[0]))]
    except (TypeError, ValueError) as error:
        raise DataError(f'{place}, points: expected pairs of x and y in percent') from error
