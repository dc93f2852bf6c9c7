"""CamVid in the layout of the SegNet tutorial: checks, and image-level labels read off the masks."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from mmwsss.datasets.camvid import CamVidDataset
from mmwsss.datasets.image_labels import labels_from_mask

from .dataset_files import LABELS_FILE, check_counts, check_files, convert_files, write_labels

COUNTS = MappingProxyType(dict(train=367, val=101, test=233))


def convert_camvid(
    root: str | Path,
    labels_file: str | Path | None = None,
    counts: Mapping[str, int] | None = COUNTS,
    num_workers: int = 0,
) -> dict[str, int]:
    """Check the data set and write the image-level labels of all its splits, read off the masks.

    Args:
        root (str | Path): Folder of ``train``, ``trainannot``, ``val``, ``valannot``, ``test`` and ``testannot``.
        labels_file (str | Path, optional): Target JSON. Defaults to ``image_labels.json`` of ``root``.
        counts (dict[str, int], optional): Expected number of images of each split; None checks none. Defaults to
            the published ones.
        num_workers (int): Threads. Defaults to 0.

    Returns:
        dict[str, int]: Number of images of each split.

    Raises:
        DataError: If a mask is missing or holds an index above 11, or a split is not of the expected size.
    """
    root = Path(root)
    ids = {
        name: sorted(path.stem for path in (root / name).glob('*') if path.suffix in ('.png', '.jpg'))
        for name in COUNTS
    }
    found = {name: len(listed) for name, listed in ids.items()}
    check_counts(found, counts, root)
    masks = [root / f'{name}annot' / f'{image_id}.png' for name, listed in ids.items() for image_id in listed]
    check_files(masks, 'masks of CamVid')
    read = partial(
        labels_from_mask,
        classes=CamVidDataset.METAINFO['classes'],
        class_of_index=CamVidDataset.get_label_map(),
        with_background=False,
    )
    labels = convert_files(read, masks, num_workers)
    write_labels(labels_file or root / LABELS_FILE, {mask.stem: names for mask, names in zip(masks, labels)})
    return found
