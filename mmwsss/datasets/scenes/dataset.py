"""The data set on the disk and in MMSegmentation."""

import io
import json
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path

from mmseg.datasets import BaseSegDataset
from PIL import Image

from mmwsss.fileio import DataError, atomic_write, atomic_write_json, write_mask
from mmwsss.processes import worker_pool
from mmwsss.registry import DATASETS
from mmwsss.visualization.progress_bar import track

from .scene import CLASSES, SPLITS, make_scene

PALETTE = [[0, 0, 0], [214, 69, 65], [246, 196, 61], [58, 134, 214], [172, 86, 190], [88, 176, 94]]
FORMAT_VERSION = 3


def _write_scene(item: tuple[str, int], root: str, seed: int, size: int) -> tuple[str, list[str]]:
    """Write the image, the mask and the instances of one scene; returns its id and labels."""
    split, index = item
    scene = make_scene(index, split, seed, size)
    image_id = f'{split}_{index:05d}'
    buffer = io.BytesIO()
    Image.fromarray(scene.image).save(buffer, format='JPEG', quality=95, subsampling=0)
    atomic_write(Path(root, 'images', f'{image_id}.jpg'), buffer.getvalue())
    write_mask(Path(root, 'masks', f'{image_id}.png'), scene.mask, PALETTE)
    write_mask(Path(root, 'instances', f'{image_id}.png'), scene.instances, PALETTE)
    return image_id, scene.labels


def _is_complete(root: Path, settings: dict) -> bool:
    """Whether `root` holds the data set of these settings; raises if it holds anything but such scenes."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    try:
        found = json.loads((root / 'settings.json').read_text())
    except (OSError, ValueError):
        found = {}
    if not isinstance(found, dict) or found.get('dataset') != settings['dataset']:
        raise DataError(
            f'{root}: expected a folder of generated scenes, an empty one or none; '
            'it holds other files and is left as it is'
        )
    if found != settings or not (root / 'image_labels.json').is_file():
        return False
    files = [f'lists/{split}.txt' for split in SPLITS]
    for split in SPLITS:
        for index in range(settings[f'num_{split}']):
            name = f'{split}_{index:05d}'
            files += [f'images/{name}.jpg', f'masks/{name}.png', f'instances/{name}.png']
    return all((root / file).is_file() for file in files)


def write_scenes(
    root: str | Path,
    seed: int = 0,
    num_train: int = 400,
    num_val: int = 100,
    size: int = 128,
    workers: int = 0,
) -> bool:
    """Write the data set, unless it is already there with the same settings.

    The folder holds ``images/<image_id>.jpg``, ``masks/<image_id>.png``, ``instances/<image_id>.png`` (the number of
    the creature of each pixel, 0 for none), ``lists/{train,val}.txt``, ``image_labels.json`` (image id to class names,
    both splits) and ``settings.json``. It is written beside
    ``root`` and moved there when it is whole, so that ``root`` never holds half a data set.

    Args:
        root (str | Path): Target folder.
        seed (int): Seed of all scenes, from 0. Defaults to 0.
        num_train (int): Number of training scenes, at least 1. Defaults to 400.
        num_val (int): Number of held-out scenes, at least 1. Defaults to 100.
        size (int): Height and width in pixels, at least 32. Defaults to 128.
        workers (int): Number of processes; 0 generates in this one. The files are the same. Defaults to 0.

    Returns:
        bool: Whether the data set was generated; False if it was there.

    Raises:
        ValueError: If a number is out of its range.
        DataError: If ``root`` exists and holds other files than a data set of generated scenes.
    """
    for name, value, lowest in (
        ('seed', seed, 0),
        ('num_train', num_train, 1),
        ('num_val', num_val, 1),
        ('size', size, 32),
        ('workers', workers, 0),
    ):
        if value < lowest:
            raise ValueError(f'{name} must be at least {lowest}, got {value}')
    root = Path(root).resolve()
    settings = dict(
        dataset='mmwsss scenes',
        version=FORMAT_VERSION,
        seed=seed,
        num_train=num_train,
        num_val=num_val,
        size=size,
    )
    if _is_complete(root, settings):
        return False
    root.parent.mkdir(parents=True, exist_ok=True)
    partial_root = Path(tempfile.mkdtemp(prefix=f'.{root.name}.', suffix='.part', dir=root.parent))
    try:
        _generate(partial_root, settings, workers)
        partial_root.chmod(0o755)
        if root.exists():
            outdated = Path(tempfile.mkdtemp(prefix=f'.{root.name}.', suffix='.old', dir=root.parent))
            os.replace(root, outdated)
            os.replace(partial_root, root)
            shutil.rmtree(outdated)
        else:
            os.replace(partial_root, root)
    finally:
        shutil.rmtree(partial_root, ignore_errors=True)
    return True


def _generate(root: Path, settings: dict, workers: int) -> None:
    """Write all files of the data set into the empty folder `root`."""
    items = [(split, index) for split in SPLITS for index in range(settings[f'num_{split}'])]
    write = partial(_write_scene, root=str(root), seed=settings['seed'], size=settings['size'])
    if workers:
        with worker_pool(workers) as pool:
            written = list(track(pool.map(write, items, chunksize=8), len(items)))
    else:
        written = list(track(map(write, items), len(items)))
    for split in SPLITS:
        ids = [image_id for image_id, _ in written if image_id.startswith(f'{split}_')]
        atomic_write(root / 'lists' / f'{split}.txt', ('\n'.join(ids) + '\n').encode())
    atomic_write_json(root / 'image_labels.json', dict(written))
    atomic_write_json(root / 'settings.json', settings)


@DATASETS.register_module()
class ScenesDataset(BaseSegDataset):
    """Generated scenes of five classes of creatures, as written by ``tools/dataset_converters/scenes.py``.

    The docstring of this package says what is on the images and why each stage of the method gains on them.

    Examples:
        >>> dataset = dict(
        ...     type='ScenesDataset',
        ...     data_root='data/scenes',
        ...     ann_file='lists/train.txt',
        ...     data_prefix=dict(img_path='images', seg_map_path='masks'))
    """

    METAINFO = dict(classes=CLASSES, palette=PALETTE)

    def __init__(self, img_suffix: str = '.jpg', seg_map_suffix: str = '.png', **kwargs: object) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
