import json
from argparse import ArgumentParser

import cv2
import numpy as np
import pytest
from mmseg.registry import DATASETS

from mmwsss.commands.convert import camvid
from mmwsss.converters.camvid import COUNTS, convert_camvid, cut_tiles
from mmwsss.datasets import CamVidDataset
from mmwsss.fileio import DataError, read_class_mask, read_image, read_mask, write_mask

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def images(root, split='train', **settings):
    return dict(
        type='mmwsss.CamVidDataset',
        data_root=str(root),
        data_prefix=dict(img_path=split, seg_map_path=f'{split}annot'),
        **settings,
    )


def build(dataset, **settings):
    return DATASETS.build(dict(type='mmwsss.ImageLabelDataset', dataset=dataset, **settings))


def test_labels_of_the_file_are_those_of_the_masks(raw_camvid):
    root = raw_camvid.root
    assert convert_camvid(root, counts=raw_camvid.counts, num_workers=2) == raw_camvid.counts
    labels = json.loads((root / 'image_labels.json').read_text())
    assert labels == dict(
        a=['sky', 'road'], b=['sky', 'road', 'car'], c=['sky', 'road'], d=['sky', 'building', 'bicyclist']
    )
    from_file = build(images(root), image_labels=str(root / 'image_labels.json'))
    from_masks = build(images(root), image_labels='masks')
    assert [sample['image_id'] for sample in from_file] == ['a', 'b']
    for expected, sample in zip(from_file, from_masks, strict=True):
        np.testing.assert_array_equal(sample['gt_label'], expected['gt_label'])
        assert sample['gt_label'].shape == (11,)


def test_void_is_ignored_also_in_a_subset_of_the_classes(raw_camvid):
    sample = build(images(raw_camvid.root))[0]
    assert np.unique(read_class_mask(sample['seg_map_path'], 11, sample['label_map'])).tolist() == [0, 3, 255]
    subset = build(images(raw_camvid.root, metainfo=dict(classes=('road', 'car'))))
    assert subset.metainfo['palette'] == [CamVidDataset.METAINFO['palette'][index] for index in (3, 8)]
    assert np.unique(read_class_mask(subset[0]['seg_map_path'], 2, subset[0]['label_map'])).tolist() == [0, 255]


def test_images_may_be_re_encoded(raw_camvid):
    for path in (raw_camvid.root / 'train').iterdir():
        cv2.imwrite(str(path.with_suffix('.jpg')), cv2.imread(str(path)))
        path.unlink()
    assert [sample['image_id'] for sample in build(images(raw_camvid.root))] == ['a', 'b']
    assert convert_camvid(raw_camvid.root, counts=raw_camvid.counts) == raw_camvid.counts


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match='train'):
        build(images(tmp_path))[0]


def test_published_counts_are_expected(raw_camvid, tmp_path):
    assert COUNTS == dict(train=367, val=101, test=233)
    with pytest.raises(DataError, match='train: expected 367 images, found 2; val: expected 101'):
        convert_camvid(raw_camvid.root, tmp_path / 'labels.json')


def test_mask_that_is_missing_or_wrong_is_named(raw_camvid):
    path = raw_camvid.root / 'valannot/c.png'
    write_mask(path, np.full((40, 56), 12, np.uint8), [(0, 0, 0)])
    with pytest.raises(DataError, match=r'valannot/c\.png: index 12'):
        convert_camvid(raw_camvid.root, counts=None)
    path.unlink()
    with pytest.raises(DataError, match=r'valannot/c\.png'):
        convert_camvid(raw_camvid.root, counts=None)


@pytest.fixture
def quartered(raw_camvid):
    """Its images cut into 2 x 4 tiles; vertical bands of classes run through them."""
    return cut_tiles(raw_camvid.root, 2, 4), raw_camvid.root / 'tiles_2x4'


def test_tiles_are_a_data_set_with_labels_of_their_own(quartered):
    counts, folder = quartered
    # Of a, the last column is void.
    assert counts == dict(train=14, val=8)
    samples = build(images(folder), image_labels=str(folder / 'image_labels.json'))
    labels = {sample['image_id']: sample['gt_class_ids'].tolist() for sample in samples}
    assert labels == {
        **{f'a_{row}_{column}': ids for row in (0, 1) for column, ids in enumerate([[0], [0, 3], [3]])},
        **{f'b_{row}_{column}': ids for row in (0, 1) for column, ids in enumerate([[0], [0, 3], [3, 8], [8]])},
    }
    of_masks = build(images(folder), image_labels='masks')
    assert {sample['image_id']: sample['gt_class_ids'].tolist() for sample in of_masks} == labels


def test_tiles_put_together_are_the_image_and_its_mask(quartered, raw_camvid):
    _, folder = quartered
    for part, read in (('train', read_image), ('trainannot', read_mask)):
        rows = [[read(str(folder / part / f'b_{row}_{column}.png')) for column in range(4)] for row in range(2)]
        whole = np.concatenate([np.concatenate(row, axis=1) for row in rows])
        np.testing.assert_array_equal(whole, read(str(raw_camvid.root / part / 'b.png')))


def test_tiles_appear_once_all_are_there(raw_camvid, tmp_path):
    write_mask(raw_camvid.root / 'valannot/c.png', np.zeros((40, 50), np.uint8), [(0, 0, 0)])
    with pytest.raises(DataError, match=r'valannot/c\.png: expected a mask of the size of .*val/c\.png'):
        cut_tiles(raw_camvid.root, 2, 2, tmp_path / 'tiles')
    assert not (tmp_path / 'tiles').exists()
    write_mask(raw_camvid.root / 'valannot/c.png', np.zeros((40, 56), np.uint8), [(0, 0, 0)])
    cut_tiles(raw_camvid.root, 2, 2, tmp_path / 'tiles', num_workers=2)
    assert sorted(path.name for path in (tmp_path / 'tiles').iterdir()) == [
        *('image_labels.json', 'train', 'trainannot', 'val', 'valannot')
    ]
    with pytest.raises(DataError, match='tiles: expected no such folder'):
        cut_tiles(raw_camvid.root, 2, 2, tmp_path / 'tiles')


def test_what_cannot_be_cut_is_named(raw_camvid):
    with pytest.raises(DataError, match='0 x 2'):
        cut_tiles(raw_camvid.root, 0, 2)
    with pytest.raises(DataError, match='2 x 0'):
        cut_tiles(raw_camvid.root, 2, 0)
    with pytest.raises(DataError, match=r'train/a\.png: expected an image of at least 41 x 2 pixels'):
        cut_tiles(raw_camvid.root, 41, 2)
    (raw_camvid.root / 'valannot/c.png').unlink()
    with pytest.raises(DataError, match=r'valannot/c\.png'):
        cut_tiles(raw_camvid.root, 2, 2)
    (raw_camvid.root / 'val/c.png').unlink()
    with pytest.raises(DataError, match='val: expected images to cut'):
        cut_tiles(raw_camvid.root, 2, 2)


def test_tool_cuts_tiles_on_request(raw_camvid, capsys):
    parser = ArgumentParser()
    camvid.add_arguments(parser)
    root = str(raw_camvid.root)
    camvid.run(parser.parse_args([root, '--partial']))
    assert 'Tiles' not in capsys.readouterr().out
    camvid.run(parser.parse_args([root, '--partial', '--tiles', '2', '4']))
    assert 'Tiles: train 14, val 8' in capsys.readouterr().out


def test_a_folder_for_tiles_needs_a_grid(raw_camvid):
    parser = ArgumentParser()
    camvid.add_arguments(parser)
    with pytest.raises(DataError, match='^--tiles-dir: expected --tiles ROWS COLUMNS'):
        camvid.run(parser.parse_args([str(raw_camvid.root), '--partial', '--tiles-dir', 'tiles']))
