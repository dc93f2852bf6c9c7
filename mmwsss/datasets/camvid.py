"""CamVid in the layout and with the 11 classes of the SegNet tutorial: the data set and its image-level labels."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from mmengine import fileio
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from .conversion import LABELS_FILE, check_counts, check_files, convert_files, write_labels
from .image_labels import labels_from_mask

COUNTS = MappingProxyType(dict(train=367, val=101, test=233))
VOID = 11


@DATASETS.register_module()
class CamVidDataset(BaseSegDataset):
    """Street scenes of Brostow et al. (PRL 2009) in the layout of the SegNet tutorial.

    Photographs are ``<split>/<id>.png``, or ``.jpg`` in re-encoded copies; masks are ``<split>annot/<id>.png``. The
    classes cover the image, there is no background. The masks' index 11, unlabelled, is read as 255.

    Args:
        img_suffix (str, optional): By default ``'.png'`` where the folder holds a PNG, and ``'.jpg'`` otherwise.
        **kwargs: Those of ``BaseSegDataset``.

    Example:
        >>> dataset = dict(
        ...     type='CamVidDataset',
        ...     data_root='data/camvid',
        ...     data_prefix=dict(img_path='train', seg_map_path='trainannot'))
    """

    img_suffix: str | None
    METAINFO: dict = dict(
        classes=(
            'sky',
            'building',
            'pole',
            'road',
            'pavement',
            'tree',
            'sign',
            'fence',
            'car',
            'pedestrian',
            'bicyclist',
        ),
        palette=[
            [128, 128, 128],
            [128, 0, 0],
            [192, 192, 128],
            [128, 64, 128],
            [60, 40, 222],
            [128, 128, 0],
            [192, 128, 128],
            [64, 64, 128],
            [64, 0, 128],
            [64, 64, 0],
            [0, 128, 192],
        ],
    )

    def __init__(self, img_suffix: str | None = None, **kwargs: object) -> None:
        super().__init__(img_suffix=img_suffix, **kwargs)

    @classmethod
    def get_label_map(cls, new_classes: Sequence[str] | None = None) -> dict[int, int]:
        """Class index of each index stored in the masks."""
        classes = cls.METAINFO['classes']
        return {**(super().get_label_map(new_classes) or dict(enumerate(range(len(classes))))), VOID: 255}

    def load_data_list(self) -> list[dict]:
        if self.img_suffix is None:
            files = fileio.list_dir_or_file(
                self.data_prefix['img_path'], list_dir=False, suffix='.png', backend_args=self.backend_args
            )
            self.img_suffix = '.png' if next(iter(files), None) else '.jpg'
        return super().load_data_list()


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
        counts (dict[str, int], optional): Expected photographs of each split; None checks none. Defaults to the
            published ones.
        num_workers (int): Threads. Defaults to 0.

    Returns:
        dict[str, int]: Photographs of each split.

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
