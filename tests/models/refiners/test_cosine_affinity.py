from dataclasses import replace

import pytest
import torch
from role_testers import RefinerTester, context_of, score_maps

from mmwsss.models import CosineAffinity, RefineContext
from mmwsss.ops import spread_by_cosine

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestCosineAffinityOfAllPairs(RefinerTester):
    type = 'CosineAffinity'
    settings = dict(power=3, num_steps=1, radius=None)


class TestCosineAffinityOfNearCells(RefinerTester):
    type = 'CosineAffinity'
    settings = dict(power=2, num_steps=2, radius=3)


def test_spreads_means_of_the_cells():
    maps, context = score_maps(size=(40, 48), grid=(40, 48)), context_of((40, 48))
    refined = CosineAffinity(power=4).refine(maps, context)
    cells = maps.maps.unflatten(3, (6, 8)).unflatten(2, (5, 8)).mean((3, 5))
    torch.testing.assert_close(refined.maps, spread_by_cosine(cells, context.features, 4))


def test_half_of_the_image_that_looks_alike_gets_the_score():
    features = torch.zeros(1, 2, 4, 6)
    features[0, 0, :, :3], features[0, 1, :, 3:] = 1, 1
    maps = score_maps(size=(40, 60), ids=((1,),), grid=(4, 6))
    maps = replace(
        maps, maps=torch.zeros(1, 1, 4, 6).index_put_(tuple(torch.tensor([0, 0, 1, 1])[:, None]), torch.ones(1))
    )
    refined = CosineAffinity().refine(maps, RefineContext(features=features))
    assert (refined.maps[..., :3] > 0).all() and (refined.maps[..., 3:] == 0).all()


@pytest.mark.parametrize('settings', [dict(power=0), dict(num_steps=-1), dict(radius=1)])
def test_bad_arguments(settings):
    with pytest.raises(ValueError, match=f'{next(iter(settings))} of CosineAffinity'):
        CosineAffinity(**settings)
