import json

import cv2
import numpy as np
import pytest
from mmengine.config import Config

import mmwsss.datasets  # noqa: F401
from mmwsss.fileio import DataError
from mmwsss.pipeline.preflight import check_configs, read_image_ids


@pytest.fixture
def root(tmp_path):
    for folder in ('photos', 'masks'):
        (tmp_path / folder).mkdir()
    for name in ('a', 'b', 'c'):
        cv2.imwrite(str(tmp_path / 'photos' / f'{name}.jpg'), np.zeros((8, 8, 3), np.uint8))
    cv2.imwrite(str(tmp_path / 'masks' / 'a.png'), np.zeros((8, 8), np.uint8))
    (tmp_path / 'list.txt').write_text('a\nb\nc\n')
    (tmp_path / 'labels.json').write_text(json.dumps(dict(a=['cat'], b=[], c=['dog'])))
    return tmp_path


def config(root, **model):
    dataset = dict(
        type='ImageLabelDataset',
        image_labels=str(root / 'labels.json'),
        dataset=dict(
            type='BaseSegDataset',
            data_root=str(root),
            ann_file='list.txt',
            img_suffix='.jpg',
            data_prefix=dict(img_path='photos', seg_map_path='masks'),
            metainfo=dict(classes=['background', 'cat', 'dog'], palette=[[0] * 3] * 3),
        ),
    )
    return Config(dict(test_dataloader=dict(dataset=dataset), model=dict(type='CAMClassifier', **model)))


def test_counts(root):
    assert check_configs(dict(infer=config(root))) == dict(photographs=3, labelled=3, with_masks=1)


def test_missing_photographs_are_listed(root):
    (root / 'photos' / 'b.jpg').unlink()
    with pytest.raises(DataError, match=r'infer: 1 photographs are missing:\n  .*photos/b\.jpg'):
        check_configs(dict(infer=config(root)))


def test_a_long_list_is_cut(root):
    (root / 'list.txt').write_text('\n'.join(f'n{number}' for number in range(25)))
    labels = {f'n{number}': [] for number in range(25)}
    (root / 'labels.json').write_text(json.dumps(labels))
    with pytest.raises(DataError, match='25 photographs are missing') as error:
        check_configs(dict(infer=config(root)))
    assert str(error.value).count('.jpg') == 10 and 'and 15 more' in str(error.value)


def test_a_file_that_is_no_photograph_is_named(root):
    (root / 'photos' / 'c.jpg').write_text('hello')
    with pytest.raises(DataError, match=r'1 files are no photographs:\n  .*c\.jpg'):
        check_configs(dict(infer=config(root)))


def test_photograph_without_labels_is_named(root):
    (root / 'labels.json').write_text(json.dumps(dict(a=['cat'], b=[])))
    with pytest.raises(DataError, match=r"labels\.json.*'c'"):
        check_configs(dict(infer=config(root)))


def test_label_that_is_no_class_is_named(root):
    (root / 'labels.json').write_text(json.dumps(dict(a=['cat'], b=[], c=['tiger'])))
    with pytest.raises(DataError, match=r"labels\.json.*'tiger'"):
        check_configs(dict(infer=config(root)))


def test_missing_weights_are_named(root):
    init = dict(type='Pretrained', checkpoint=str(root / 'absent.pth'))
    with pytest.raises(DataError, match=r'absent\.pth.*weights that infer starts from'):
        check_configs(dict(infer=config(root, backbone=dict(type='ResNet', init_cfg=[init]))))
    made = check_configs(dict(infer=config(root, backbone=dict(init_cfg=init))), [str(root)])
    assert made['photographs'] == 3
    init['checkpoint'] = 'open-mmlab://resnet50_v1c'
    assert check_configs(dict(infer=config(root, backbone=dict(init_cfg=init))))['photographs'] == 3


def test_steps_without_data_are_left_to_themselves():
    assert check_configs(dict(step=Config(dict(value=1)))) == {}


def test_ids_come_from_the_labels_without_a_list(root):
    assert read_image_ids(dict(image_labels=str(root / 'labels.json'))) == ['a', 'b', 'c']
    assert read_image_ids(dict(train_list='list.txt', data_root=str(root))) == ['a', 'b', 'c']
    with pytest.raises(DataError, match='train_list or image_labels'):
        read_image_ids({})
