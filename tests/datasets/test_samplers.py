from collections import Counter
from itertools import islice

import numpy as np
import pytest
from mmengine.dataset import InfiniteSampler
from mmseg.registry import DATA_SAMPLERS, DATASETS

from mmwsss.datasets import SkipBadDataset
from mmwsss.fileio import DataError, write_mask

pytestmark = pytest.mark.usefixtures('mmseg_scope')

# A disc in 8 of 8 images, a stripe in 2, a box in 1.
LABELS = [['disc'], ['disc', 'stripe'], ['disc', 'stripe', 'box'], *[['disc']] * 5]


@pytest.fixture
def dataset(image_set):
    data = image_set(LABELS)
    return DATASETS.build(dict(type='mmwsss.ImageLabelDataset', dataset=data.dataset, image_labels=data.labels))


def build(dataset, **settings):
    return DATA_SAMPLERS.build(dict(type='mmwsss.RepeatFactorSampler', dataset=dataset, seed=3, **settings))


def test_repeat_factors_are_of_the_rarest_class(dataset):
    sampler = build(dataset, oversample_thr=0.5)
    assert sampler.repeat_factors.tolist() == pytest.approx([1, 2**0.5, 2, 1, 1, 1, 1, 1])


def test_a_image_is_shown_as_often_as_its_factor(dataset):
    passes = 400
    factors = build(dataset, oversample_thr=0.5).repeat_factors
    shown = Counter(islice(build(dataset, oversample_thr=0.5), round(passes * float(factors.sum()))))
    for index, factor in enumerate(factors.tolist()):
        assert shown[index] / passes == pytest.approx(factor, rel=0.05)


def test_without_rare_classes_it_is_the_infinite_sampler(dataset):
    expected = list(islice(InfiniteSampler(dataset, seed=3), 50))
    assert list(islice(build(dataset), 50)) == expected
    assert list(islice(build(dataset, oversample_thr=0.01), 50)) == expected


def test_order_of_the_data_set(dataset):
    sampler = build(dataset, oversample_thr=0.5, shuffle=False)
    assert sorted(order := list(islice(sampler, 8))) == order and order.count(2) == 2


def test_a_resumed_run_goes_on_where_it_was(dataset):
    expected = list(islice(build(dataset, oversample_thr=0.5), 40))
    resumed = build(dataset, oversample_thr=0.5)
    if not hasattr(resumed, 'skip'):
        pytest.skip('the original mmengine loads what came before and drops it')
    resumed.skip(25)
    assert list(islice(resumed, 15)) == expected[25:]


def test_what_it_refuses(dataset, image_set):
    with pytest.raises(ValueError, match='share from 0 to 1, got 2'):
        build(dataset, oversample_thr=2)
    unlabeled = DATASETS.build(dict(type='mmwsss.ImageLabelDataset', dataset=image_set(LABELS).dataset))
    with pytest.raises(DataError, match='expected image_labels or pseudo_mask_dir'):
        build(unlabeled, oversample_thr=0.5)


@pytest.mark.parametrize('with_background', [True, False])
def test_without_labels_the_pseudo_masks_say_what_is_rare(image_set, tmp_path, with_background):
    data = image_set(LABELS)
    data.dataset['metainfo']['with_background'] = with_background
    settings = dict(type='mmwsss.ImageLabelDataset', dataset=data.dataset)
    masks = DATASETS.build(dict(settings, pseudo_mask_dir=str(tmp_path)))
    for index in range(len(masks)):
        mask = np.full((4, 5), 255, np.uint8)
        mask[:2] = index == 3
        mask[0, 0] = 0
        write_mask(masks.get_data_info(index)['pseudo_mask_path'], mask, masks.metainfo['palette'])
    assert masks.get_cat_ids(3) == ([1] if with_background else [0, 1])
    assert masks.get_cat_ids(0) == ([] if with_background else [0])
    expected = [1.0] * 8
    expected[3] = (0.5 / (1 / 8)) ** 0.5
    assert build(masks, oversample_thr=0.5).repeat_factors.tolist() == pytest.approx(expected)


def test_damaged_pseudo_masks_are_for_the_loader_to_skip(image_set, tmp_path):
    masks = DATASETS.build(
        dict(type='mmwsss.ImageLabelDataset', dataset=image_set(LABELS).dataset, pseudo_mask_dir=str(tmp_path))
    )
    with pytest.raises(DataError, match=str(tmp_path)):
        build(masks, oversample_thr=0.5)
    assert build(SkipBadDataset(masks), oversample_thr=0.5).repeat_factors.tolist() == [1] * 8


def test_other_wrappers_know_the_classes_too(dataset):
    wrapper = dict(type='ClassBalancedDataset', dataset=dataset, oversample_thr=0.5)
    assert DATASETS.build(wrapper).repeat_indices.count(2) == 2
