import json

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmwsss.fileio import DataError
from mmwsss.pipeline.preflight import check_phases, count_images, load_dataset


@pytest.fixture
def root(tmp_path):
    for folder in ('images', 'masks'):
        (tmp_path / folder).mkdir()
    for name in ('a', 'b', 'c'):
        cv2.imwrite(str(tmp_path / 'images' / f'{name}.jpg'), np.zeros((8, 8, 3), np.uint8))
    cv2.imwrite(str(tmp_path / 'masks' / 'a.png'), np.zeros((8, 8), np.uint8))
    (tmp_path / 'list.txt').write_text('a\nb\nc\n')
    (tmp_path / 'labels.json').write_text(json.dumps(dict(a=['cat'], b=[], c=['dog'])))
    return tmp_path


def config(root, **model):
    dataset = dict(
        type='mmwsss.ImageLabelDataset',
        image_labels=str(root / 'labels.json'),
        dataset=dict(
            type='BaseSegDataset',
            data_root=str(root),
            ann_file='list.txt',
            img_suffix='.jpg',
            data_prefix=dict(img_path='images', seg_map_path='masks'),
            metainfo=dict(classes=['background', 'cat', 'dog'], palette=[[0] * 3] * 3),
        ),
    )
    return Config(dict(test_dataloader=dict(dataset=dataset), model=dict(type='CAMClassifier', **model)))


def check(root, skip_bad=False, made=(), phases=('test',), **model):
    check_phases(dict(infer=(config(root, **model), phases)), made, skip_bad)


def test_counts(root):
    _, samples = load_dataset('infer', config(root).test_dataloader)
    assert count_images(samples) == dict(images=3, labeled=3, with_masks=1)


def test_missing_images_are_listed(root):
    (root / 'images' / 'b.jpg').unlink()
    with pytest.raises(DataError, match=r'infer: 1 images are missing:\n  .*images/b\.jpg'):
        check(root)
    check(root, skip_bad=True)
    check(root, phases=())


def test_a_long_list_is_cut(root):
    (root / 'list.txt').write_text('\n'.join(f'n{number}' for number in range(25)))
    labels = {f'n{number}': [] for number in range(25)}
    (root / 'labels.json').write_text(json.dumps(labels))
    with pytest.raises(DataError, match='25 images are missing') as error:
        check(root)
    assert str(error.value).count('.jpg') == 10 and 'and 15 more' in str(error.value)


def test_a_file_that_is_no_image_is_named(root):
    (root / 'images' / 'c.jpg').write_text('hello')
    with pytest.raises(DataError, match=r'1 files are no images:\n  .*c\.jpg'):
        check(root)


def test_image_without_labels_is_named(root):
    (root / 'labels.json').write_text(json.dumps(dict(a=['cat'], b=[])))
    with pytest.raises(DataError, match=r"labels\.json.*'c'"):
        check(root)


def test_label_that_is_no_class_is_named(root):
    (root / 'labels.json').write_text(json.dumps(dict(a=['cat'], b=[], c=['tiger'])))
    with pytest.raises(DataError, match=r"labels\.json.*'tiger'"):
        check(root)


def test_missing_weights_are_named_where_they_are_trained_from(root):
    init = dict(type='Pretrained', checkpoint=str(root / 'absent.pth'))
    with pytest.raises(DataError, match=r'absent\.pth.*weights that infer starts from'):
        check(root, phases=('train', 'test'), backbone=dict(type='ResNet', init_cfg=[init]))
    check(root, phases=('test',), backbone=dict(init_cfg=init))
    check(root, made=[str(root)], phases=('train',), backbone=dict(init_cfg=init))
    init['checkpoint'] = 'open-mmlab://resnet50_v1c'
    check(root, phases=('train',), backbone=dict(init_cfg=init))


def test_a_list_that_is_missing_or_empty_is_named(root):
    (root / 'list.txt').write_text('')
    with pytest.raises(DataError, match='expected at least one'):
        check(root)
    (root / 'list.txt').unlink()
    with pytest.raises(DataError, match='list'):
        check(root)


def test_stages_without_data_are_left_to_themselves():
    check_phases(dict(stage=(Config(dict(value=1)), ('train', 'test'))))
    assert load_dataset('stage', None) == (None, [])
