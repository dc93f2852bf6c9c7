"""Cityscapes: masks of the 19 evaluated classes, lists and image-level labels."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from mmseg.datasets import CityscapesDataset

from mmwsss.converters.dataset_files import (
    LABELS_FILE,
    check_counts,
    check_files,
    convert_files,
    write_labels,
    write_list,
)
from mmwsss.fileio import DataError, read_mask, write_mask

CLASSES = CityscapesDataset.METAINFO['classes']
PALETTE = CityscapesDataset.METAINFO['palette']
COUNTS = MappingProxyType(dict(train=2975, val=500, test=1525))
# Index of each evaluated class in the released masks (*_labelIds.png); all others are not evaluated.
LABEL_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
NUM_LABEL_IDS = 34
IMAGE_SUFFIX, RELEASED_SUFFIX, MASK_SUFFIX = '_leftImg8bit.png', '_gtFine_labelIds.png', '_gtFine_labelTrainIds.png'


def convert_cityscapes(
    root: str | Path, counts: Mapping[str, int] | None = COUNTS, num_workers: int = 0
) -> dict[str, int]:
    """Write masks of the evaluated classes, lists and image-level labels.

    Cityscapes has no background. Its 19 classes are 0 to 18, and 255 is everything else (the hood of the car, bridges,
    unlabeled objects). Image-level labels are therefore multi-hot over all 19 classes; one pixel of a class is enough.

    The function writes three things under ``root``: masks ``gtFine/<split>/<id>_gtFine_labelTrainIds.png`` of ``train``
    and ``val``, lists ``lists/<split>.txt`` of ids ``<city>/<city>_<sequence>_<frame>``, and ``image_labels.json`` for
    ``train`` and ``val``.

    Args:
        root (str | Path): Folder of ``leftImg8bit`` and ``gtFine``.
        counts (dict[str, int], optional): Expected lengths of the lists; None checks none. Defaults to the published
            ones.
        num_workers (int): Threads. Defaults to 0.

    Returns:
        dict[str, int]: Lengths of the lists; ``test`` only if its images are there.

    Raises:
        DataError: If a mask is missing or damaged, or a list is not of the expected length.
    """
    root = Path(root)
    ids = {name: _list_images(root / 'leftImg8bit' / name) for name in COUNTS}
    if not ids['test']:
        del ids['test']
    found = {name: len(listed) for name, listed in ids.items()}
    check_counts(found, counts, root)
    folders = [(root / 'gtFine' / name, image_id) for name in ('train', 'val') for image_id in ids[name]]
    check_files((folder / f'{image_id}{RELEASED_SUFFIX}' for folder, image_id in folders), 'masks of Cityscapes')
    names = convert_files(partial(_convert_mask, _class_of_label_id()), folders, num_workers)
    for name, listed in ids.items():
        write_list(root / 'lists' / f'{name}.txt', listed)
    write_labels(root / LABELS_FILE, {image_id: present for (_, image_id), present in zip(folders, names, strict=True)})
    return found


def _list_images(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix().removesuffix(IMAGE_SUFFIX) for path in folder.glob(f'*/*{IMAGE_SUFFIX}')
    )


def _class_of_label_id() -> np.ndarray:
    lookup = np.full(256, 255, np.uint8)
    lookup[list(LABEL_IDS)] = range(len(LABEL_IDS))
    return lookup


def _convert_mask(lookup: np.ndarray, item: tuple[Path, str]) -> list[str]:
    folder, image_id = item
    released = read_mask(folder / f'{image_id}{RELEASED_SUFFIX}')
    if released.max(initial=0) >= NUM_LABEL_IDS:
        raise DataError(
            f'{folder / image_id}{RELEASED_SUFFIX}: expected indices 0 to {NUM_LABEL_IDS - 1}, got {released.max()}'
        )
    mask = lookup[released]
    write_mask(folder / f'{image_id}{MASK_SUFFIX}', mask, PALETTE)
    return [CLASSES[index] for index in np.flatnonzero(np.bincount(mask.ravel(), minlength=256)[:255])]
