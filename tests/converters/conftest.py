"""Tiny data sets in the formats that PASCAL VOC, COCO, Cityscapes and CamVid are distributed in."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

SIZE = (40, 56)


def halves(*indices, size=SIZE):
    """A mask of vertical bands of these indices."""
    return np.tile(np.repeat(np.array(indices, np.uint8), -(-size[1] // len(indices)))[: size[1]], (size[0], 1))


def write_image(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def write_lines(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(f'{line}\n' for line in lines))


@pytest.fixture
def raw_voc12(tmp_path, make_image):
    """VOC 2012 and SBD: SBD has a mask of an image of VOC's train, one of its val, and two others."""
    root, sbd = tmp_path / 'VOC2012', tmp_path / 'sbd'
    bands = dict(a=(0, 8, 255), b=(0, 15), c=(0, 12), d=(0, 8), e=(15, 12))
    names = {8: 'cat', 12: 'dog', 15: 'person'}
    for number, image_id in enumerate('abcdef'):
        write_image(root / 'JPEGImages' / f'{image_id}.jpg', make_image(SIZE, number))
    for image_id in 'abc':
        write_image(root / 'SegmentationClass' / f'{image_id}.png', halves(*bands[image_id]))
    for image_id, indices in bands.items():
        objects = ''.join(
            f'<object><name>{names[index]}</name><difficult>1</difficult><part><name>head</name></part></object>'
            for index in indices
            if index in names
        )
        (root / 'Annotations').mkdir(exist_ok=True)
        (root / 'Annotations' / f'{image_id}.xml').write_text(f'<annotation>{objects}</annotation>')
    for name, ids in dict(train='ab', val='c', test='f').items():
        write_lines(root / 'ImageSets' / 'Segmentation' / f'{name}.txt', ids)
    (sbd / 'cls').mkdir(parents=True)
    for image_id, indices in dict(a=(0, 9), c=(0, 9), d=bands['d'], e=bands['e']).items():
        savemat(sbd / 'cls' / f'{image_id}.mat', dict(GTcls=dict(Segmentation=halves(*indices))))
    write_lines(sbd / 'train.txt', 'ad')
    write_lines(sbd / 'val.txt', 'ce')
    return SimpleNamespace(root=root, sbd=sbd, bands=bands, counts=dict(train_aug=4, train=2, val=1, test=1))


@pytest.fixture
def raw_coco(tmp_path, make_image):
    """COCO 2014: a small object before a large one, a crowd, and an image of train without any object."""
    root = tmp_path / 'coco'
    categories = [dict(id=1, name='person'), dict(id=17, name='cat'), dict(id=18, name='dog')]
    height, width = SIZE

    def box(left, top, right, bottom):
        return [[left, top, right, top, right, bottom, left, bottom]]

    crowd = np.zeros(SIZE, bool)
    crowd[:, 40:] = True
    runs = [40 * height, 16 * height]
    objects = dict(
        train=[
            [
                dict(category_id=17, area=100, iscrowd=0, segmentation=box(10, 10, 20, 20)),
                dict(category_id=1, area=900, iscrowd=0, segmentation=box(0, 0, 30, 30)),
            ],
            [
                dict(category_id=18, area=16 * height, iscrowd=1, segmentation=dict(size=list(SIZE), counts=runs)),
                dict(category_id=17, area=800, iscrowd=0, segmentation=box(0, 0, 40, 20)),
            ],
            [],
        ],
        val=[[dict(category_id=18, area=900, iscrowd=0, segmentation=box(0, 0, 30, 30))], []],
    )
    for split, images in objects.items():
        files = [f'COCO_{split}2014_{number:012d}.jpg' for number in range(len(images))]
        for number, file in enumerate(files):
            write_image(root / f'{split}2014' / file, make_image(SIZE, number))
        content = dict(
            categories=categories,
            images=[dict(id=n, file_name=file, height=height, width=width) for n, file in enumerate(files)],
            annotations=[dict(entry, image_id=n) for n, entries in enumerate(images) for entry in entries],
        )
        (root / 'annotations').mkdir(exist_ok=True)
        (root / 'annotations' / f'instances_{split}2014.json').write_text(json.dumps(content))
    return SimpleNamespace(root=root, crowd=crowd, counts={'2014': dict(train=2, val=2)})


@pytest.fixture
def raw_cityscapes(tmp_path, make_image):
    root = tmp_path / 'cityscapes'
    released = {
        'train/aachen/aachen_000000_000019': (7, 26, 1),
        'train/bonn/bonn_000001_000019': (7, 23, 33),
        'val/ulm/ulm_000000_000019': (26, 24, 0),
        'test/berlin/berlin_000000_000019': (0,),
    }
    for number, (name, indices) in enumerate(released.items()):
        write_image(root / 'leftImg8bit' / f'{name}_leftImg8bit.png', make_image(SIZE, number))
        write_image(root / 'gtFine' / f'{name}_gtFine_labelIds.png', halves(*indices))
    return SimpleNamespace(root=root, counts=dict(train=2, val=1, test=1))


@pytest.fixture
def raw_camvid(tmp_path, make_image):
    root = tmp_path / 'camvid'
    bands = {'train/a': (0, 3, 11), 'train/b': (0, 3, 8), 'val/c': (0, 3), 'test/d': (0, 10, 1)}
    for number, (name, indices) in enumerate(bands.items()):
        split, image_id = name.split('/')
        write_image(root / split / f'{image_id}.png', make_image(SIZE, number))
        (root / f'{split}annot').mkdir(exist_ok=True)
        Image.fromarray(halves(*indices)).save(root / f'{split}annot' / f'{image_id}.png')
    return SimpleNamespace(root=root, counts=dict(train=2, val=1, test=1))
