import json
import shutil

import numpy as np
import pytest
from scipy.io import savemat

from mmwsss.converters.dataset_files import read_list
from mmwsss.converters.voc12 import COUNTS, convert_voc12, read_sbd_mask
from mmwsss.fileio import DataError, read_mask


def test_lists_labels_and_masks(raw_voc12):
    root = raw_voc12.root
    assert convert_voc12(root, raw_voc12.sbd, raw_voc12.counts, num_workers=2) == raw_voc12.counts
    assert read_list(root / 'ImageSets/Segmentation/train_aug.txt') == ['a', 'b', 'd', 'e']
    labels = json.loads((root / 'image_labels.json').read_text())
    assert labels == dict(a=['cat'], b=['person'], c=['dog'], d=['cat'], e=['dog', 'person'])
    masks = {path.stem: read_mask(path) for path in (root / 'SegmentationClassAug').iterdir()}
    # VOC's own masks where there are some, though SBD says otherwise of a.
    for image_id in 'ab':
        np.testing.assert_array_equal(masks.pop(image_id), read_mask(root / f'SegmentationClass/{image_id}.png'))
    assert {image_id: np.unique(mask).tolist() for image_id, mask in masks.items()} == dict(d=[0, 8], e=[12, 15])


def test_without_sbd_the_list_must_be_there(raw_voc12):
    with pytest.raises(DataError, match=r'train_aug\.txt: expected a list'):
        convert_voc12(raw_voc12.root, counts=raw_voc12.counts)
    convert_voc12(raw_voc12.root, raw_voc12.sbd, raw_voc12.counts)
    shutil.rmtree(raw_voc12.sbd)
    (raw_voc12.root / 'image_labels.json').unlink()
    assert convert_voc12(raw_voc12.root, counts=raw_voc12.counts) == raw_voc12.counts
    assert (raw_voc12.root / 'image_labels.json').is_file()


def test_published_counts_are_expected(raw_voc12):
    assert COUNTS == dict(train_aug=10582, train=1464, val=1449, test=1456)
    with pytest.raises(DataError) as error:
        convert_voc12(raw_voc12.root, raw_voc12.sbd)
    for line in ('train: expected 1,464 images, found 2', 'train_aug: expected 10,582 images, found 4'):
        assert line in str(error.value)
    assert not (raw_voc12.root / 'image_labels.json').exists()


def test_test_may_be_absent(raw_voc12):
    (raw_voc12.root / 'ImageSets/Segmentation/test.txt').unlink()
    assert 'test' not in convert_voc12(raw_voc12.root, raw_voc12.sbd, raw_voc12.counts)


@pytest.mark.parametrize('name', ['JPEGImages/d.jpg', 'SegmentationClass/c.png', 'Annotations/e.xml'])
def test_missing_file_is_named(raw_voc12, name):
    (raw_voc12.root / name).unlink()
    with pytest.raises(DataError, match=name.replace('.', r'\.')):
        convert_voc12(raw_voc12.root, raw_voc12.sbd, raw_voc12.counts)


@pytest.mark.parametrize('content', [b'no matlab', None, dict(other=1), dict(GTcls=dict(Segmentation=[[21]]))])
def test_damaged_mask_of_sbd(tmp_path, content):
    path = tmp_path / 'a.mat'
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        savemat(path, content)
    with pytest.raises(DataError, match=r'a\.mat: expected a '):
        read_sbd_mask(path)
