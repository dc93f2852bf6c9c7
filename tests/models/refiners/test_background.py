import pytest
import torch
from role_testers import RefinerTester, context_of, score_maps

from mmwsss.models import Background
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestConstantBackground(RefinerTester):
    type = 'Background'
    settings = dict(score=0.3)


class TestBackgroundOfTheStrongestClass(RefinerTester):
    type = 'Background'
    settings = dict(alpha=4)


@pytest.mark.parametrize('ids', [(), (1, 3)])
def test_score_stands_in_front(ids):
    maps = score_maps(ids=[ids])
    front = Background(score=0.25).refine(maps, context_of())
    assert (front.maps[:, 0] == 0.25).all() and torch.equal(front.maps[:, 1:], maps.maps)


def test_background_is_what_the_strongest_class_leaves():
    maps = score_maps()
    front = Background(alpha=3).refine(maps, context_of())
    torch.testing.assert_close(front.at_image_size[:, 0], (1 - maps.at_image_size.amax(1)) ** 3)
    assert (Background(alpha=3).refine(score_maps(ids=[()]), context_of()).maps == 1).all()


def test_nothing_changes_without_a_background_or_where_it_is_there():
    maps = score_maps(with_background=False)
    assert Background(score=0.3).refine(maps, context_of()) is maps
    front = Background(score=0.3).refine(score_maps(), context_of())
    assert Background(score=0.9).refine(front, context_of()) is front


@pytest.mark.parametrize('settings', [dict(), dict(score=0.2, alpha=4)])
def test_exactly_one_way_to_score(settings):
    with pytest.raises(ValueError, match='exactly one of score and alpha'):
        MODELS.build(dict(type='mmwsss.Background', **settings))
