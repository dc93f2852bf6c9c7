import numpy as np
import pytest
import torch
from role_testers import RefinerTester, context_of, images_of, score_maps, write_image

from mmwsss.models import RefineContext
from mmwsss.ops import dense_crf
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestDenseCRF(RefinerTester):
    type = 'DenseCRF'
    settings = dict(num_iters=2, gaussian=(2, 4), bilateral=[20, 9, 6])

    @pytest.mark.parametrize('size', [(16, 24), (13, 17)])
    @pytest.mark.parametrize('count', [1, 2, 5])
    def test_is_the_op(self, member, size, count):
        maps, context = score_maps(size, [range(1, count + 1)]), context_of(size)
        refined = member.refine(maps, context).maps[0]
        expected = dense_crf(context.images[0], maps.at_image_size[0], 2, (2, 4), (20, 9, 6))
        np.testing.assert_allclose(refined, expected, atol=1e-6)
        np.testing.assert_allclose(refined.sum(0), 1, atol=1e-4)

    def test_image_of_a_file(self, member, tmp_path):
        image = images_of()[0].permute(1, 2, 0).numpy()
        write_image(tmp_path / 'p.png', image)
        maps = score_maps((40, 56))
        expected = member.refine(maps, RefineContext([image])).maps
        assert torch.equal(member.refine(maps, RefineContext([str(tmp_path / 'p.png')])).maps, expected)


def test_defaults_are_those_of_the_method():
    crf = MODELS.build(dict(type='mmwsss.DenseCRF'))
    assert (crf.num_iters, crf.gaussian, crf.bilateral) == (10, (3, 3), (80, 13, 10))
