import copy
import json
import os.path as osp
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.dataset import BaseDataset
from mmengine.runner import Runner
from mmseg.registry import DATASETS

from mmwsss.datasets import image_label_dataset
from mmwsss.fileio import DataError, read_class_mask

pytestmark = pytest.mark.usefixtures('mmseg_scope')

LABELS = [['disc'], ['stripe', 'box'], [], ['disc', 'stripe', 'box']]


def build(dataset, **settings):
    return DATASETS.build(dict(type='mmwsss.ImageLabelDataset', dataset=dataset, **settings))


def test_samples(image_set):
    data = image_set(LABELS)
    dataset = build(
        data.dataset,
        image_labels=data.labels,
        seed_dir='seeds',
        affinity_label_dir='labels',
        pseudo_mask_dir='masks',
        pixel_weight_dir='weights',
    )
    assert len(dataset) == 4 and dataset.metainfo['classes'] == data.classes
    assert dataset.foreground == data.classes[1:]
    samples = {sample['image_id']: sample for sample in dataset}
    assert set(samples) == {'p0', 'sub/p1', 'p2', 'sub/p3'}
    sample = samples['sub/p1']
    assert sample['gt_label'].dtype == np.float32 and sample['gt_label'].tolist() == [0, 1, 1]
    assert sample['gt_class_ids'].dtype == np.uint8 and sample['gt_class_ids'].tolist() == [2, 3]
    assert sample['num_classes'] == 4
    assert sample['img_path'] == str(data.root / 'images/sub/p1.jpg')
    assert sample['seg_map_path'] == str(data.root / 'masks/sub/p1.png')
    assert sample['seed_path'] == 'seeds/sub/p1.npz'
    assert sample['affinity_label_path'] == 'labels/sub/p1.png'
    assert sample['pseudo_mask_path'] == 'masks/sub/p1.png'
    assert sample['pixel_weight_path'] == 'weights/sub/p1.png'
    assert samples['p2']['gt_label'].tolist() == [0, 0, 0] and samples['p2']['gt_class_ids'].size == 0


@pytest.mark.parametrize('source', ['file', 'masks'])
def test_metainfo_is_not_copied_for_each_image(image_set, tmp_path, monkeypatch, source):
    def count_copies(labels):
        data = image_set(labels, root=tmp_path / str(len(labels)))
        copies.clear()
        len(build(data.dataset, image_labels=data.labels if source == 'file' else 'masks'))
        return len(copies)

    copies, whole = [], BaseDataset.metainfo.fget
    monkeypatch.setattr(BaseDataset, 'metainfo', property(lambda self: copies.append(self) or whole(self)))
    assert count_copies(LABELS[:1]) == count_copies(LABELS)


def test_without_labels_there_are_none(image_set):
    dataset = build(image_set(LABELS).dataset)
    assert all('gt_label' not in sample and 'seed_path' not in sample for sample in dataset)


@pytest.mark.parametrize('with_background', [True, False])
def test_labels_from_masks_are_those_of_the_file(image_set, with_background):
    classes = ('background', 'disc', 'stripe', 'box') if with_background else ('disc', 'stripe', 'box')
    data = image_set(LABELS, classes=classes)
    from_file = build(data.dataset, image_labels=data.labels)
    (data.root / 'evaluated.txt').write_text('p0\r\n\n  sub/p1 \n')
    from_masks = build(data.dataset, image_labels='masks', mask_list='evaluated.txt')
    for expected, sample in zip(from_file, from_masks, strict=True):
        np.testing.assert_array_equal(sample['gt_label'], expected['gt_label'])
        np.testing.assert_array_equal(sample['gt_class_ids'], expected['gt_class_ids'])
        assert (sample['seg_map_path'] is not None) == (sample['image_id'] in ('p0', 'sub/p1'))
    assert from_file.foreground == ('disc', 'stripe', 'box')


@pytest.mark.parametrize(
    'first_class, stated, expected',
    [
        ('background', None, True),
        ('Background', None, False),
        ('sky', None, False),
        ('background', False, False),
        ('sky', True, True),
        ('sky', False, False),
    ],
)
def test_whether_class_0_is_the_background(image_set, first_class, stated, expected):
    wrapped = image_set([['disc']], classes=(first_class, 'disc')).dataset
    wrapped['metainfo'] |= {} if stated is None else dict(with_background=stated)
    dataset = build(wrapped)
    assert dataset.metainfo['with_background'] is expected and dataset[0]['with_background'] is expected
    assert dataset.foreground == (('disc',) if expected else (first_class, 'disc'))


def test_the_metainfo_decides_what_labels_are_about(image_set):
    data = image_set([['disc']])
    data.dataset['metainfo']['with_background'] = False
    assert build(data.dataset, image_labels=data.labels)[0]['gt_label'].tolist() == [0, 1, 0, 0]
    assert build(data.dataset, image_labels='masks')[0]['gt_class_ids'].tolist() == [0, 1]


def test_a_subset_of_the_classes_of_voc_can_go_without_background(image_set):
    voc_set = {**image_set([['disc']]).dataset, 'type': 'PascalVOCDataset'}
    assert build({**voc_set, 'metainfo': dict(classes=('background', 'cat'))}).foreground == ('cat',)
    assert build({**voc_set, 'metainfo': dict(classes=('cat', 'dog'))}).foreground == ('cat', 'dog')


def test_a_data_set_of_mmseg_says_it_by_its_first_class(image_set):
    wrapped = image_set([['disc']]).dataset
    city = {**wrapped, 'type': 'CityscapesDataset', 'metainfo': None}
    assert build({**wrapped, 'type': 'PascalVOCDataset', 'metainfo': None}).metainfo['with_background'] is True
    assert build(city).metainfo['with_background'] is False


def test_without_classes_it_says_so(image_set):
    with pytest.raises(DataError, match='BaseSegDataset: expected class names'):
        build({**image_set(LABELS).dataset, 'metainfo': None})


def test_folder_without_a_list(image_set):
    data = image_set(LABELS)
    dataset = build({**data.dataset, 'ann_file': ''}, image_labels=data.labels)
    assert sorted(sample['image_id'] for sample in dataset) == sorted(data.ids)


def test_masks_that_are_not_there_are_not_evaluated(image_set):
    data = image_set(LABELS)
    (data.root / 'masks/sub/p1.png').unlink()
    paths = {sample['image_id']: sample['seg_map_path'] for sample in build(data.dataset)}
    assert paths['sub/p1'] is None and all(paths[image_id] for image_id in ('p0', 'p2', 'sub/p3'))
    without_masks = {**data.dataset, 'data_prefix': dict(img_path='images')}
    assert all(sample['seg_map_path'] is None for sample in build(without_masks))


def test_listed_mask_must_be_there(image_set):
    data = image_set(LABELS)
    (data.root / 'masks/p0.png').unlink()
    (data.root / 'evaluated.txt').write_text('p0\n')
    with pytest.raises(DataError, match=r'masks/p0\.png: .*evaluated\.txt lists this mask'):
        build(data.dataset, mask_list='evaluated.txt')


@pytest.mark.parametrize('content', [None, '', 'images/p0.jpg\n', b'\xff\xfe'])
def test_list_of_masks_that_lists_none(image_set, content):
    data = image_set(LABELS)
    if content is not None:
        (data.root / 'evaluated.txt').write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=r'evaluated\.txt: '):
        build(data.dataset, mask_list='evaluated.txt')


def test_image_without_labels(image_set):
    data = image_set(LABELS)
    Path(data.labels).write_text('{"p0": ["disc"]}')
    with pytest.raises(DataError, match=r"labels\.json: no image-level labels of image 'sub/p1'"):
        build(data.dataset, image_labels=data.labels)


@pytest.mark.parametrize('name', ['dog', 'background'])
def test_label_that_is_no_class(image_set, name):
    data = image_set([['disc']])
    Path(data.labels).write_text(f'{{"p0": ["{name}"]}}')
    with pytest.raises(DataError, match=rf"labels\.json: label '{name}' of image 'p0'"):
        build(data.dataset, image_labels=data.labels)


def test_labels_from_masks_need_masks(image_set):
    data = image_set(LABELS)
    (data.root / 'masks/p0.png').unlink()
    with pytest.raises(DataError, match=r'masks/p0\.png'):
        build(data.dataset, image_labels='masks')
    with pytest.raises(DataError, match=r"p0\.jpg: image_labels='masks' needs a mask"):
        build({**data.dataset, 'data_prefix': dict(img_path='images')}, image_labels='masks')


@pytest.mark.parametrize(
    'change',
    [
        dict(ann_file='absent.txt'),
        dict(ann_file='', data_prefix=dict(img_path='absent')),
        dict(type='PascalVOCDataset', metainfo={}, ann_file='absent.txt'),
        dict(type='PascalVOCDataset', metainfo={}, data_prefix=dict(img_path='absent')),
    ],
)
def test_missing_list_or_folder_is_named(image_set, change):
    with pytest.raises(DataError, match='absent'):
        build({**image_set(LABELS).dataset, **change})


def test_no_image_at_all(image_set):
    data = image_set(LABELS)
    (data.root / 'list.txt').write_text('')
    with pytest.raises(DataError, match=r'no image found in .*images as listed by .*list\.txt'):
        build(data.dataset)
    shutil.rmtree(data.root / 'images')
    (data.root / 'images').mkdir()
    with pytest.raises(DataError, match='no image found in .*images'):
        build({**data.dataset, 'ann_file': ''})


def test_at_most_254_classes(image_set):
    wrapped = image_set(LABELS).dataset
    wrapped['metainfo'] = dict(classes=[f'c{index}' for index in range(255)])
    with pytest.raises(ValueError, match='at most 254 classes'):
        build(wrapped)


def test_subset_of_the_classes_of_voc(image_set):
    """The masks are stored in VOC's indices; labels and evaluation are in those of the configured classes."""
    from mmseg.datasets import PascalVOCDataset

    voc = PascalVOCDataset.METAINFO['classes']
    subset = ('background', 'person', 'cat')
    data = image_set([['cat'], ['person', 'cat']], classes=voc)
    voc_set = {**data.dataset, 'type': 'PascalVOCDataset', 'metainfo': dict(classes=subset)}
    from_file = build(voc_set, image_labels=data.labels)
    from_masks = build(voc_set, image_labels='masks')
    assert from_file.metainfo['palette'] == [PascalVOCDataset.METAINFO['palette'][i] for i in (0, 15, 8)]
    assert [sample['gt_class_ids'].tolist() for sample in from_file] == [[2], [1, 2]]
    for expected, sample in zip(from_file, from_masks, strict=True):
        np.testing.assert_array_equal(sample['gt_label'], expected['gt_label'])
    ground_truth = read_class_mask(from_file[1]['seg_map_path'], 3, from_file[1]['label_map'])
    assert np.unique(ground_truth).tolist() == [0, 1, 2, 255]
    assert np.unique(data.masks['sub/p1']).tolist() == [0, 8, 15, 255]


def test_data_set_whose_masks_store_one_more(image_set):
    """As ADE20K: stored 0 is no class, stored 1 is class 0."""
    data = image_set([['disc'], ['stripe', 'box']])
    wrapped = {**data.dataset, 'reduce_zero_label': True, 'metainfo': dict(classes=('disc', 'stripe', 'box'))}
    dataset = build(wrapped, image_labels='masks')
    assert [sample['gt_class_ids'].tolist() for sample in dataset] == [[0], [1, 2]]


def test_wrapped_pipeline_is_not_run_and_indices_are_kept(image_set):
    data = image_set(LABELS)
    dataset = build({**data.dataset, 'pipeline': [dict(type='NoSuchTransform')]}, indices=2)
    assert len(dataset) == 2 and 'img' not in dataset[0]


def test_labels_and_lists_of_other_spellings_mean_the_images(image_set):
    data = image_set([['disc'], ['box']])
    Path(data.labels).write_text(json.dumps({'P0.jpg': ['disc'], 'sub/p1.JPG': ['box']}))
    (data.root / 'masked.txt').write_text('P0\n')
    dataset = build(data.dataset, image_labels=data.labels, mask_list='masked.txt')
    assert [sample['gt_class_ids'].tolist() for sample in dataset] == [[1], [3]]
    assert [bool(sample['seg_map_path']) for sample in dataset] == [True, False]


def test_what_is_drawn_repeats_with_the_seed_and_the_number_of_workers(image_set):
    data = image_set([['disc']] * 8)
    transforms = [
        dict(type='mmwsss.LoadImageFromFile'),
        dict(type='RandomResize', scale=(64, 64), ratio_range=(0.5, 2), keep_ratio=True),
        dict(type='mmwsss.PackWeakInputs'),
    ]
    loader = dict(
        batch_size=2,
        sampler=dict(type='DefaultSampler', shuffle=True),
        dataset=dict(type='mmwsss.ImageLabelDataset', dataset=data.dataset, pipeline=transforms),
    )

    def sizes(num_workers):
        batches = Runner.build_dataloader(dict(copy.deepcopy(loader), num_workers=num_workers), seed=5)
        return [tuple(inputs.shape) for batch in batches for inputs in batch['inputs']]

    two = sizes(2)
    assert sizes(2) == two != sizes(1)


@pytest.mark.parametrize(
    ('path', 'folder', 'expected'),
    [
        ('a/b.jpg', 'a', 'b.jpg'),
        ('a/b.jpg', 'a/', 'b.jpg'),
        ('/x/a/c/b.jpg', '/x/a', 'c/b.jpg'),
        ('a//c//b.jpg', 'a', 'c/b.jpg'),
        ('a/./b.jpg', 'a', 'b.jpg'),
        ('a/c/../b.jpg', 'a', 'b.jpg'),
        ('ab/b.jpg', 'a', '../ab/b.jpg'),
        ('b.jpg', '', 'b.jpg'),
    ],
)
def test_paths_below_a_folder_are_those_of_relpath(path, folder, expected):
    assert image_label_dataset._below(path, folder) == expected == osp.relpath(path, folder)
