import json
import shutil
import unicodedata
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmseg.registry import DATASETS

from mmwsss.converters.folder import split_held_out, write_folder_dataset
from mmwsss.fileio import DataError, write_mask

LABELS = {'a.jpg': ['cat'], 'b': ['dog', 'cat'], 'sub/c': ['dog'], 'sub/d.JPG': ['cat', 'dog'], 'e': []}


@pytest.fixture
def images(tmp_path, make_image):
    """A folder as people have them: suffixes of all kinds, a sub-folder, labels with and without suffix."""
    folder = tmp_path / 'images'
    (folder / 'sub').mkdir(parents=True)
    for index, name in enumerate(['a.jpg', 'b.png', 'sub/c.jpeg', 'sub/d.JPG', 'e.jpg']):
        encoded = cv2.imencode('.png' if name.endswith('png') else '.jpg', make_image(seed=index))[1]
        (folder / name).write_bytes(encoded.tobytes())
    (folder / 'labels.json').write_text(json.dumps(LABELS))
    (folder / 'notes.txt').write_text('no image')
    return folder


def test_a_folder_becomes_a_data_set(images, tmp_path, mmseg_scope):
    root = tmp_path / 'set'
    summary = write_folder_dataset(images, root, held_out=0.4, num_workers=1)
    assert summary.classes == ['background', 'cat', 'dog'] and not summary.warnings
    assert sorted(summary.train + summary.held_out) == ['a', 'b', 'e', 'sub/c', 'sub/d']
    assert set(summary.counts(summary.held_out)) == {'cat', 'dog'}
    listed = (root / 'train.txt').read_text().split() + (root / 'val.txt').read_text().split()
    assert listed == summary.train + summary.held_out
    dataset = DATASETS.build(
        dict(
            type='mmwsss.ImageLabelDataset',
            dataset=dict(
                type='mmwsss.FolderDataset',
                data_root=str(root),
                ann_file='train.txt',
                data_prefix=dict(img_path='images', seg_map_path='masks'),
                metainfo=dict(classes=summary.classes),
            ),
            image_labels=str(root / 'image_labels.json'),
            pipeline=[dict(type='mmwsss.LoadImageFromFile'), dict(type='mmwsss.PackWeakInputs')],
        )
    )
    assert [dataset.get_data_info(index)['image_id'] for index in range(len(dataset))] == summary.train
    for index, image_id in enumerate(summary.train):
        sample = dataset[index]['data_samples']
        names = {summary.classes[1 + label] for label in sample.gt_label.score.nonzero()[:, 0]}
        assert names == set(summary.labels[image_id]) and sample.ori_shape == (40, 56)


def test_the_same_from_csv_with_a_header(images, tmp_path):
    rows = ['image,labels', *(','.join([name, *names]) for name, names in LABELS.items())]
    (images / 'labels.csv').write_text('\n'.join(rows))
    with pytest.raises(DataError, match='found 2 of them'):
        write_folder_dataset(images, tmp_path / 'set')
    from_csv = write_folder_dataset(images, tmp_path / 'csv', images / 'labels.csv', num_workers=1)
    from_json = write_folder_dataset(images, tmp_path / 'json', images / 'labels.json', num_workers=1)
    assert from_csv == from_json


def test_what_is_left_out_is_named(images, tmp_path):
    path = images / 'sub' / 'd.JPG'
    path.write_bytes(path.read_bytes()[:400])
    shutil.copy(images / 'a.jpg', images / 'unlabeled.jpg')
    (images / 'labels.json').write_text(json.dumps({**LABELS, 'gone.jpg': ['cat']}))
    summary = write_folder_dataset(images, tmp_path / 'set', num_workers=1)
    assert 'sub/d' not in summary.labels and 'unlabeled' not in summary.labels
    told = '\n'.join(summary.warnings)
    assert 'sub/d.JPG' in told and 'unlabeled.jpg' in told and "'gone.jpg'" in told
    assert len(summary.warnings) == 3


@pytest.mark.parametrize(
    'labels, message',
    [
        ({'a': ['cat'], 'b': ['Cat']}, "'Cat' and 'cat'"),
        ({'a': ['background'], 'b': ['cat']}, 'background is no label'),
        ({'a': ['cat'], 'a.jpg': ['cat']}, "'a' is there twice"),
        ({'x': ['cat']}, "such as 'a.jpg'"),
        ({'a': [], 'b': []}, '1 to 253 classes'),
        ({'a': ['cat'], 'b': ['dog']}, 'two images at least'),
    ],
)
def test_labels_that_cannot_be_used_are_named(images, tmp_path, labels, message):
    (images / 'labels.json').write_text(json.dumps(labels))
    with pytest.raises(DataError, match=message):
        write_folder_dataset(images, tmp_path / 'set', num_workers=1)


def test_the_order_of_classes_can_be_given(images, tmp_path):
    summary = write_folder_dataset(images, tmp_path / 'set', classes=['dog', 'horse', 'cat'], num_workers=1)
    assert summary.classes == ['background', 'dog', 'horse', 'cat']
    assert "class 'horse' has no image to learn from" in summary.warnings
    with pytest.raises(DataError, match=r"labels \['dog'\] are none of the classes"):
        write_folder_dataset(images, tmp_path / 'set', classes=['cat'])


def test_a_second_call_replaces_and_other_folders_stay(images, tmp_path):
    write_mask(tmp_path / 'masks' / 'a.png', np.array([[0, 1]], np.uint8), [(0, 0, 0)])
    write_folder_dataset(images, tmp_path / 'set', num_workers=1)
    write_folder_dataset(images, tmp_path / 'set', masks=tmp_path / 'masks', num_workers=1)
    assert (tmp_path / 'set' / 'masks').resolve() == tmp_path / 'masks'
    (tmp_path / 'other' / 'images').mkdir(parents=True)
    with pytest.raises(DataError, match='left as it is'):
        write_folder_dataset(images, tmp_path / 'other', num_workers=1)


def test_each_class_is_held_out_in_its_share():
    generator = np.random.default_rng(0)
    names = ['common', 'frequent', 'rare']
    labels = {
        f'{index:03d}': [name for name, share in zip(names, (0.7, 0.4, 0.03)) if generator.random() < share]
        for index in range(200)
    }
    train, held_out = split_held_out(labels, 0.2, seed=1)
    assert sorted(train + held_out) == sorted(labels) and (train, held_out) == split_held_out(labels, 0.2, seed=1)
    for name in names:
        total = sum(name in labels[image_id] for image_id in labels)
        kept = sum(name in labels[image_id] for image_id in held_out)
        assert 0 < kept < total and abs(kept - 0.2 * total) <= max(1, 0.1 * total)
    assert split_held_out(labels, 0.2, seed=2)[1] != held_out


def test_labels_of_other_spellings_mean_the_images(tmp_path, make_image):
    names = ('b.JPG', '007.jpg', unicodedata.normalize('NFD', 'cafe\u0301.jpg'), 'd.jpg')
    for index, name in enumerate(names):
        path = tmp_path / 'images' / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cv2.imencode('.jpg', make_image(seed=index))[1].tobytes())
    labels = {'b.jpg': ['cat'], '7': ['cat'], 'caf\u00e9': ['dog'], 'D.JPEG': ['dog']}
    (tmp_path / 'labels.json').write_text(json.dumps(labels))
    summary = write_folder_dataset(tmp_path / 'images', tmp_path / 'set', tmp_path / 'labels.json', num_workers=1)
    stems = [Path(name).stem for name in names]
    assert summary.labels == dict(sorted(zip(stems, (['cat'], ['cat'], ['dog'], ['dog'])))) and not summary.warnings


def test_masks_of_no_image_are_refused(images, tmp_path):
    (tmp_path / 'masks').mkdir()
    with pytest.raises(DataError, match=r'masks: expected masks such as a\.png, found none of an image'):
        write_folder_dataset(images, tmp_path / 'set', masks=tmp_path / 'masks', num_workers=1)


def test_masks_of_0_and_255_are_refused(images, tmp_path):
    for name in ('a', 'b'):
        write_mask(tmp_path / 'masks' / f'{name}.png', np.array([[0, 255]], np.uint8), [(0, 0, 0)])
    with pytest.raises(DataError, match=r'masks: the masks \(2\) hold nothing but 0 and 255'):
        write_folder_dataset(images, tmp_path / 'set', masks=tmp_path / 'masks', num_workers=1)


@pytest.mark.parametrize(
    'table',
    [
        'image;cat;dog\na.jpg;1;0\nb;1;1\nsub/c;;x\nsub/d.JPG;true;true\ne;0;0\n',
        'image\ttags\na.jpg\tcat\nb\tdog, cat\nsub/c\tdog\nsub/d.JPG\tcat|dog\ne\n',
        'a.jpg,cat\nb,dog\nb,cat\nsub/c,dog\nsub/d.JPG,cat\nsub/d.JPG,dog\ne,\n',
    ],
)
def test_tables_of_spreadsheets(images, tmp_path, table):
    path = tmp_path / 'labels.csv'
    path.write_bytes(table.replace('\n', '\r\n').encode('utf-8-sig'))
    from_table = write_folder_dataset(images, tmp_path / 'csv', path, num_workers=1)
    assert from_table == write_folder_dataset(images, tmp_path / 'json', num_workers=1)


@pytest.mark.parametrize('table', ['a,1,0\nb,0,1\nsub/c,1,1\n', 'a,3\nb,3\n', 'a,true\nb,true\n'])
def test_numbers_are_no_class_names_unless_told(images, tmp_path, table):
    path = tmp_path / 'labels.csv'
    path.write_text(table)
    with pytest.raises(DataError, match=r'labels\.csv: expected class names, found .*header of the table.*--classes'):
        write_folder_dataset(images, tmp_path / 'set', path, num_workers=1)


def test_numbers_are_class_names_where_told(images, tmp_path):
    path = tmp_path / 'labels.csv'
    path.write_text('a,7\nb,9\nsub/c,9\nsub/d,7\n')
    summary = write_folder_dataset(images, tmp_path / 'set', path, classes=['7', '9'], num_workers=1)
    assert summary.classes == ['background', '7', '9']


@pytest.fixture
def sorted_images(tmp_path, make_image):
    """Images in a folder for each class, and some with none."""
    folder = tmp_path / 'sorted'
    for index, name in enumerate(['cat/a', 'cat/indoors/b', 'dog/a', 'dog/c', 'background/d', 'background/e', 'f']):
        path = folder / f'{name}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), make_image(seed=index))
    return folder


def test_a_folder_for_each_class(sorted_images, tmp_path):
    summary = write_folder_dataset(sorted_images, tmp_path / 'set', 'folders', held_out=0.4, num_workers=1)
    assert summary.classes == ['background', 'cat', 'dog']
    assert summary.labels == {
        'background/d': [],
        'background/e': [],
        'cat/a': ['cat'],
        'cat/indoors/b': ['cat'],
        'dog/a': ['dog'],
        'dog/c': ['dog'],
    }
    assert summary.warnings == [f'{sorted_images}/f.jpg: no labels in folders of {sorted_images}: left out']


def test_numbers_of_folders_are_class_names_where_told(sorted_images, tmp_path):
    (sorted_images / 'cat').rename(sorted_images / '1')
    with pytest.raises(DataError, match='folders of .*: expected class names, found 1; .* --classes'):
        write_folder_dataset(sorted_images, tmp_path / 'set', 'folders', num_workers=1)
    given = dict(labels='folders', classes=['dog', '1'], held_out=0.4, num_workers=1)
    assert write_folder_dataset(sorted_images, tmp_path / 'set', **given).classes == ['background', 'dog', '1']


def test_without_labels_the_folders_are_named_as_a_way(sorted_images, tmp_path):
    with pytest.raises(DataError, match='found 0 of them; where each class has a folder of its name: --labels folders'):
        write_folder_dataset(sorted_images, tmp_path / 'set', num_workers=1)
