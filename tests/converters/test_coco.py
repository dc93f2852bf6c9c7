import json

import numpy as np
import pytest
from mmseg.registry import DATASETS

from mmwsss.converters.coco import CLASSES, COUNTS, PALETTE, convert_coco, rasterize, read_instances
from mmwsss.converters.dataset_files import read_list
from mmwsss.fileio import DataError, read_mask

pytest.importorskip('pycocotools', reason='pycocotools draws the masks of COCO')


def test_masks_lists_and_labels(raw_coco, mmseg_scope):
    root = raw_coco.root
    assert convert_coco(root, counts=raw_coco.counts, num_workers=2) == dict(train=2, val=2)
    ids = read_list(root / 'lists/train2014.txt')
    assert ids == ['COCO_train2014_000000000000', 'COCO_train2014_000000000001']
    labels = json.loads((root / 'image_labels2014.json').read_text())
    assert [labels[image_id] for image_id in ids] == [['cat', 'person'], ['cat', 'dog']]
    assert [labels[image_id] for image_id in read_list(root / 'lists/val2014.txt')] == [['dog'], []]
    dataset = DATASETS.build(
        dict(
            type='mmwsss.COCOObjectDataset',
            data_root=str(root),
            ann_file='lists/train2014.txt',
            data_prefix=dict(img_path='train2014', seg_map_path='masks/train2014'),
        )
    )
    person, cat, dog = (CLASSES.index(name) for name in ('person', 'cat', 'dog'))
    before, crowd = (read_mask(sample['seg_map_path']) for sample in dataset)
    # The small cat is drawn over the large person, though it comes first.
    assert before[15, 15] == cat and before[5, 5] == person and before[35, 50] == 0
    assert (crowd[raw_coco.crowd] == dog).all() and crowd[5, 5] == cat and crowd[30, 5] == 0


def test_80_classes_and_a_background():
    assert len(CLASSES) == len(set(CLASSES)) == len(PALETTE) == 81 and CLASSES[0] == 'background'
    assert PALETTE[0] == [0, 0, 0] and len({tuple(color) for color in PALETTE}) == 81


def test_every_kind_of_segmentation():
    from pycocotools import mask as coco_mask

    expected = np.zeros((6, 8), np.uint8)
    expected[:, 2:4] = 5
    encoded = coco_mask.encode(np.asfortranarray(expected > 0))
    for segmentation in (
        [[2, 0, 4, 0, 4, 6, 2, 6]],
        [[2, 0, 4, 0, 4, 3, 2, 3], [2, 3, 4, 3, 4, 6, 2, 6]],
        dict(size=[6, 8], counts=[12, 12, 24]),
        dict(size=[6, 8], counts=encoded['counts'].decode()),
    ):
        np.testing.assert_array_equal(rasterize([(5, 12.0, segmentation)], (6, 8)), expected)
    assert not rasterize([(5, 0, [])], (6, 8)).any() and not rasterize([], (6, 8)).any()


def test_published_counts_are_expected(raw_coco):
    assert {year: sum(counts.values()) for year, counts in COUNTS.items()} == {'2014': 122585, '2017': 122266}
    with pytest.raises(DataError, match='train: expected 82,081 images, found 2'):
        convert_coco(raw_coco.root)


def test_missing_image_is_named(raw_coco):
    (raw_coco.root / 'val2014/COCO_val2014_000000000001.jpg').unlink()
    with pytest.raises(DataError, match=r'COCO_val2014_000000000001\.jpg'):
        convert_coco(raw_coco.root, counts=None)


@pytest.mark.parametrize('change', ['{', '{}', None, '"animal"'])
def test_file_that_is_no_annotation_of_coco(raw_coco, change):
    path = raw_coco.root / 'annotations/instances_train2014.json'
    text = path.read_text()
    path.unlink()
    if change is not None:
        path.write_text(text.replace('"cat"', change) if 'animal' in change else change)
    with pytest.raises(DataError, match=r'instances_train2014\.json: expected the'):
        convert_coco(raw_coco.root, counts=None)


def test_malformed_object_is_named(raw_coco):
    path = raw_coco.root / 'annotations/instances_val2014.json'
    path.write_text(path.read_text().replace('[[0, 0, 30, 0, 30, 30, 0, 30]]', '[["x"]]'))
    with pytest.raises(DataError, match=r'COCO_val2014_000000000000\.jpg: its objects cannot be drawn'):
        convert_coco(raw_coco.root, counts=None)


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda found: found['annotations'][0].update(image_id=99), r'annotations\[0\] has image_id 99, .*: 99$'),
        (
            lambda found: found['annotations'][1].update(category_id='1'),
            r"annotations\[1\] has category_id '1', .*strings in annotations",
        ),
        (lambda found: found['images'].append(found['images'][0]), 'the image id .* is there twice$'),
    ],
)
def test_annotations_of_what_is_not_there_are_named(raw_coco, change, message):
    path = raw_coco.root / 'annotations' / 'instances_train2014.json'
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=f'instances_train2014.json: {message}'):
        read_instances(path)
