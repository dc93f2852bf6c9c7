from dataclasses import replace

import numpy as np
import pytest
from role_testers import LabelerTester, context_of, score_maps

from mmwsss.ops import affinity_label_map
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestAffinityLabeler(LabelerTester):
    type = 'AffinityLabeler'
    settings = dict(alpha_low=3, alpha_high=20, num_iters=1, gaussian=[2, 2], bilateral=(30, 9, 6))
    makes_background = True

    @pytest.mark.parametrize('with_background', [True, False])
    @pytest.mark.parametrize('ids', [(), (2,), (1, 3)])
    def test_is_the_op(self, member, ids, with_background):
        maps, context = score_maps((15, 22), [ids], with_background=with_background), context_of((15, 22))
        labels = member.label(maps, context).labels[0]
        expected = affinity_label_map(
            context.images[0],
            maps.at_image_size[0].numpy(),
            np.array(ids, np.uint8),
            with_background=with_background,
            **self.settings,
        )
        np.testing.assert_array_equal(labels, expected)

    def test_it_makes_the_background_itself(self, member):
        with pytest.raises(ValueError, match='expected class maps without one'):
            member.label(replace(score_maps(), has_background=True), context_of())


def test_defaults_are_those_of_the_method():
    settings = MODELS.build(dict(type='mmwsss.AffinityLabeler')).settings
    assert settings == dict(alpha_low=4, alpha_high=32, num_iters=10, gaussian=(3, 3), bilateral=(80, 13, 10))
