from dataclasses import replace

import numpy as np
import pytest
import torch
from role_testers import LabelerTester, context_of, score_maps

from mmwsss.models import InstanceLabeler
from mmwsss.ops import best_channel, connected_parts
from mmwsss.structures import InstanceLabels, ScoreMaps

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestInstanceLabeler(LabelerTester):
    type = 'InstanceLabeler'
    settings = dict(background_score=0.4, smallest_share=0.02)
    makes_background = True

    @pytest.mark.parametrize('with_background', [True, False])
    def test_objects_are_those_of_the_ops(self, member, with_background):
        maps = score_maps(ids=[(1, 3, 3), (2,)], with_background=with_background)
        labels = member.label(maps, context_of(batch=2))
        assert isinstance(labels, InstanceLabels) and len(labels.instances) == 2
        for index, found in enumerate(labels.instances):
            scores, class_ids = maps.of_image(index)
            scaled, best = best_channel(scores, 0.4 if with_background else None)
            masks, numbers, values = connected_parts(scaled, best, 0.02)
            assert torch.equal(found.masks, masks) and torch.equal(found.scores, values)
            assert torch.equal(found.class_ids, class_ids[numbers])
            for mask, class_id in zip(found.masks, found.class_ids, strict=True):
                assert (labels.labels[index][mask] == class_id).all()
            nothing = ~found.masks.any(0)
            assert (labels.labels[index][nothing] == (0 if with_background else 255)).all()

    def test_it_makes_the_background_itself(self, member):
        with pytest.raises(ValueError, match='expected class maps without one'):
            member.label(replace(score_maps(), has_background=True), context_of())


def test_two_objects_of_a_class_that_touch_are_two():
    maps = torch.zeros(1, 3, 6, 12)
    maps[0, 0, 1:5, 1:6], maps[0, 1, 1:5, 6:11], maps[0, 2, 0, 0] = 1.0, 0.8, 0.9
    labels = InstanceLabeler().label(ScoreMaps(maps, torch.tensor([[4, 4, 7]]), (6, 12), True), context_of((6, 12)))
    (found,) = labels.instances
    assert found.class_ids.tolist() == [4, 4, 7]
    assert found.masks.sum((1, 2)).tolist() == [20, 20, 1]
    np.testing.assert_allclose(found.scores, [1, 0.8, 0.9])
    assert np.unique(labels.labels).tolist() == [0, 4, 7]


@pytest.mark.parametrize('settings', [dict(background_score=1.1), dict(smallest_share=-0.1)])
def test_wrong_settings(settings):
    with pytest.raises(ValueError, match=f'{next(iter(settings))} of InstanceLabeler must be in'):
        InstanceLabeler(**settings)


def test_defaults_are_those_of_the_method():
    labeler = InstanceLabeler()
    assert (labeler.background_score, labeler.smallest_share) == (0.25, 0.01)
