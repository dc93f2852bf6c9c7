"""Images of any suffix under one folder."""

import os
from collections.abc import Iterable
from pathlib import Path

from mmseg.datasets import BaseSegDataset

from mmwsss.fileio import DataError
from mmwsss.registry import DATASETS

from .class_names import check_given_classes
from .image_id_matching import SUFFIXES, match_image_ids
from .palette import color_map


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


def find_masks(folder: str | Path, image_ids: Iterable[str], suffix: str = '.png') -> dict[str, str]:
    """Finds the masks of images, whose names may be other spellings of the image ids.

    Args:
        folder (str | Path): Folder of masks, with sub-folders.
        image_ids (iterable[str]): Ids of the images.
        suffix (str): End of the names of masks, in any case. Defaults to ``'.png'``.

    Returns:
        dict[str, str]: Path by image id; without the images that have none.

    Raises:
        DataError: If two names could mean one image, or one name two images.
    """
    if not os.path.isdir(folder):
        return {}
    found = {
        path.relative_to(folder).as_posix()[: -len(suffix)]: str(path)
        for path in sorted(Path(folder).rglob('*'))
        if path.name.lower().endswith(suffix.lower())
    }
    return {image_id: found[name] for name, image_id in match_image_ids(image_ids, found, str(folder)).items()}


@DATASETS.register_module()
class FolderDataset(BaseSegDataset):
    """Images of any suffix under one folder, as ``tools/dataset_converters/folder.py`` lists them.

    Its palette is that of :func:`color_map`, unless ``metainfo`` gives one. Other arguments are those of
    ``BaseSegDataset``.
    """

    def __init__(self, metainfo: dict | None = None, **kwargs: object) -> None:
        check_given_classes(metainfo, type(self).__name__)
        metainfo = self._load_metainfo(metainfo)
        metainfo.setdefault('palette', color_map(len(metainfo.get('classes', ()))))
        super().__init__(metainfo=metainfo, **kwargs)

    def load_data_list(self) -> list[dict]:
        folder = self.data_prefix['img_path']
        present = find_images(folder)
        if not self.ann_file:
            raise DataError(f'{folder}: FolderDataset needs the list of its images as ann_file')
        samples = super().load_data_list()
        listed = [os.path.relpath(sample['img_path'].removesuffix(self.img_suffix), folder) for sample in samples]
        meant = match_image_ids(present, listed, self.ann_file)
        masks = find_masks(self.data_prefix.get('seg_map_path') or '', meant.values(), self.seg_map_suffix)
        for name, sample in zip(listed, samples, strict=True):
            if name in meant:
                sample['img_path'] = os.path.join(folder, present[meant[name]])
                sample['seg_map_path'] = masks.get(meant[name], sample.get('seg_map_path'))
        return samples
