import json

import numpy as np
import pytest
from mmseg.registry import DATASETS

from mmwsss.converters.cityscapes import CLASSES, COUNTS, convert_cityscapes
from mmwsss.converters.dataset_files import read_list
from mmwsss.fileio import DataError, read_mask, write_mask


def test_masks_lists_and_labels(raw_cityscapes, mmseg_scope):
    root = raw_cityscapes.root
    assert convert_cityscapes(root, raw_cityscapes.counts, num_workers=2) == raw_cityscapes.counts
    ids = read_list(root / 'lists/train.txt')
    assert ids == ['aachen/aachen_000000_000019', 'bonn/bonn_000001_000019']
    labels = json.loads((root / 'image_labels.json').read_text())
    assert labels == {
        ids[0]: ['road', 'car'],
        ids[1]: ['road', 'sky', 'bicycle'],
        'ulm/ulm_000000_000019': ['person', 'car'],
    }
    assert read_list(root / 'lists/test.txt') == ['berlin/berlin_000000_000019']
    images = dict(
        type='CityscapesDataset',
        data_root=str(root),
        ann_file='lists/train.txt',
        data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
    )
    dataset = DATASETS.build(
        dict(
            type='mmwsss.ImageLabelDataset',
            dataset=images,
            image_labels=str(root / 'image_labels.json'),
            seed_dir='seeds',
        )
    )
    # The ids that files are named after are those of the list, which has no suffix of the images.
    assert [sample['image_id'] for sample in dataset] == ids
    assert dataset[0]['seed_path'] == f'seeds/{ids[0]}.npz' and dataset[0]['gt_label'].sum() == 2
    assert np.unique(read_mask(dataset[0]['seg_map_path'])).tolist() == [0, CLASSES.index('car'), 255]


def test_published_counts_are_expected(raw_cityscapes):
    assert COUNTS == dict(train=2975, val=500, test=1525)
    with pytest.raises(DataError, match='train: expected 2,975 images, found 2'):
        convert_cityscapes(raw_cityscapes.root)


def test_missing_mask_is_named(raw_cityscapes):
    (raw_cityscapes.root / 'gtFine/val/ulm/ulm_000000_000019_gtFine_labelIds.png').unlink()
    with pytest.raises(DataError, match=r'ulm_000000_000019_gtFine_labelIds\.png'):
        convert_cityscapes(raw_cityscapes.root, None)


def test_index_that_is_none_of_cityscapes(raw_cityscapes):
    path = raw_cityscapes.root / 'gtFine/val/ulm/ulm_000000_000019_gtFine_labelIds.png'
    write_mask(path, np.full((4, 4), 34, np.uint8), [(0, 0, 0)])
    with pytest.raises(DataError, match=r'ulm_000000_000019_gtFine_labelIds\.png: expected indices 0 to 33, got 34'):
        convert_cityscapes(raw_cityscapes.root, None)
