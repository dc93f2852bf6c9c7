import pickle

import numpy as np
import pytest
from mmseg.registry import MODELS

from mmwsss.ops import dense_crf

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.mark.parametrize('size', [(16, 24), (13, 17)])
@pytest.mark.parametrize('count', [1, 2, 5])
def test_is_the_op(make_image, size, count):
    image = make_image(size)
    scores = np.random.default_rng(0).random((count, *size)).astype(np.float32)
    settings = dict(num_iters=3, gaussian=(2, 4), bilateral=(20, 9, 6))
    crf = pickle.loads(pickle.dumps(MODELS.build(dict(type='DenseCRF', **settings))))
    refined = crf(image, scores)
    np.testing.assert_allclose(refined, dense_crf(image, scores, 3, (2, 4), (20, 9, 6)), atol=1e-6)
    np.testing.assert_allclose(refined.sum(0), 1, atol=1e-4)


def test_defaults_are_those_of_the_method():
    crf = MODELS.build(dict(type='DenseCRF'))
    assert (crf.num_iters, crf.gaussian, crf.bilateral) == (10, (3, 3), (80, 13, 10))
