"""Makes a data set of a folder of images and their image-level labels, with a held-out share."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmwsss.datasets.class_names import BACKGROUND, check_class_names
from mmwsss.datasets.csv_labels import is_no_name
from mmwsss.datasets.folder import find_images, find_masks
from mmwsss.datasets.image_id_matching import match_image_ids
from mmwsss.datasets.image_labels import read_image_labels
from mmwsss.fileio import DataError, atomic_write, atomic_write_json, check_image, map_parallel
from mmwsss.fileio.white_masks import check_white_masks
from mmwsss.visualization.progress_bar import track

from .dataset_files import link_folder

_MAX_NAMED = 5
LABEL_FILES = ('labels.json', 'labels.csv', 'labels.tsv')
# In the place of a file of labels: each image is in the folder of its class.
FOLDERS = 'folders'


class FolderSummary(NamedTuple):
    """What :func:`write_folder_dataset` made.

    Attributes:
        classes (list[str]): Background first.
        train (list[str]): Image ids.
        held_out (list[str]): Image ids.
        labels (dict[str, list[str]]): Class names of each image.
        warnings (list[str]): What was left out, and why; one line each.
    """

    classes: list[str]
    train: list[str]
    held_out: list[str]
    labels: dict[str, list[str]]
    warnings: list[str]

    def counts(self, image_ids: Iterable[str]) -> Counter[str]:
        """Number of images of each class."""
        return Counter(name for image_id in image_ids for name in self.labels[image_id])


def split_held_out(labels: Mapping[str, Sequence[str]], share: float, seed: int = 0) -> tuple[list[str], list[str]]:
    """Splits images so that about the same share of each class is held out.

    Goes through the classes from the rarest. A class of two images or more gets one held out and one to learn from,
    unless the choice for rarer classes leaves none.

    Args:
        labels (dict): Class names of each image id.
        share (float): Share of the images that is held out, in (0, 1).
        seed (int): Seed of the choice. Defaults to 0.

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
    unlabeled = [image_id for image_id in order if not labels[image_id]]
    for image_id in unlabeled[: round(share * len(unlabeled))]:
        hold_out(image_id)
    return sorted(set(labels) - set(held_out)), sorted(held_out)


def write_folder_dataset(
    images: str | Path,
    root: str | Path,
    labels: str | Path | None = None,
    classes: Sequence[str] | None = None,
    masks: str | Path | None = None,
    held_out: float = 0.1,
    seed: int = 0,
    num_workers: int = 4,
) -> FolderSummary:
    """Makes a data set of a folder of images. The images stay where they are.

    The function writes ``image_labels.json``, ``train.txt`` and ``val.txt`` to ``root``, with a link ``images`` to the
    folder of images and, if masks are given, a link ``masks`` to theirs. It decodes every image once. It leaves out
    images without labels and images that cannot be decoded, with a warning for each.

    Args:
        images (str | Path): Folder of images, with sub-folders.
        root (str | Path): Target folder. Files of an earlier call are replaced.
        labels (str | Path, optional): ``{image: [class name, ...]}`` as JSON, or a table of
            :func:`mmwsss.datasets.csv_labels.parse_csv_labels` as CSV. An image is named by its path under ``images``,
            with or without suffix. ``'folders'``: an image has the class of the folder under ``images`` that it is in,
            and none in a folder called ``background``. Defaults to None: ``labels.json``, ``labels.csv`` or
            ``labels.tsv`` in ``images``.
        classes (sequence[str], optional): Names without the background, in the order wanted. Defaults to None: all
            names in the labels, in alphabetical order.
        masks (str | Path, optional): Folder of masks ``<image id>.png``. They are used to measure quality, never for
            training. Defaults to None.
        held_out (float): Share of the images that nothing trains on, in (0, 1). Defaults to 0.1.
        seed (int): Seed of the split. Defaults to 0.
        num_workers (int): Threads that decode images. Defaults to 4.

    Returns:
        FolderSummary: The classes, the split and the warnings.

    Raises:
        DataError: If there are no images or labels, a label is no class, two labels differ only in case, or too few
            images are left to hold one out.
    """
    images, root = Path(images), Path(root)
    if not 0 < held_out < 1:
        raise DataError(f'held-out share: expected a number between 0 and 1, got {held_out}')
    present = find_images(images)
    source = str(labels or _find_labels(images))
    by_folder = source == FOLDERS
    source = f'folders of {images}' if by_folder else source
    read = labels_of_folders(present) if by_folder else read_image_labels(source)
    given, warnings = _match_labels(read, present, images, source)
    classes = _check_classes(given, classes, source)
    warnings += _drop_damaged(given, present, images, num_workers)
    train, val = split_held_out(given, held_out, seed)
    if not train or not val:
        raise DataError(
            f'{images}: expected images to learn from and to hold out, got {len(train)} and {len(val)}; '
            'each class needs two images at least'
        )
    summary = FolderSummary(['background', *classes], train, val, given, warnings)
    to_learn, kept = summary.counts(train), summary.counts(val)
    warnings += [f'class {name!r} has no image to learn from' for name in classes if not to_learn[name]]
    warnings += [f'class {name!r} has no held-out image' for name in classes if not kept[name]]
    link_folder(root / 'images', images)
    if masks is not None:
        found = find_masks(masks, given)
        if not found:
            raise DataError(f'{masks}: expected masks such as {next(iter(given))}.png, found none of an image')
        check_white_masks(found.values(), str(masks))
        link_folder(root / 'masks', masks)
    for name, image_ids in (('train', train), ('val', val)):
        atomic_write(root / f'{name}.txt', ''.join(f'{image_id}\n' for image_id in image_ids).encode())
    atomic_write_json(root / 'image_labels.json', given)
    return summary


def labels_of_folders(image_ids: Iterable[str]) -> dict[str, list[str]]:
    """Labels of images that are sorted into a folder for each class.

    Args:
        image_ids (iterable[str]): Paths under the folder of images.

    Returns:
        dict[str, list[str]]: The name of the first folder of each path, or none for ``background``; without the images
        that are in no folder.

    Examples:
        >>> labels_of_folders(['cat/a', 'cat/indoors/b', 'background/c', 'd'])
        {'cat/a': ['cat'], 'cat/indoors/b': ['cat'], 'background/c': []}
    """
    folders = {image_id: image_id.split('/')[0] for image_id in image_ids if '/' in image_id}
    return {image_id: [] if name == BACKGROUND else [name] for image_id, name in folders.items()}


def _find_labels(images: Path) -> Path:
    found = [images / name for name in LABEL_FILES if (images / name).is_file()]
    if len(found) != 1:
        raise DataError(
            f'{images}: expected either {" or ".join(LABEL_FILES)}, found {len(found)} of them; where each class has a '
            f'folder of its name: --labels {FOLDERS}'
        )
    return found[0]


def _match_labels(
    labels: Mapping[str, Sequence[str]], present: Mapping[str, str], images: Path, source: str
) -> tuple[dict[str, list[str]], list[str]]:
    """Labels by image id, of images that are there, and what does not fit."""
    ids = {path: image_id for image_id, path in present.items()}
    exact = {key: key if key in present else ids.get(Path(key).as_posix()) for key in labels}
    named = [image_id for image_id in exact.values() if image_id is not None]
    meant = match_image_ids(present.keys() - set(named), [key for key, found in exact.items() if found is None], source)
    matched: dict[str, list[str]] = {}
    warnings = []
    for key, names in labels.items():
        image_id = exact[key] or meant.get(key)
        if image_id is None:
            warnings.append(f'{source}: labels of {key!r}, but {images} has no such image')
        elif image_id in matched:
            raise DataError(f'{source}: image {image_id!r} is there twice')
        else:
            matched[image_id] = sorted({name.strip() for name in names} - {''})
    if not matched:
        example = next(iter(present.values()), None)
        raise DataError(
            f'{source}: expected labels of the images in {images}'
            + (f', such as {example!r}, found none of them' if example else ', which has none')
        )
    warnings += [f'{images / path}: no labels in {source}: left out' for path, i in ids.items() if i not in matched]
    return dict(sorted(matched.items())), warnings


def _check_classes(labels: Mapping[str, Sequence[str]], classes: Sequence[str] | None, source: str) -> list[str]:
    used = sorted({name for names in labels.values() for name in names})
    numbers = [name for name in used if is_no_name(name)]
    if numbers and classes is None:
        raise DataError(
            f'{source}: expected class names, found {", ".join(numbers[:_MAX_NAMED])}; write the names of the classes '
            'into the header of the table, or, where classes are called so, name all of them with --classes'
        )
    spelled: dict[str, str] = {}
    for name in used:
        other = spelled.setdefault(name.casefold(), name)
        if other != name:
            raise DataError(f'{source}: classes {other!r} and {name!r} differ only in case; use one of them')
    if 'background' in spelled:
        raise DataError(f'{source}: background is no label; an image with nothing else has an empty list')
    unknown = sorted(set(used) - set(classes if classes is not None else used))
    if unknown:
        raise DataError(f'{source}: labels {unknown} are none of the classes {list(classes or ())}')
    chosen = list(classes) if classes is not None else used
    if 'background' in chosen:
        raise DataError('--classes: expected the names without the background')
    if chosen:
        check_class_names(['background', *chosen], '--classes' if classes is not None else source)
    if not 1 <= len(chosen) <= 253:
        raise DataError(f'{source}: expected 1 to 253 classes beside the background, got {len(chosen)}')
    return chosen


def _drop_damaged(
    labels: dict[str, list[str]], present: Mapping[str, str], images: Path, num_workers: int
) -> list[str]:
    """Takes images out of the labels that cannot be decoded; gives a line for each."""
    paths = [present[image_id] for image_id in labels]
    problems = track(map_parallel(partial(_problem_of_image, images), paths, num_workers), len(paths))
    damaged = {image_id: problem for image_id, problem in zip(labels, problems, strict=True) if problem}
    for image_id in damaged:
        del labels[image_id]
    return [f'{problem}: left out' for problem in damaged.values()]


def _problem_of_image(folder: Path, path: str) -> str | None:
    try:
        check_image(str(folder / path))
    except DataError as error:
        return str(error)
    return None
