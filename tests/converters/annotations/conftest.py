"""Masks of several sizes with holes, diagonals, specks and pixels of no class, and their images."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mmwsss.converters.annotations import LabelSet
from mmwsss.fileio import read_mask, write_mask

CLASSES = ['background', 'cat', 'green plant', 'Straße']
SIZES = [(40, 56), (33, 47), (7, 5)]


def draw_mask(size, seed, with_background=True):
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 4, (5, 6), dtype=np.uint8)
    mask = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_NEAREST)
    specks = generator.random(size)
    mask[specks < 0.03] = 255
    mask[specks > 0.97] = 2
    mask[2, 2] = mask[3, 3] = 1
    return mask


@pytest.fixture
def mask_set(tmp_path, make_image):
    """A folder of images, one of masks, and the masks by image id."""
    masks = {}
    for index, (name, size) in enumerate(zip(['p0.jpg', 'sub/p 1.png', 'p2.JPG'], SIZES, strict=True)):
        image_id = name.rsplit('.', 1)[0]
        masks[image_id] = draw_mask(size, index)
        path = tmp_path / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), make_image(size, index))
        write_mask(tmp_path / 'masks' / f'{image_id}.png', masks[image_id], [[0, 0, 0]])
    # An image without any object, and one without a mask.
    masks['empty'] = np.zeros((6, 9), np.uint8)
    write_mask(tmp_path / 'masks' / 'empty.png', masks['empty'], [[0, 0, 0]])
    for name in ('empty', 'unmasked'):
        cv2.imwrite(str(tmp_path / 'images' / f'{name}.png'), make_image((6, 9)))
    return SimpleNamespace(
        root=tmp_path, images=tmp_path / 'images', masks=tmp_path / 'masks', by_id=masks, labels=LabelSet(CLASSES)
    )


@pytest.fixture
def read_folder():
    def read(folder):
        paths = sorted(folder.rglob('*.png'))
        return {path.relative_to(folder).with_suffix('').as_posix(): read_mask(path) for path in paths}

    return read
