import pickle

import numpy as np
import pytest
from mmseg.registry import MODELS

from mmwsss.ops import affinity_label_map

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.mark.parametrize('with_background', [True, False])
@pytest.mark.parametrize('class_ids', [(), (2,), (1, 3)])
def test_is_the_op(make_image, with_background, class_ids):
    image, settings = make_image((15, 22)), dict(alpha_low=3, alpha_high=20, num_iters=2, gaussian=(2, 2))
    cams = np.random.default_rng(0).random((len(class_ids), 15, 22)).astype(np.float32)
    class_ids = np.array(class_ids, np.uint8)
    config = dict(type='AffinityLabelGenerator', with_background=with_background, **settings)
    labels = pickle.loads(pickle.dumps(MODELS.build(config)))(image, cams, class_ids)
    expected = affinity_label_map(image, cams, class_ids, with_background=with_background, **settings)
    np.testing.assert_array_equal(labels, expected)
    assert labels.dtype == np.uint8 and labels.shape == (15, 22)
    assert set(np.unique(labels)) <= {0, 255, *class_ids.tolist()} - ({0} if not with_background else set())


def test_defaults_are_those_of_the_method():
    settings = MODELS.build(dict(type='AffinityLabelGenerator')).settings
    assert settings == dict(
        alpha_low=4, alpha_high=32, with_background=True, num_iters=10, gaussian=(3, 3), bilateral=(80, 13, 10)
    )
