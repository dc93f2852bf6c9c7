"""Reads a whole data set before hours of training, and says what is wrong with it."""

import io
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from mmengine.config import Config
from PIL import Image, ImageDraw

from mmwsss.datasets.class_names import has_background
from mmwsss.datasets.image_id_matching import match_image_ids
from mmwsss.datasets.image_labels import read_image_labels
from mmwsss.engine.tool_options import plain_type
from mmwsss.evaluation.functional.confusion import IGNORE_INDEX, classes_of_ground_truth, read_ground_truth
from mmwsss.fileio import DataError, atomic_write, check_image, map_parallel, read_mask
from mmwsss.fileio.white_masks import holds_a_class, missing_classes, say_that_masks_are_white
from mmwsss.pipeline.preflight import check_weights, load_dataset
from mmwsss.visualization import draw_names, draw_overlay, load_font
from mmwsss.visualization.progress_bar import track

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
FEW_IMAGES = 10
THUMBNAIL = 180
COLUMNS = 8


@dataclass
class Entry:
    """An image and what lists, labels and folders say of it.

    Attributes:
        image_id (str): Path under the image folder without suffix.
        path (str): The image.
        trained_on (bool): Whether a stage trains on it.
        names (set[str], optional): Its image-level labels; None where they are not asked for, or those of its mask.
        mask (str, optional): Its mask, None where there is none to read.
        mask_classes (dict, optional): Class index of each index that the mask stores; None where they are the same.
    """

    image_id: str
    path: str
    trained_on: bool = False
    names: set[str] | None = None
    mask: str | None = None
    mask_classes: Mapping[int, int] | None = None


@dataclass
class DataSummary:
    """What :func:`check_data` found.

    Attributes:
        classes (list[str]): Names of the classes.
        palette (list): RGB color of each.
        with_background (bool): Whether class 0 is the background.
        problems (list[str]): What stops a stage or spoils it, one line each.
        warnings (list[str]): What may be meant, one line each.
        images (Counter): By ``trained_on``.
        labels (Counter): Images of each pair of ``trained_on`` and class name.
        sizes (Counter): Images of each height and width.
        pixels (ndarray): int64 (C,) of each class in the masks.
        ignored (int): Pixels of no class in the masks.
        masked (Counter): Images with a mask, by the name of each of their labels.
        white (Counter): Masks, by whether they hold nothing but 0 and 255.
    """

    classes: list[str] = field(default_factory=list)
    palette: list = field(default_factory=list)
    with_background: bool = True
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    images: Counter[bool] = field(default_factory=Counter)
    labels: Counter[tuple[bool, str]] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    ignored: int = 0
    masked: Counter[str] = field(default_factory=Counter)
    white: Counter[bool] = field(default_factory=Counter)

    @property
    def foreground(self) -> list[str]:
        """Names of the classes that image-level labels are about."""
        return self.classes[1 if self.with_background else 0 :]

    def table(self) -> str:
        """Images of each class, its share of the masks where there are some, and the sizes."""
        width = max(map(len, [*self.classes, 'images']))
        total = int(self.pixels.sum())
        lines = [f'{"":{width}}  trained on  others{"  % of masks" if total else ""}']
        shares = [f'  {100 * share / total:10.2f}' if total else '' for share in self.pixels.tolist()]
        for name, share in zip(self.classes, shares, strict=True):
            counts = [self.labels[trained_on, name] if name in self.foreground else '' for trained_on in (True, False)]
            lines.append(f'{name:{width}}  {counts[0]:>10}  {counts[1]:>6}{share}'.rstrip())
        lines.append(f'{"images":{width}}  {self.images[True]:>10}  {self.images[False]:>6}')
        for name, side in (('short', min), ('long', max)):
            sides = np.repeat([side(size) for size in self.sizes], list(self.sizes.values()))
            if len(sides):
                lines.append(f'{name} sides: {sides.min()} to {sides.max()} pixels, median {np.median(sides):.0f}')
        return '\n'.join(lines)


def check_data(
    configs: Mapping[str, Config],
    made_dirs: Iterable[str] = (),
    sheet: str | Path | None = None,
    num_shown: int = 48,
    num_workers: int = 4,
) -> DataSummary:
    """Decodes every image and mask that configs name, once, and compares them with labels and lists.

    Args:
        configs (dict[str, Config]): Config of each stage, by name.
        made_dirs (iterable[str]): Folders that stages fill; weights and masks under them are not asked for.
        sheet (str | Path, optional): Target ``.png`` of a sheet of images with their labels and masks drawn.
        num_shown (int): Images on the sheet: of each class in turn, the first ones of a fixed random order.
            Defaults to 48.
        num_workers (int): Threads that decode. Defaults to 4.

    Returns:
        DataSummary: Problems, warnings and figures. Of pictures, only the thumbnails of the sheet are kept in memory.

    Raises:
        DataError: If no config has a data set.
    """
    made = tuple(os.path.abspath(folder) + os.sep for folder in made_dirs)
    summary = DataSummary()
    entries: dict[str, Entry] = {}
    for stage, config in configs.items():
        _list_stage(stage, config, made, entries, summary)
    if not entries and not summary.problems:
        raise DataError(f'expected a config with one of {", ".join(LOADERS)}, found none')
    summary.problems, summary.warnings = list(dict.fromkeys(summary.problems)), list(dict.fromkeys(summary.warnings))
    summary.pixels = np.zeros(len(summary.classes), np.int64)
    shown = _choose(list(entries.values()), num_shown) if sheet is not None else set()
    read = partial(_read, summary=summary, shown=shown)
    thumbnails = []
    for result in track(map_parallel(read, entries.values(), num_workers), len(entries), 'reading'):
        _add(summary, result)
        if result.thumbnail is not None:
            thumbnails.append((result.entry.image_id, result.thumbnail))
    _check_balance(summary, list(entries.values()))
    _check_masks(summary)
    if sheet is not None and thumbnails:
        write_sheet(sheet, thumbnails)
    return summary


def _makes_labels(config: Config) -> bool:
    """Whether the test of a stage makes labels of the images that others train on."""
    return plain_type((config.get('test_cfg') or {}).get('type', 'TestLoop')) == 'LabelLoop'


def _list_stage(
    stage: str, config: Config, made: tuple[str, ...], entries: dict[str, Entry], summary: DataSummary
) -> None:
    try:
        check_weights(stage, config, made)
    except DataError as error:
        summary.problems.append(str(error))
    paths: dict[str, set[str]] = defaultdict(set)
    for loader in LOADERS:
        try:
            listed = _list_loader(stage, loader, config, made, summary)
        except DataError as error:
            summary.problems.append(str(error))
            continue
        for entry in listed:
            known = entries.setdefault(entry.path, entry)
            known.trained_on |= entry.trained_on
            known.names = entry.names if known.names is None else known.names
            if known.mask is None:
                known.mask, known.mask_classes = entry.mask, entry.mask_classes
            paths[loader].add(entry.path)
    measured = paths['val_dataloader'] | (set() if _makes_labels(config) else paths['test_dataloader'])
    for path in sorted(paths['train_dataloader'] & measured):
        summary.warnings.append(f'{path}: {stage} trains on this image and measures on it')


def _list_loader(stage: str, loader: str, config: Config, made: tuple[str, ...], summary: DataSummary) -> list[Entry]:
    """Images of one loader; what is wrong with its labels and lists goes to the summary."""
    dataloader = config.get(loader)
    if not dataloader:
        return []
    settings = dict(dataloader['dataset'])
    # The data set itself stops at the first label or mask that is wrong.
    unchecked = {name: None for name in ('image_labels', 'mask_list') if name in settings}
    dataset, samples = load_dataset(
        stage, dict(dataset={**settings, **unchecked}), config.get('default_scope', 'mmseg')
    )
    if dataset is None or not samples:
        return []
    if not summary.classes:
        summary.classes, summary.palette = list(dataset.metainfo['classes']), list(dataset.metainfo['palette'])
    summary.with_background = has_background(dataset.metainfo)
    # Of the images themselves: the wrapper passes over masks that are missing.
    images = getattr(dataset, 'images', dataset)
    folder = images.data_prefix.get('img_path') or ''
    masks = {sample['img_path']: sample.get('seg_map_path') for sample in images.load_data_list()}
    entries = []
    for sample in samples:
        image_id = sample.get('image_id') or os.path.splitext(os.path.relpath(sample['img_path'], folder))[0]
        entry = Entry(image_id, sample['img_path'], loader == 'train_dataloader')
        mask = masks[entry.path]
        entry.mask = None if mask is None or os.path.abspath(mask).startswith(made) else mask
        entry.mask_classes = classes_of_ground_truth(sample)
        entries.append(entry)
    labels = settings.get('image_labels')
    if labels and labels != 'masks':
        _match_labels(entries, labels, summary)
    if labels != 'masks':
        _keep_masks(entries, dataset, settings, loader, summary)
    return entries


def _match_labels(entries: Sequence[Entry], source: str, summary: DataSummary) -> None:
    image_ids = [entry.image_id for entry in entries]
    given = read_image_labels(source, image_ids)
    labels = {image_id: given[name] for name, image_id in match_image_ids(image_ids, given, source).items()}
    for entry in entries:
        names = labels.get(entry.image_id)
        if names is None:
            summary.problems.append(f'{source}: no image-level labels of image {entry.image_id!r}')
        for name in sorted(set(names or ()) - set(summary.foreground)):
            summary.problems.append(f'{source}: label {name!r} of image {entry.image_id!r} is no class')
        entry.names = set(names or ()) & set(summary.foreground)


def _keep_masks(
    entries: Sequence[Entry], dataset: Any, settings: Mapping[str, Any], loader: str, summary: DataSummary
) -> None:
    """Keeps the masks that are measured on: all of a list, of segmentors all, else those that are there."""
    if loader == 'train_dataloader':
        for entry in entries:
            entry.mask = None
        return
    if not hasattr(dataset, 'images'):
        return
    mask_list = settings.get('mask_list')
    if not mask_list:
        for entry in entries:
            entry.mask = entry.mask if entry.mask and os.path.isfile(entry.mask) else None
        return
    path = os.path.join(dataset.images.data_root or '', mask_list)
    try:
        listed = {line.strip() for line in Path(path).read_text(encoding='utf-8').splitlines()} - {''}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{path}: the list of masks cannot be read ({error})') from error
    meant = match_image_ids((entry.image_id for entry in entries), listed, path)
    for name in sorted(listed - meant.keys()):
        summary.warnings.append(f'{path}: {name!r} is none of the images')
    evaluated = set(meant.values())
    for entry in entries:
        entry.mask = entry.mask if entry.image_id in evaluated else None


def _choose(entries: Sequence[Entry], number: int) -> set[str]:
    """Paths of images for the sheet, of each class in turn."""
    order = [entries[index] for index in np.random.default_rng(0).permutation(len(entries))]
    by_class: dict[str, list[str]] = defaultdict(list)
    for entry in order:
        for name in sorted(entry.names or ()) or ['']:
            by_class[name].append(entry.path)
    turns = max(map(len, by_class.values()), default=0)
    paths = [group[turn] for turn in range(turns) for group in by_class.values() if turn < len(group)]
    return set(list(dict.fromkeys(paths))[:number])


class _Result(NamedTuple):
    entry: Entry
    problems: list[str]
    size: tuple[int, int] | None = None
    pixels: np.ndarray | None = None
    ignored: int = 0
    white: bool = False
    thumbnail: np.ndarray | None = None


def _read(entry: Entry, summary: DataSummary, shown: set[str]) -> _Result:
    try:
        image = check_image(entry.path)
    except DataError as error:
        return _Result(entry, [str(error)])
    size, problems, mask, pixels, ignored, white = image.shape[:2], [], None, None, 0, False
    if entry.mask is not None:
        try:
            mask = read_ground_truth(entry.mask, size, len(summary.classes), entry.mask_classes)
            pixels = np.bincount(mask[mask != IGNORE_INDEX], minlength=len(summary.classes))
            ignored = mask.size - int(pixels.sum())
            # What is stored counts, not what a subset of the classes makes of it.
            white = not holds_a_class(mask if entry.mask_classes is None else read_mask(entry.mask))
        except DataError as error:
            problems.append(str(error))
    thumbnail = _draw_thumbnail(image, mask, entry, summary) if entry.path in shown else None
    return _Result(entry, problems, size, pixels, ignored, white, thumbnail)


def _draw_thumbnail(image: np.ndarray, mask: np.ndarray | None, entry: Entry, summary: DataSummary) -> np.ndarray:
    scale = THUMBNAIL / max(image.shape[:2])
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    small = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
    if mask is not None:
        small = draw_overlay(
            small,
            cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST),
            summary.palette,
            background=0 if summary.with_background else None,
        )
    names = [name for name in summary.foreground if name in (entry.names or ())]
    return draw_names(small, names, [summary.palette[summary.classes.index(name)] for name in names])


def _add(summary: DataSummary, result: _Result) -> None:
    entry = result.entry
    summary.problems += result.problems
    summary.images[entry.trained_on] += 1
    if result.size is not None:
        summary.sizes[result.size] += 1
    names = entry.names
    if result.pixels is not None:
        summary.pixels += result.pixels
        summary.ignored += result.ignored
        summary.white[result.white] += 1
        summary.masked.update(entry.names or ())
        in_mask = {summary.classes[index] for index in result.pixels.nonzero()[0]} & set(summary.foreground)
        names = in_mask if names is None else names
        if in_mask - names:
            unlabeled = ', '.join(sorted(in_mask - names))
            summary.warnings.append(f'{entry.mask}: the mask holds {unlabeled}, the image-level labels do not')
        if names - in_mask:
            summary.warnings.append(f'{entry.mask}: the labels say {", ".join(sorted(names - in_mask))}, the mask not')
    for name in names or ():
        summary.labels[entry.trained_on, name] += 1


def _check_balance(summary: DataSummary, entries: Sequence[Entry]) -> None:
    if not any(entry.trained_on and entry.names is not None for entry in entries):
        return
    for name in summary.foreground:
        count = summary.labels[True, name]
        if count == 0:
            summary.problems.append(f'class {name!r}: no image to train on has it')
        elif count < FEW_IMAGES:
            summary.warnings.append(f'class {name!r}: only {count} images to train on have it')


def _check_masks(summary: DataSummary) -> None:
    if not summary.white:
        return
    if not summary.white[False] and summary.ignored:
        summary.problems.append(say_that_masks_are_white(summary.white[True]))
    else:
        summary.warnings += missing_classes(summary.pixels, summary.ignored, summary.classes, summary.masked)


def write_sheet(path: str | Path, thumbnails: Sequence[tuple[str, np.ndarray]]) -> None:
    """Writes one picture of all thumbnails with their names below.

    Args:
        path (str | Path): Target ``.png``; written whole or not at all.
        thumbnails (sequence): Name and picture, uint8 (h, w, 3) RGB of at most :data:`THUMBNAIL` pixels a side.
    """
    gap, line = 6, 16
    columns = min(COLUMNS, len(thumbnails))
    rows = -(-len(thumbnails) // columns)
    sheet = Image.new('RGB', (columns * (THUMBNAIL + gap) + gap, rows * (THUMBNAIL + line + gap) + gap), 'white')
    draw = ImageDraw.Draw(sheet)
    for index, (name, picture) in enumerate(thumbnails):
        left = gap + index % columns * (THUMBNAIL + gap)
        top = gap + index // columns * (THUMBNAIL + line + gap)
        sheet.paste(Image.fromarray(picture), (left, top))
        shown = name if len(name) <= 26 else f'…{name[-25:]}'
        draw.text((left, top + picture.shape[0] + 1), shown, fill='black', font=load_font(11))
    buffer = io.BytesIO()
    sheet.save(buffer, 'PNG', optimize=True)
    atomic_write(path, buffer.getvalue())
