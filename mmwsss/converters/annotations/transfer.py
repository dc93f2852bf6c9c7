"""Masks to annotation tools, and corrected ones back."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from PIL import Image

from mmwsss.converters.dataset_files import link_folder
from mmwsss.datasets.folder import find_images
from mmwsss.datasets.image_id_matching import SUFFIXES, match_image_ids
from mmwsss.fileio import (
    DataError,
    atomic_write,
    check_image_id,
    map_parallel,
    read_class_mask,
    read_mask,
    write_mask,
)
from mmwsss.visualization.progress_bar import track

from . import coco, cvat, fiftyone, label_studio, voc
from .files import AnnotatedImage
from .label_set import LabelSet

FORMATS = ('coco', 'label_studio', 'cvat', 'voc', 'fiftyone')
_READERS = dict(
    coco=coco.read_coco,
    label_studio=label_studio.read_label_studio,
    cvat=cvat.read_cvat,
    voc=voc.read_voc,
    fiftyone=fiftyone.read_fiftyone,
)
# Where the images are expected beside the annotations.
_IMAGE_FOLDERS = dict(coco='images', cvat='images', voc=voc.IMAGE_FOLDER, fiftyone=fiftyone.IMAGE_FOLDER)
_MAX_NAMED = 5
# EXIF's tag of how an image is turned, and those of its values that swap height and width.
_ORIENTATION = 274
_SIDEWAYS = (5, 6, 7, 8)
# Label Studio puts this before the names of uploaded files.
_UPLOADED = re.compile(r'^[0-9a-f]{8}-')


class ImportSummary(NamedTuple):
    """What :func:`import_annotations` wrote.

    Attributes:
        corrected (int): Number of masks that come from annotations.
        filled (int): Number of pseudo masks of the other images.
    """

    corrected: int
    filled: int


def export_annotations(
    kind: str,
    masks: str | Path,
    target: str | Path,
    images: str | Path,
    labels: LabelSet,
    image_ids: Sequence[str] | None = None,
    polygons: bool = False,
    tolerance: float = 1.0,
    image_url: str = label_studio.IMAGE_URL,
    num_workers: int = 2,
) -> int:
    """Writes masks in the format of an annotation tool. One mask at a time is in memory, beside the annotations.

    Args:
        kind (str): One of ``FORMATS``.
        masks (str | Path): Folder of ``<image id>.png``, such as the pseudo masks of a stage.
        target (str | Path): Folder to write to.
        images (str | Path): Folder of the images. Formats that expect the images in their folder get a link to it.
        labels (LabelSet): Classes.
        image_ids (sequence[str], optional): Which images. Defaults to None: all that have a mask.
        polygons (bool): Polygons in place of run lengths, in ``coco`` and ``cvat``. Defaults to False.
        tolerance (float): By how many pixels polygons may deviate from the mask. Defaults to 1.
        image_url (str): What tasks of ``label_studio`` have before the file name of an image.
        num_workers (int): Threads that read masks. Defaults to 2.

    Returns:
        int: Number of images.

    Raises:
        DataError: If there is no mask, an image is missing or of another size than its mask, or a mask has an index
            that is no class.
    """
    if polygons and kind not in ('coco', 'cvat'):
        raise DataError(f'--polygons: expected the format coco or cvat, got {kind}')
    if not 0 <= tolerance < float('inf'):
        raise DataError(f'--tolerance: expected a number of pixels, at least 0, got {tolerance}')
    entries = _pair(Path(masks), Path(images), image_ids)
    read = partial(_read, labels=labels)
    annotated = track(map_parallel(read, entries, num_workers), len(entries))
    if kind in ('coco', 'cvat'):
        {'coco': coco.write_coco, 'cvat': cvat.write_cvat}[kind](annotated, target, labels, polygons, tolerance)
    elif kind == 'label_studio':
        label_studio.write_label_studio(annotated, target, labels, image_url)
    else:
        {'voc': voc.write_voc, 'fiftyone': fiftyone.write_fiftyone}[kind](annotated, target, labels)
    if kind in _IMAGE_FOLDERS:
        link_folder(Path(target, _IMAGE_FOLDERS[kind]), Path(images))
    return len(entries)


class _Entry(NamedTuple):
    image_id: str
    mask: Path
    image: Path
    file_name: str


def _pair(masks: Path, images: Path, image_ids: Sequence[str] | None) -> list[_Entry]:
    """The mask and the image of each image that is exported."""
    present, found = find_images(images), _masks_in(masks)
    meant = match_image_ids(present, found, str(masks))
    if image_ids is not None:
        paths = {image_id: found[name] for name, image_id in meant.items()}
        _refuse_missing([i for i in image_ids if i not in paths], f'{masks}: expected a mask of every listed image')
        return [_Entry(i, paths[i], images / present[i], present[i]) for i in image_ids]
    _refuse_missing([name for name in found if name not in meant], f'{images}: expected an image of every mask')
    return [_Entry(i, found[name], images / present[i], present[i]) for name, i in meant.items()]


def _masks_in(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise DataError(f'{folder}: expected a folder of masks')
    found = {path.relative_to(folder).with_suffix('').as_posix(): path for path in sorted(folder.rglob('*.png'))}
    if not found:
        raise DataError(f'{folder}: expected masks (*.png), found none')
    return found


def _refuse_missing(names: Sequence[str], expected: str) -> None:
    if names:
        more = f' and {len(names) - _MAX_NAMED} more' if len(names) > _MAX_NAMED else ''
        raise DataError(f'{expected}, found none of {", ".join(names[:_MAX_NAMED])}{more}')


def _read(entry: _Entry, labels: LabelSet) -> AnnotatedImage:
    mask = read_class_mask(entry.mask, len(labels.classes))
    size = _size_of(entry.image)
    if mask.shape != size:
        raise DataError(
            f'{entry.mask}: expected {size[1]} x {size[0]} pixels like {entry.image}, got '
            f'{mask.shape[1]} x {mask.shape[0]}'
        )
    return AnnotatedImage(entry.image_id, entry.file_name, mask)


def _size_of(path: Path) -> tuple[int, int]:
    """Height and width as annotation tools show an image: turned as its EXIF says."""
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(_ORIENTATION, 1) in _SIDEWAYS
            width, height = image.size
    except Exception as error:  # Pillow fails on damaged files in a dozen ways
        raise DataError(f'{path}: expected an image file ({error})') from error
    return (width, height) if turned else (height, width)


def import_annotations(
    kind: str,
    source: str | Path,
    target: str | Path,
    labels: LabelSet,
    images: str | Path | None = None,
    pseudo_masks: str | Path | None = None,
) -> ImportSummary:
    """Writes annotations of a tool as palette masks ``<image id>.png``. One mask at a time is in memory.

    The folder can be the ground truth of a data set, or the ``pseudo_mask_dir`` that a segmentor trains on.

    Args:
        kind (str): One of ``FORMATS``.
        source (str | Path): File or folder of the tool.
        target (str | Path): Folder to write to.
        labels (LabelSet): Classes, in the order of their indices.
        images (str | Path, optional): Folder of the images, whose ids the masks get. Needed where the tool has changed
            file names. Defaults to None: the file names are those of the images.
        pseudo_masks (str | Path, optional): Folder of pseudo masks, which are copied for the images without
            annotations. Defaults to None.

    Returns:
        ImportSummary: How many masks there are of each kind.

    Raises:
        DataError: If the source is malformed, a label is no class, an image is there twice or is none of ``images``, or
            a mask is not of the size of the pseudo mask.
    """
    target = Path(target)
    known = _ImageIds(find_images(images), str(images)) if images is not None else None
    pseudo = _masks_in(Path(pseudo_masks)) if pseudo_masks is not None else {}
    if pseudo_masks is not None and target.resolve() == Path(pseudo_masks).resolve():
        raise DataError(f'{target}: expected another folder than that of the pseudo masks, which stay as they are')
    corrected: set[str] = set()
    for name, mask in _READERS[kind](source, labels):
        image_id = known.find(name, str(source)) if known else _without_suffix(name)
        check_image_id(image_id, str(source))
        if image_id in corrected:
            raise DataError(f'{source}: the image {image_id!r} is there twice')
        if image_id in pseudo and mask.shape != (size := read_mask(pseudo[image_id]).shape):
            raise DataError(
                f'{source}: {name}: expected {size[1]} x {size[0]} pixels like {pseudo[image_id]}, got '
                f'{mask.shape[1]} x {mask.shape[0]}'
            )
        write_mask(target / f'{image_id}.png', mask, labels.palette)
        corrected.add(image_id)
    if not corrected:
        raise DataError(f'{source}: expected an image with annotations, found none')
    others = [image_id for image_id in pseudo if image_id not in corrected]
    for image_id in others:
        atomic_write(target / f'{image_id}.png', pseudo[image_id].read_bytes())
    return ImportSummary(len(corrected), len(others))


class _ImageIds:
    """Finds images by the names that tools give them.

    Args:
        image_ids (iterable[str]): Paths of the images under their folder, without suffix.
        source (str): The folder, for messages.
    """

    def __init__(self, image_ids: Iterable[str], source: str) -> None:
        self.image_ids, self.source = set(image_ids), source
        self.by_last_part = defaultdict(list)
        for image_id in sorted(self.image_ids):
            self.by_last_part[PurePosixPath(image_id).name].append(image_id)

    def find(self, name: str, where: str) -> str:
        """The image of that path, or else the only one of that file name; uploads have eight characters before it.

        Raises:
            DataError: If there is none, or several.
        """
        image_id = _without_suffix(name)
        if image_id in self.image_ids:
            return image_id
        last = PurePosixPath(image_id).name
        found = self.by_last_part.get(last) or self.by_last_part.get(_UPLOADED.sub('', last)) or []
        if len(found) != 1:
            several = f', as {" and ".join(found[:_MAX_NAMED])} could be meant' if found else ''
            raise DataError(f'{where}: image {name!r} is none of {self.source}{several}')
        return found[0]


def _without_suffix(name: str) -> str:
    return os.path.splitext(name)[0] if name.lower().endswith(SUFFIXES) else name
