"""One's own photographs: a folder of images and their image-level labels as a data set with a held-out share."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.utils import track_iter_progress
from mmseg.datasets import BaseSegDataset

from mmwsss.fileio import DataError, atomic_write, atomic_write_json, check_image, map_parallel
from mmwsss.registry import DATASETS

from .image_labels import read_image_labels

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
LABEL_FILES = ('labels.json', 'labels.csv')
_HEADERS = ('id', 'image', 'image_id', 'file', 'filename', 'file_name', 'name', 'photo')


def find_images(folder: str | Path) -> dict[str, str]:
    """Lists the photographs under a folder.

    Args:
        folder (str | Path): Searched with all its sub-folders; hidden files and folders are passed over.

    Returns:
        dict[str, str]: Path relative to the folder, by image id, which is that path without its suffix; sorted.

    Raises:
        DataError: If there is no such folder, or two photographs differ only in the suffix.
    """
    if not os.path.isdir(folder):
        raise DataError(f'{folder}: expected a folder of photographs, found no such folder')
    found: dict[str, str] = {}
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        for name in sorted(files):
            if name.startswith('.') or not name.lower().endswith(SUFFIXES):
                continue
            relative = Path(os.path.relpath(os.path.join(parent, name), folder)).as_posix()
            image_id = os.path.splitext(relative)[0]
            if image_id in found:
                raise DataError(f'{folder}: {found[image_id]} and {relative} have the same image id; rename one')
            found[image_id] = relative
    return dict(sorted(found.items()))


def color_map(num_classes: int) -> list[list[int]]:
    """Well-separated RGB colors, black for class 0: the bits of an index, spread over the channels, as in VOC."""
    colors = []
    for index in range(num_classes):
        bits = [[index >> (3 * level + channel) & 1 for level in range(3)] for channel in range(3)]
        colors.append([sum(bit << (7 - level) for level, bit in enumerate(channel)) for channel in bits])
    return colors


@DATASETS.register_module()
class FolderDataset(BaseSegDataset):
    """Photographs of any suffix under one folder, as ``tools/dataset_converters/folder.py`` lists them.

    Its palette is :func:`color_map` unless ``metainfo`` gives one. Other arguments are those of ``BaseSegDataset``.
    """

    def __init__(self, metainfo: dict | None = None, **kwargs: object) -> None:
        metainfo = dict(metainfo or {})
        metainfo.setdefault('palette', color_map(len(metainfo.get('classes', ()))))
        super().__init__(metainfo=metainfo, **kwargs)

    def load_data_list(self) -> list[dict]:
        folder = self.data_prefix['img_path']
        present = find_images(folder)
        if not self.ann_file:
            raise DataError(f'{folder}: FolderDataset needs the list of its photographs as ann_file')
        samples = super().load_data_list()
        for sample in samples:
            image_id = os.path.relpath(sample['img_path'].removesuffix(self.img_suffix), folder)
            if image_id in present:
                sample['img_path'] = os.path.join(folder, present[image_id])
        return samples


class FolderSummary(NamedTuple):
    """What :func:`write_folder_dataset` made.

    Attributes:
        classes (list[str]): Background first.
        train (list[str]): Image ids.
        held_out (list[str]): Image ids.
        labels (dict[str, list[str]]): Class names of each photograph.
        warnings (list[str]): What was left out, and why; one line each.
    """

    classes: list[str]
    train: list[str]
    held_out: list[str]
    labels: dict[str, list[str]]
    warnings: list[str]

    def counts(self, image_ids: Iterable[str]) -> Counter[str]:
        """Photographs of each class."""
        return Counter(name for image_id in image_ids for name in self.labels[image_id])


def split_held_out(labels: Mapping[str, Sequence[str]], share: float, seed: int = 0) -> tuple[list[str], list[str]]:
    """Splits photographs so that each class has about the same share held out.

    Classes are gone through from the rarest. A class of two photographs or more has one held out and one to learn
    from, where the classes before it leave that choice.

    Args:
        labels (dict): Class names of each image id.
        share (float): Of the photographs that are held out, in (0, 1).
        seed (int): Of the choice. Defaults to 0.

    Returns:
        tuple[list[str], list[str]]: Ids to learn from and held out, sorted.
    """
    order = [str(image_id) for image_id in np.random.default_rng(seed).permutation(sorted(labels))]
    left = Counter(name for names in labels.values() for name in set(names))
    wanted = {name: max(1, round(share * count)) if count > 1 else 0 for name, count in left.items()}
    held_out: dict[str, None] = {}

    def hold_out(image_id: str) -> None:
        held_out[image_id] = None
        for name in set(labels[image_id]):
            left[name] -= 1
            wanted[name] -= 1

    for rarest in sorted(wanted, key=lambda name: (left[name], name)):
        for image_id in order:
            if wanted[rarest] <= 0:
                break
            names = set(labels[image_id])
            if rarest in names and image_id not in held_out and all(left[name] > 1 for name in names):
                hold_out(image_id)
    unlabelled = [image_id for image_id in order if not labels[image_id]]
    for image_id in unlabelled[: round(share * len(unlabelled))]:
        hold_out(image_id)
    return sorted(set(labels) - set(held_out)), sorted(held_out)


def write_folder_dataset(
    photos: str | Path,
    root: str | Path,
    labels: str | Path | None = None,
    classes: Sequence[str] | None = None,
    masks: str | Path | None = None,
    held_out: float = 0.1,
    seed: int = 0,
    num_workers: int = 4,
) -> FolderSummary:
    """Makes a data set of a folder of photographs, which stay where they are.

    ``root`` receives ``images`` and, if given, ``masks`` (links to the folders), ``image_labels.json``, ``train.txt``
    and ``val.txt``. Every photograph is decoded once. Left out, with a warning each, are photographs without labels and
    those that cannot be decoded.

    Args:
        photos (str | Path): Folder of photographs, with sub-folders.
        root (str | Path): Target folder; what an earlier call wrote there is replaced.
        labels (str | Path, optional): ``{image: [class name, ...]}`` as JSON, or rows ``image,class name,...`` as CSV;
            an image is named by its path under ``photos``, with or without suffix. By default ``labels.json`` or
            ``labels.csv`` in ``photos``.
        classes (sequence[str], optional): Names without the background, in the order wanted. By default all in the
            labels, by alphabet.
        masks (str | Path, optional): Folder of masks ``<image id>.png`` to measure with. Defaults to None.
        held_out (float): Share of the photographs that nothing trains on, in (0, 1). Defaults to 0.1.
        seed (int): Of the split. Defaults to 0.
        num_workers (int): Threads that decode photographs. Defaults to 4.

    Returns:
        FolderSummary: The classes, the split and the warnings.

    Raises:
        DataError: If there are no photographs or labels, a label is no class or two are the same but for case, or too
            few photographs are left to hold one out.
    """
    photos, root = Path(photos), Path(root)
    if not 0 < held_out < 1:
        raise DataError(f'held-out share: expected a number between 0 and 1, got {held_out}')
    present = find_images(photos)
    source = str(labels or _find_labels(photos))
    given, warnings = _match_labels(read_image_labels(source), present, photos, source)
    classes = _check_classes(given, classes, source)
    check = partial(_problem_of_photo, photos)
    paths = [present[image_id] for image_id in given]
    problems = track_iter_progress((map_parallel(check, paths, num_workers), len(paths)))
    for image_id, problem in zip(list(given), list(problems), strict=True):
        if problem:
            warnings.append(f'{problem}: left out')
            del given[image_id]
    train, val = split_held_out(given, held_out, seed)
    if not train or not val:
        raise DataError(
            f'{photos}: expected photographs to learn from and to hold out, got {len(train)} and {len(val)}; '
            'each class needs two photographs at least'
        )
    summary = FolderSummary(['background', *classes], train, val, given, warnings)
    learnt, kept = summary.counts(train), summary.counts(val)
    warnings += [f'class {name!r} has no photograph to learn from' for name in classes if not learnt[name]]
    warnings += [f'class {name!r} has no held-out photograph' for name in classes if not kept[name]]
    _link(root / 'images', photos)
    if masks is not None:
        _link(root / 'masks', Path(masks))
    for name, image_ids in (('train', train), ('val', val)):
        atomic_write(root / f'{name}.txt', ''.join(f'{image_id}\n' for image_id in image_ids).encode())
    atomic_write_json(root / 'image_labels.json', given)
    return summary


def _find_labels(photos: Path) -> Path:
    found = [photos / name for name in LABEL_FILES if (photos / name).is_file()]
    if len(found) != 1:
        raise DataError(f'{photos}: expected either {" or ".join(LABEL_FILES)}, found {len(found)} of them')
    return found[0]


def _match_labels(
    labels: Mapping[str, Sequence[str]], present: Mapping[str, str], photos: Path, source: str
) -> tuple[dict[str, list[str]], list[str]]:
    """Labels by image id, of photographs that are there, and what does not fit."""
    ids = {path: image_id for image_id, path in present.items()}
    matched: dict[str, list[str]] = {}
    warnings = []
    for position, (key, names) in enumerate(labels.items()):
        image_id = key if key in present else ids.get(Path(key).as_posix())
        if image_id is None:
            if position > 0 or key.lower() not in _HEADERS:
                warnings.append(f'{source}: labels of {key!r}, but {photos} has no such photograph')
        elif image_id in matched:
            raise DataError(f'{source}: photograph {image_id!r} is there twice')
        else:
            matched[image_id] = sorted({name.strip() for name in names} - {''})
    if not matched:
        example = next(iter(present.values()), None)
        raise DataError(
            f'{source}: expected labels of the photographs in {photos}'
            + (f', such as {example!r}, found none of them' if example else ', which has none')
        )
    warnings += [f'{photos / path}: no labels in {source}: left out' for path, i in ids.items() if i not in matched]
    return dict(sorted(matched.items())), warnings


def _check_classes(labels: Mapping[str, Sequence[str]], classes: Sequence[str] | None, source: str) -> list[str]:
    used = sorted({name for names in labels.values() for name in names})
    spelled: dict[str, str] = {}
    for name in used:
        other = spelled.setdefault(name.casefold(), name)
        if other != name:
            raise DataError(f'{source}: classes {other!r} and {name!r} differ only in case; use one of them')
    if 'background' in spelled:
        raise DataError(f'{source}: background is no label; a photograph with nothing else has an empty list')
    unknown = sorted(set(used) - set(classes if classes is not None else used))
    if unknown:
        raise DataError(f'{source}: labels {unknown} are none of the classes {list(classes or ())}')
    chosen = list(classes) if classes is not None else used
    if not 1 <= len(chosen) <= 253:
        raise DataError(f'{source}: expected 1 to 253 classes beside the background, got {len(chosen)}')
    return chosen


def _problem_of_photo(folder: Path, path: str) -> str | None:
    try:
        check_image(str(folder / path))
    except DataError as error:
        return str(error)
    return None


def _link(path: Path, target: Path) -> None:
    target = target.resolve()
    if path.is_symlink():
        path.unlink()
    elif path.resolve() == target:
        return
    elif path.exists():
        raise DataError(f'{path}: expected none or a link of an earlier call; it is left as it is')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target, target_is_directory=True)
