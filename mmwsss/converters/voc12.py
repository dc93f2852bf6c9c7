"""PASCAL VOC 2012 with the masks of SBD: lists, image-level labels, and the archive for the evaluation server."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from mmseg.datasets import PascalVOCDataset
from scipy.io import loadmat

from mmwsss.converters.dataset_files import (
    LABELS_FILE,
    check_counts,
    check_files,
    convert_files,
    read_list,
    write_labels,
    write_list,
)
from mmwsss.datasets.image_labels import read_image_labels
from mmwsss.fileio import DataError, read_class_mask, write_mask

CLASSES = PascalVOCDataset.METAINFO['classes']
PALETTE = PascalVOCDataset.METAINFO['palette']
COUNTS = MappingProxyType(dict(train_aug=10582, train=1464, val=1449, test=1456))
LISTS = Path('ImageSets', 'Segmentation')


def read_sbd_mask(path: str | Path) -> np.ndarray:
    """Read a mask of the Semantic Boundaries Dataset (Hariharan et al., ICCV 2011), in VOC's class indices.

    Args:
        path (str | Path): A ``.mat`` file of its folder ``cls``.

    Returns:
        ndarray: uint8 (H, W).

    Raises:
        DataError: If the file is no such mask or has an index that is no class.
    """
    try:
        mask = np.asarray(loadmat(str(path))['GTcls'][0, 0]['Segmentation'])
    except Exception as error:  # scipy fails on damaged files in a dozen ways
        raise DataError(f'{path}: expected a .mat file with GTcls.Segmentation ({error})') from error
    if mask.ndim != 2 or mask.dtype.kind not in 'iu' or mask.size == 0 or mask.min() < 0 or mask.max() >= len(CLASSES):
        raise DataError(f'{path}: expected a mask (H, W) of indices 0 to {len(CLASSES) - 1}, got other values')
    return mask.astype(np.uint8)


def convert_voc12(
    root: str | Path,
    sbd: str | Path | None = None,
    counts: Mapping[str, int] | None = COUNTS,
    num_workers: int = 0,
) -> dict[str, int]:
    """Add to the folder of VOC 2012 what the stages need.

    The function writes to ``root``:

    - ``image_labels.json``: the classes of every image of ``train_aug`` and ``val``, read from ``Annotations/*.xml``.
      Every annotated object counts, including difficult ones, as in AffinityNet's list.

    With SBD, it also writes:

    - ``ImageSets/Segmentation/train_aug.txt``: all images with a mask in SBD or VOC, except VOC's ``val``.
    - ``SegmentationClassAug``: their masks, VOC's own for ``train`` and SBD's for the others. No stage reads these
      masks. ``train`` and ``val`` are evaluated on VOC's own masks in ``SegmentationClass``.

    Args:
        root (str | Path): ``VOCdevkit/VOC2012``.
        sbd (str | Path, optional): ``benchmark_RELEASE/dataset``, with ``cls``, ``train.txt`` and ``val.txt``. Not
            needed if ``train_aug.txt`` exists. Defaults to None.
        counts (dict[str, int], optional): Expected lengths of the lists; None checks none. Defaults to the published
            ones.
        num_workers (int): Threads. Defaults to 0.

    Returns:
        dict[str, int]: Lengths of the lists; ``test``, a separate download, only if it is there.

    Raises:
        DataError: If a file is missing or damaged, or a list is not of the expected length.
    """
    root, lists = Path(root), Path(root) / LISTS
    ids = {name: read_list(lists / f'{name}.txt') for name in ('train', 'val')}
    if (lists / 'test.txt').is_file():
        ids['test'] = read_list(lists / 'test.txt')
    if sbd is None:
        ids['train_aug'] = read_list(lists / 'train_aug.txt')
    else:
        with_mask = {image_id for name in ('train', 'val') for image_id in read_list(Path(sbd, f'{name}.txt'))}
        ids['train_aug'] = sorted(with_mask.union(ids['train']).difference(ids['val']))
    check_counts({name: len(listed) for name, listed in ids.items()}, counts, root)
    listed = sorted({image_id for listed in ids.values() for image_id in listed})
    check_files((root / 'JPEGImages' / f'{image_id}.jpg' for image_id in listed), 'images of VOC 2012')
    masks = (root / 'SegmentationClass' / f'{image_id}.png' for name in ('train', 'val') for image_id in ids[name])
    check_files(masks, "VOC's own masks of train and val")
    labels = read_image_labels(str(root / 'Annotations'), sorted({*ids['train_aug'], *ids['val']}))
    if sbd is not None:
        convert = partial(_write_augmented_mask, root, Path(sbd), frozenset(ids['train']))
        convert_files(convert, ids['train_aug'], num_workers)
        write_list(lists / 'train_aug.txt', ids['train_aug'])
    write_labels(root / LABELS_FILE, labels)
    return {name: len(listed) for name, listed in ids.items()}


def _write_augmented_mask(root: Path, sbd: Path, own: frozenset[str], image_id: str) -> None:
    if image_id in own:
        mask = read_class_mask(root / 'SegmentationClass' / f'{image_id}.png', len(CLASSES))
    else:
        mask = read_sbd_mask(sbd / 'cls' / f'{image_id}.mat')
    write_mask(root / 'SegmentationClassAug' / f'{image_id}.png', mask, PALETTE)
