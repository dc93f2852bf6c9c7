"""Images of any suffix under one folder."""

import os
from pathlib import Path

from mmseg.datasets import BaseSegDataset

from mmwsss.fileio import DataError
from mmwsss.registry import DATASETS

from .palette import color_map

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')


def find_images(folder: str | Path) -> dict[str, str]:
    """Lists the images under a folder.

    Args:
        folder (str | Path): Searched with all its sub-folders, except hidden files and folders.

    Returns:
        dict[str, str]: Path relative to the folder by image id, which is this path without its suffix; sorted.

    Raises:
        DataError: If there is no such folder, or two images differ only in the suffix.
    """
    if not os.path.isdir(folder):
        raise DataError(f'{folder}: expected a folder of images, found no such folder')
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


@DATASETS.register_module()
class FolderDataset(BaseSegDataset):
    """Images of any suffix under one folder, as ``tools/dataset_converters/folder.py`` lists them.

    Its palette is that of :func:`color_map`, unless ``metainfo`` gives one. Other arguments are those of
    ``BaseSegDataset``.
    """

    def __init__(self, metainfo: dict | None = None, **kwargs: object) -> None:
        metainfo = dict(metainfo or {})
        metainfo.setdefault('palette', color_map(len(metainfo.get('classes', ()))))
        super().__init__(metainfo=metainfo, **kwargs)

    def load_data_list(self) -> list[dict]:
        folder = self.data_prefix['img_path']
        present = find_images(folder)
        if not self.ann_file:
            raise DataError(f'{folder}: FolderDataset needs the list of its images as ann_file')
        samples = super().load_data_list()
        for sample in samples:
            image_id = os.path.relpath(sample['img_path'].removesuffix(self.img_suffix), folder)
            if image_id in present:
                sample['img_path'] = os.path.join(folder, present[image_id])
        return samples
