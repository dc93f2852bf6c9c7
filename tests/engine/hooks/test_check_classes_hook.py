from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODEL_WRAPPERS

from mmwsss.engine import CheckClassesHook
from mmwsss.engine.hooks.check_classes_hook import check_classes, check_masks, check_pixel_weights
from mmwsss.fileio import DataError, write_mask

CLASSES = ('background', 'cat', 'dog')


def dataset(classes=CLASSES, **metainfo):
    return SimpleNamespace(metainfo=dict(classes=classes, **metainfo))


def config(**model):
    return Config(dict(model=model))


def head(number):
    return dict(type='FCNHead', num_classes=number)


@pytest.mark.parametrize(
    'model, message',
    [
        (dict(decode_head=head(19)), r'^model\.decode_head\.num_classes is 19, but the data set has 3 classes$'),
        (dict(decode_head=head(3), auxiliary_head=head(19)), r'^model\.auxiliary_head\.num_classes is 19, but'),
        (dict(auxiliary_head=[head(3), head(150)]), r'^model\.auxiliary_head\.1\.num_classes is 150'),
        (dict(decode_head=[head(2)]), r'^model\.decode_head\.0\.num_classes is 2'),
        (dict(head=head(3)), r'^model\.head\.num_classes is 3, but the data set has 2 classes beside the background$'),
        (dict(module=dict(decode_head=head(2))), r'^model\.module\.decode_head\.num_classes is 2'),
    ],
)
def test_a_head_of_another_number_is_named(model, message):
    with pytest.raises(DataError, match=message):
        check_classes(config(**model), dataset())


@pytest.mark.parametrize(
    'model', [dict(decode_head=head(3), auxiliary_head=[head(3)]), dict(head=head(2)), dict(head=dict(radius=5)), {}]
)
def test_heads_that_fit_are_let_through(model):
    check_classes(config(**model), dataset())


@pytest.mark.parametrize('metainfo', [dict(classes=('sky', 'road')), dict(with_background=False)])
def test_without_a_background_each_class_has_a_label(metainfo):
    made = dataset(**metainfo)
    number = len(made.metainfo['classes'])
    check_classes(config(head=head(number)), made)
    with pytest.raises(DataError, match=f'head.num_classes is {number - 1}, but the data set has {number} classes$'):
        check_classes(config(head=head(number - 1)), made)


def test_a_data_set_without_classes_is_left_alone():
    check_classes(config(decode_head=head(19)), SimpleNamespace())
    check_classes(config(decode_head=head(19)), SimpleNamespace(metainfo={}))


@pytest.mark.parametrize('phase', ['train', 'val', 'test'])
def test_each_phase_looks_at_its_own_data(phase):
    loaders = {f'{name}_dataloader': SimpleNamespace(dataset=dataset()) for name in ('train', 'val', 'test')}
    runner = SimpleNamespace(cfg=config(decode_head=head(3)), model=torch.nn.Identity(), **loaders)
    hook = CheckClassesHook()
    getattr(hook, f'before_{phase}')(runner)
    loaders[f'{phase}_dataloader'].dataset.metainfo['classes'] = CLASSES[:2]
    with pytest.raises(DataError, match='the data set has 2 classes'):
        getattr(hook, f'before_{phase}')(runner)


@pytest.mark.parametrize('key', ['pseudo_mask_path', 'seg_map_path'])
def test_masks_of_0_and_255_are_refused(tmp_path, key):
    white, void = np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint8)
    white[3:5] = 255
    void[3:5], void[5:7] = 1, 255
    for name, mask in dict(white=white, void=void).items():
        write_mask(tmp_path / f'{name}.png', mask, [(0, 0, 0)])
    with pytest.raises(DataError, match=rf'^{tmp_path}: the masks \(2\) hold nothing but 0 and 255'):
        check_masks(Samples(key, tmp_path, ['white', None, 'white', 'absent']), key)
    check_masks(SimpleNamespace(dataset=Samples(key, tmp_path, ['white', 'void'])), key)
    check_masks(Samples(key, tmp_path, [None, 'absent']), key)


class Samples:
    """A data set of the masks of these names."""

    def __init__(self, key, folder, names):
        self.samples = [{key: name and f'{folder}/{name}.png'} for name in names]

    def __len__(self):
        return len(self.samples)

    def get_data_info(self, index):
        return self.samples[index]


class Weighted(torch.nn.Linear):
    weighs_pixels = True


class Listed(list):
    def get_data_info(self, index):
        return self[index]


@pytest.mark.parametrize('wrapped', [False, True])
def test_weights_of_pixels_need_a_model_that_looks_at_them(wrapped):
    data = Listed([dict(pixel_weight_path='w.png')])
    data = SimpleNamespace(dataset=data) if wrapped else data
    with pytest.raises(DataError, match='pixel_weight_dir of the data set: Linear does not weigh pixels; expected'):
        check_pixel_weights(torch.nn.Linear(1, 1), data)
    check_pixel_weights(Weighted(1, 1), data)


def test_a_model_in_a_wrapper_weighs_pixels():
    wrapper = MODEL_WRAPPERS.get('MMDistributedDataParallel').__new__(MODEL_WRAPPERS.get('MMDistributedDataParallel'))
    torch.nn.Module.__init__(wrapper)
    wrapper.module = Weighted(1, 1)
    check_pixel_weights(wrapper, Listed([dict(pixel_weight_path='w.png')]))


@pytest.mark.parametrize('data', [Listed([dict(img_path='p.jpg')]), Listed(), SimpleNamespace()])
def test_without_weights_any_model_will_do(data):
    check_pixel_weights(torch.nn.Linear(1, 1), data)
