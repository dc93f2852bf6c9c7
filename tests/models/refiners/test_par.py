import pytest
import torch
from role_testers import RefinerTester, context_of, score_maps

from mmwsss.ops import pamr, par, resize_maps
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestPAR(RefinerTester):
    type = 'PAR'
    settings = dict(dilations=[1, 3], num_iters=2, scale=0.5)

    def test_is_the_op_at_half_the_size(self, member):
        maps, context = score_maps(), context_of()
        image = torch.from_numpy(context.images[0]).permute(2, 0, 1)[None].float()
        expected = par(maps.at_image_size, resize_maps(image, (18, 23)), (1, 3), 2)
        torch.testing.assert_close(member.refine(maps, context).at_image_size, resize_maps(expected, (37, 46)))


class TestPAMR(RefinerTester):
    type = 'PAMR'
    settings = dict(dilations=[1, 3], num_iters=2, scale=1.0)

    def test_is_the_op(self, member):
        maps, context = score_maps(), context_of()
        image = torch.from_numpy(context.images[0]).permute(2, 0, 1)[None].float()
        expected = pamr(maps.at_image_size, image, (1, 3), 2)
        torch.testing.assert_close(member.refine(maps, context).at_image_size, expected)


def test_defaults_are_those_of_the_methods():
    refiner = MODELS.build(dict(type='mmwsss.PAR'))
    assert (refiner.dilations, refiner.num_iters, refiner.scale) == ((1, 2, 4, 8, 12, 24), 10, 0.5)
    assert MODELS.build(dict(type='mmwsss.PAMR')).scale == 1


@pytest.mark.parametrize('scale', [0, 1.5])
def test_wrong_scale(scale):
    with pytest.raises(ValueError, match='scale of PAR'):
        MODELS.build(dict(type='mmwsss.PAR', scale=scale))
