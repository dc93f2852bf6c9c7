"""Seeds of other code as files of ours, and back."""

from pathlib import Path

from mmwsss.fileio import DataError, read_image, read_seeds, write_seeds
from mmwsss.fileio.npy_seeds import read_npy_seeds, write_npy_seeds

from .dataset_files import check_files, convert_files, read_list


def import_seeds(
    source: str,
    target: str,
    listed: str | None = None,
    images: str | None = None,
    maps: str | None = None,
    first_class: int = 1,
    stride: int = 4,
    normalize: bool = False,
    num_workers: int = 4,
) -> list[int]:
    """Turns a folder of ``.npy`` into one of ``.npz``.

    Args:
        source (str): Folder to read, with sub-folders.
        target (str): Folder to write.
        listed (str, optional): File of image ids, one a line. Defaults to None: every file of the folder.
        images (str, optional): Folder of images, where files have no map of their size. Defaults to None.
        maps (str, optional): Entry with the maps. Defaults to None: the one of the size of the image.
        first_class (int): Class index of key 0. Defaults to 1.
        stride (int): Pixels a cell that maps are averaged to. Defaults to 4.
        normalize (bool): Divide each map by its maximum. Defaults to False.
        num_workers (int): Threads. Defaults to 4.

    Returns:
        list[int]: Number of maps of each image.

    Raises:
        DataError: If files are missing, or one is no seeds of a known layout.
    """

    def convert(image_id: str) -> int:
        size = _image_size(images, image_id) if images else None
        seeds = read_npy_seeds(f'{source}/{image_id}.npy', size, maps, first_class, stride, normalize)
        write_seeds(f'{target}/{image_id}.npz', seeds)
        return len(seeds.class_ids)

    return convert_files(convert, _image_ids(source, '.npy', listed), num_workers)


def export_seeds(
    source: str,
    target: str,
    layout: str,
    listed: str | None = None,
    first_class: int = 1,
    num_workers: int = 4,
) -> list[int]:
    """Turns a folder of ``.npz`` into one of ``.npy`` that other code reads.

    Args:
        source (str): Folder to read, with sub-folders.
        target (str): Folder to write.
        layout (str): One of :data:`mmwsss.fileio.npy_seeds.LAYOUTS`.
        listed (str, optional): As of :func:`import_seeds`. Defaults to None.
        first_class (int): Class index that becomes key 0. Defaults to 1.
        num_workers (int): Threads. Defaults to 4.

    Returns:
        list[int]: Number of maps of each image.

    Raises:
        DataError: If files are missing or cannot be read.
    """

    def convert(image_id: str) -> int:
        seeds = read_seeds(f'{source}/{image_id}.npz')
        write_npy_seeds(f'{target}/{image_id}.npy', seeds, layout, first_class)
        return len(seeds.class_ids)

    return convert_files(convert, _image_ids(source, '.npz', listed), num_workers)


def _image_ids(source: str, suffix: str, listed: str | None) -> list[str]:
    if listed is not None:
        ids = read_list(listed)
        check_files([Path(source, image_id + suffix) for image_id in ids], 'seeds of all listed images')
    else:
        found = sorted(Path(source).rglob(f'*{suffix}'))
        ids = [path.relative_to(source).with_suffix('').as_posix() for path in found]
    if not ids:
        raise DataError(f'{source}: expected {suffix} files, found none')
    return ids


def _image_size(folder: str, image_id: str) -> tuple[int, int]:
    for suffix in ('.jpg', '.jpeg', '.png', '.JPEG', '.JPG'):
        if (path := Path(folder, image_id + suffix)).is_file():
            return read_image(str(path)).shape[:2]
    raise DataError(f'{folder}: expected an image {image_id}.jpg or .png')
