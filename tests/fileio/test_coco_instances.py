import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from mmwsss.fileio import DataError, merge_instances, read_instances, write_instances


def masks_of(*boxes, size=(6, 8)):
    """Masks of boxes (top, bottom, left, right)."""
    masks = np.zeros((len(boxes), *size), bool)
    for mask, (top, bottom, left, right) in zip(masks, boxes, strict=True):
        mask[top:bottom, left:right] = True
    return masks


def test_cocos_reader_finds_what_was_written(tmp_path):
    first, second = masks_of((1, 4, 2, 7), (5, 6, 0, 1)), masks_of((0, 2, 0, 3), size=(4, 5))
    write_instances(tmp_path / 'a.json', 'a.jpg', first, [3, 1], [0.5, 0.25])
    write_instances(tmp_path / 'sub/b.json', 'sub/b.jpg', second, [1], [1])
    write_instances(tmp_path / 'c.json', 'c.jpg', first[:0], [], [])
    names = {1: 'bird', 3: 'fish'}
    sources = [tmp_path / name for name in ('a.json', 'sub/b.json', 'c.json')]
    assert merge_instances(tmp_path / 'all.json', sources, names) == 3
    coco = COCO(str(tmp_path / 'all.json'))
    assert {one['id']: one['name'] for one in coco.loadCats(coco.getCatIds())} == names
    images = coco.loadImgs([1, 2, 3])
    assert [image['file_name'] for image in images] == ['a.jpg', 'sub/b.jpg', 'c.jpg']
    assert [(image['height'], image['width']) for image in images] == [(6, 8), (4, 5), (6, 8)]
    found = coco.loadAnns([1, 2, 3])
    assert [(one['image_id'], one['category_id'], one['score']) for one in found] == [
        (1, 3, 0.5),
        (1, 1, 0.25),
        (2, 1, 1),
    ]
    for one, mask in zip(found, (*first, *second), strict=True):
        np.testing.assert_array_equal(coco.annToMask(one), mask)
        assert one['area'] == mask.sum() and one['bbox'] == coco_mask.toBbox(one['segmentation']).tolist()
    results = coco.loadRes(json.loads((tmp_path / 'all.json').read_text())['annotations'])
    assert len(results.getAnnIds()) == 3


def test_an_empty_mask_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match=r'a\.json must have pixels'):
        write_instances(tmp_path / 'a.json', 'a.jpg', masks_of((1, 1, 0, 4)), [1], [1.0])
    with pytest.raises(ValueError):
        write_instances(tmp_path / 'a.json', 'a.jpg', masks_of((1, 2, 0, 4)), [1, 2], [1.0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('content', [None, '', '{', '[]', '{"image": {}}', '{"image": {}, "annotations": [1]}'])
def test_damage_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / 'a.json').write_text(content)
    with pytest.raises(DataError, match=r'a\.json: expected the objects of one image'):
        read_instances(tmp_path / 'a.json')
    with pytest.raises(DataError, match=r'a\.json'):
        merge_instances(tmp_path / 'all.json', [tmp_path / 'a.json'], {})
    assert not (tmp_path / 'all.json').exists()
