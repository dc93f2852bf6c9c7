import numpy as np
import pytest
import torch
from role_testers import LabelerTester, context_of, score_maps

from mmwsss.models import ArgmaxLabeler
from mmwsss.ops import surest_pixels, weight_of_margin
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestArgmaxLabeler(LabelerTester):
    type = 'ArgmaxLabeler'
    settings = dict(margin=0.2)


class TestArgmaxLabelerWithoutMargin(LabelerTester):
    type = 'ArgmaxLabeler'
    settings = dict(margin=0.0)

    def test_labels_are_the_best_classes(self, member):
        maps = score_maps(ids=[(2, 5, 7)])
        labels = member.label(maps, context_of())
        expected = np.array([2, 5, 7])[maps.at_image_size[0].argmax(0)]
        np.testing.assert_array_equal(labels.best[0], expected)
        assert torch.equal(labels.labels, labels.best) and labels.weights is None


def test_pixels_without_margin_are_ignored_and_keep_their_best_class():
    maps = score_maps(ids=[(0, 2, 3)])
    plain, unsure = (ArgmaxLabeler(margin).label(maps, context_of()) for margin in (0, 0.2))
    scores = maps.at_image_size[0].numpy()
    ranked = np.sort(scores / scores.sum(0), axis=0)
    close = ranked[-1] - ranked[-2] < 0.2
    assert close.any() and not close.all()
    np.testing.assert_array_equal(unsure.labels[0], np.where(close, 255, plain.labels[0]))
    assert torch.equal(unsure.best, plain.best)


class TestArgmaxLabelerWithWeights(LabelerTester):
    type = 'ArgmaxLabeler'
    settings = dict(margin=0.1, full_margin=0.4)

    def test_weights_are_margins(self, member):
        maps = score_maps(ids=[(2, 5, 7)])
        labels, plain = member.label(maps, context_of()), ArgmaxLabeler(0.1).label(maps, context_of())
        assert torch.equal(labels.labels, plain.labels) and torch.equal(labels.best, plain.best)
        assert labels.weights.dtype == torch.float32 and labels.weights.shape == labels.best.shape
        assert torch.equal(labels.weights, weight_of_margin(maps.at_image_size, 0.4))
        assert torch.equal(labels.labels == 255, labels.weights < 0.25)


class TestArgmaxLabelerWithAShare(LabelerTester):
    type = 'ArgmaxLabeler'
    settings = dict(sure_share=0.6)

    def test_the_rest_of_each_class_is_ignored(self, member):
        maps = score_maps(ids=[(2, 5, 7)])
        labels = member.label(maps, context_of())
        sure = surest_pixels(maps.at_image_size[0], 0.6)
        assert torch.equal(labels.labels[0], labels.best[0].masked_fill(~sure, 255))


@pytest.mark.parametrize('share', [0, 1.2])
def test_wrong_share(share):
    with pytest.raises(ValueError, match='sure_share must be in'):
        ArgmaxLabeler(sure_share=share)


@pytest.mark.parametrize('settings', [dict(full_margin=0), dict(full_margin=1.5), dict(margin=0.3, full_margin=0.2)])
def test_wrong_full_margin(settings):
    with pytest.raises(ValueError, match='full_margin must be in'):
        ArgmaxLabeler(**settings)


@pytest.mark.parametrize('margin', [1, -0.1])
def test_wrong_margin(margin):
    with pytest.raises(ValueError, match='margin'):
        MODELS.build(dict(type='mmwsss.ArgmaxLabeler', margin=margin))
