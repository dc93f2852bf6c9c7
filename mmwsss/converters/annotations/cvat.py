"""CVAT's own XML, "CVAT for images 1.1"."""

from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import numpy as np

from mmwsss.fileio import DataError, atomic_write, decode_runs

from .files import AnnotatedImage, image_size
from .label_set import LabelSet
from .shapes import Component, components, draw_polygon, outline

ANNOTATIONS_FILE = 'annotations.xml'
_SHAPES = ('mask', 'polygon', 'box')
_OTHER_SHAPES = ('polyline', 'points', 'ellipse', 'cuboid', 'skeleton')


def write_cvat(
    images: Iterable[AnnotatedImage], target: str | Path, labels: LabelSet, polygons: bool, tolerance: float
) -> Path:
    """Writes masks as ``annotations.xml``, one ``<mask>`` or ``<polygon>`` a connected component.

    Args:
        images (iterable[AnnotatedImage]): One after the other.
        target (str | Path): Folder.
        labels (LabelSet): Classes.
        polygons (bool): Polygons in place of masks.
        tolerance (float): Of :func:`mmwsss.converters.annotations.shapes.outline`.

    Returns:
        Path: The file.
    """
    body, number, has_ignored = StringIO(), 0, False
    for image in images:
        height, width = image.mask.shape
        body.write(f'  <image id="{number}" name={quoteattr(image.file_name)} width="{width}" height="{height}">\n')
        for component in components(image.mask, labels.annotated()):
            has_ignored |= component.value == 255
            body.write(_shape(component, labels.name_of(component.value), polygons, tolerance))
        body.write('  </image>\n')
        number += 1
    head = StringIO()
    head.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta><task>')
    head.write(f'<size>{number}</size><mode>annotation</mode><labels>\n')
    for value in labels.annotated(has_ignored):
        label = ElementTree.Element('label')
        color = '#{:02x}{:02x}{:02x}'.format(*labels.color_of(value))
        for tag, text in (('name', labels.name_of(value)), ('color', color), ('type', 'any'), ('attributes', '')):
            ElementTree.SubElement(label, tag).text = text
        head.write(f'    {ElementTree.tostring(label, "unicode", short_empty_elements=False)}\n')
    head.write('  </labels></task></meta>\n')
    path = Path(target, ANNOTATIONS_FILE)
    atomic_write(path, f'{head.getvalue()}{body.getvalue()}</annotations>\n'.encode())
    return path


def _shape(component: Component, name: str, polygons: bool, tolerance: float) -> str:
    common = f'label={quoteattr(name)} source="auto" occluded="0" z_order="0"'
    if polygons:
        points = ';'.join(f'{x:.2f},{y:.2f}' for x, y in outline(component, tolerance))
        return f'    <polygon {common} points="{points}"></polygon>\n'
    rows, columns = component.pixels.shape
    flat = component.pixels.ravel()
    changes = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    text = ', '.join(map(str, [0, *runs] if flat[0] else runs))
    box = f'left="{component.left}" top="{component.top}" width="{columns}" height="{rows}"'
    return f'    <mask {common} rle="{text}" {box}></mask>\n'


def read_cvat(source: str | Path, labels: LabelSet) -> Iterator[tuple[str, np.ndarray]]:
    """Reads masks from an XML of CVAT, or from the folder of its ``annotations.xml``.

    All images of the file have a mask. Masks, polygons and boxes are drawn in the order of ``z_order``.

    Yields:
        tuple[str, ndarray]: File name and mask, uint8 (H, W), of each image.

    Raises:
        DataError: Naming file, image and shape, if it is malformed, of another kind, or its label is no class.
    """
    path = Path(source)
    path = path if path.is_file() else path / ANNOTATIONS_FILE
    try:
        for _, element in ElementTree.iterparse(path):
            if element.tag == 'image':
                yield _attribute(element, 'name', str(path)), _read_image(element, labels, path)
                element.clear()
        if element.tag != 'annotations':
            raise DataError(f'{path}: expected <annotations> of CVAT for images, got <{element.tag}>')
    except DataError:
        raise
    except (OSError, ElementTree.ParseError, ValueError, LookupError) as error:  # the last two of encodings
        raise DataError(f'{path}: expected an XML file of CVAT ({error})') from error


def _read_image(element: ElementTree.Element, labels: LabelSet, path: Path) -> np.ndarray:
    where = f'{path}: image {_attribute(element, "name", str(path))!r}'
    size = image_size(_integer(element, 'height', where), _integer(element, 'width', where), where)
    mask, shapes = labels.blank(size), []
    for position, shape in enumerate(element):
        place = f'{where}, <{shape.tag}> {position}'
        if shape.tag in _OTHER_SHAPES:
            raise DataError(f'{place}: expected masks, polygons or boxes')
        if shape.tag in _SHAPES:
            value = labels.value_of(_attribute(shape, 'label', place), place)
            order = _integer(shape, 'z_order', place) if 'z_order' in shape.attrib else 0
            shapes.append((order, value, shape, place))
    for _, value, shape, place in sorted(shapes, key=lambda one: one[0]):
        mask[_draw(shape, size, place)] = value
    return mask


def _draw(shape: ElementTree.Element, size: tuple[int, int], place: str) -> np.ndarray:
    if shape.tag == 'polygon':
        points = [_number(text, f'{place} points') for text in _split(_attribute(shape, 'points', place))]
        return draw_polygon(points, size, f'{place} points')
    if shape.tag == 'box':
        left, top, right, bottom = (
            _number(_attribute(shape, name, place), f'{place} {name}') for name in ('xtl', 'ytl', 'xbr', 'ybr')
        )
        return draw_polygon([left, top, right, top, right, bottom, left, bottom], size, place)
    left, top, width, height = (_integer(shape, name, place) for name in ('left', 'top', 'width', 'height'))
    if min(left, top) < 0 or min(width, height) < 1 or left + width > size[1] or top + height > size[0]:
        raise DataError(
            f'{place}: expected a box in the image of {size[1]} x {size[0]} pixels, got {width} x {height} at '
            f'({left}, {top})'
        )
    texts = _attribute(shape, 'rle', place).split(',')
    runs = decode_runs([_parse_integer(text, f'{place} rle') for text in texts], width * height, f'{place} rle')
    return Component(0, left, top, runs.reshape(height, width)).in_image(size)


def _attribute(element: ElementTree.Element, name: str, where: str) -> str:
    if name not in element.attrib:
        raise DataError(f'{where}: <{element.tag}> lacks {name}')
    return element.attrib[name]


def _integer(element: ElementTree.Element, name: str, where: str) -> int:
    return _parse_integer(_attribute(element, name, where), f'{where} {name}')


def _parse_integer(text: str, where: str) -> int:
    text = text.strip()
    if not text.removeprefix('-').isdecimal() or len(text) > 10:
        raise DataError(f'{where}: expected an integer, got {text[:20]!r}')
    return int(text)


def _split(points: str) -> list[str]:
    return points.replace(';', ',').split(',')


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise DataError(f'{where}: expected a number, got {text[:20]!r}') from error
