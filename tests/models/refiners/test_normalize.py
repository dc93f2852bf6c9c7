from dataclasses import replace

import pytest
import torch
from role_testers import RefinerTester, context_of, score_maps

from mmwsss.models import Normalize

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestNormalize(RefinerTester):
    type = 'Normalize'
    settings = dict(joint=False)


class TestJointNormalize(RefinerTester):
    type = 'Normalize'
    settings = dict(joint=True)


def test_one_peak_of_all_maps_of_an_image_becomes_one():
    maps = score_maps(ids=((1, 3), (2,)))
    maps = replace(maps, maps=maps.maps * torch.tensor([[0.5, 0.2], [0.3, 0.0]]).view(2, 2, 1, 1))
    refined = Normalize(joint=True).refine(maps, context_of()).maps
    torch.testing.assert_close(refined.amax((1, 2, 3)), torch.ones(2), atol=1e-4, rtol=0)
    ratio = maps.at_image_size[0, 0] / maps.at_image_size[0, 1]
    torch.testing.assert_close(refined[0, 0] / refined[0, 1], ratio)


def test_peaks_become_one():
    maps = score_maps()
    refined = Normalize().refine(replace(maps, maps=maps.maps * 0.3), context_of())
    torch.testing.assert_close(refined.maps.amax((2, 3)), torch.ones(1, 2), atol=1e-4, rtol=0)


def test_empty_map_stays_empty():
    maps = score_maps()
    assert not Normalize().refine(replace(maps, maps=torch.zeros_like(maps.maps)), context_of()).maps.any()


def test_scores_beside_a_background_are_left_alone():
    maps = replace(score_maps(ids=((0, 2),)), has_background=True)
    assert Normalize().refine(maps, context_of()) is maps
