import pytest
import torch
from role_testers import RefinerTester, context_of, score_maps

from mmwsss.ops.maps import resize_maps
from mmwsss.ops.par import pamr, par
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestPAR(RefinerTester):
    type = 'PAR'
    settings = dict(dilations=(1, 2), num_iters=3)

    def test_is_the_op_at_half_the_size(self, member):
        maps, context = score_maps((37, 46)), context_of((37, 46))
        image = torch.from_numpy(context.images[0]).permute(2, 0, 1)[None].float()
        expected = par(maps.at_image_size, resize_maps(image, (18, 23)), (1, 2), 3)
        assert torch.equal(member.refine(maps, context).maps, expected)


class TestPAMR(RefinerTester):
    type = 'PAMR'
    settings = dict(dilations=[1, 2], num_iters=3)

    def test_is_the_op_at_the_size_of_the_image(self, member):
        maps, context = score_maps((37, 46)), context_of((37, 46))
        image = torch.from_numpy(context.images[0]).permute(2, 0, 1)[None].float()
        expected = pamr(maps.at_image_size, image, (1, 2), 3)
        assert torch.equal(member.refine(maps, context).maps, expected)


def test_defaults_are_those_of_the_methods():
    refiner = MODELS.build(dict(type='mmwsss.PAR'))
    assert (refiner.dilations, refiner.num_iters, refiner.scale) == ((1, 2, 4, 8, 12, 24), 10, 0.5)
    assert MODELS.build(dict(type='mmwsss.PAMR')).scale == 1


@pytest.mark.parametrize('scale', [0, 1.5])
def test_wrong_scale(scale):
    with pytest.raises(ValueError, match='scale of PAR must be in'):
        MODELS.build(dict(type='mmwsss.PAR', scale=scale))
