from dataclasses import replace

import numpy as np
import pytest
from role_testers import LabelerTester, context_of, score_maps

from mmwsss.models import ThresholdLabeler
from mmwsss.ops import threshold_label_map
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestThresholdLabeler(LabelerTester):
    type = 'ThresholdLabeler'
    settings = dict(foreground=0.6, background=0.4, num_iters=1, gaussian=[2, 2], bilateral=(30, 9, 6))
    makes_background = True

    @pytest.mark.parametrize('with_background', [True, False])
    @pytest.mark.parametrize('ids', [(), (2,), (1, 3)])
    def test_is_the_op(self, member, ids, with_background):
        maps, context = score_maps((15, 22), [ids], with_background=with_background), context_of((15, 22))
        expected = threshold_label_map(
            context.images[0], maps.at_image_size[0], ids, with_background=with_background, **self.settings
        )
        np.testing.assert_array_equal(member.label(maps, context).labels[0], expected)

    def test_it_makes_the_background_itself(self, member):
        with pytest.raises(ValueError, match='expected class maps without one'):
            member.label(replace(score_maps(), has_background=True), context_of())


def test_defaults_are_those_of_the_method():
    settings = MODELS.build(dict(type='mmwsss.ThresholdLabeler')).settings
    assert settings == dict(foreground=0.3, background=0.05, num_iters=10, gaussian=(3, 3), bilateral=(50, 5, 10))


@pytest.mark.parametrize(
    'settings', [dict(foreground=1.1), dict(background=-0.1), dict(foreground=0.1, background=0.2)]
)
def test_wrong_scores(settings):
    with pytest.raises(ValueError, match='0 <= background <= foreground <= 1'):
        ThresholdLabeler(**settings)
