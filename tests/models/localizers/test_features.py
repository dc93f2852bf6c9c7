"""What localizers hand to refiners that need features."""

import pytest
import torch
from mmseg.registry import MODELS
from role_testers import images_of, labeled

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def predict(cam_config):
    """``predict(batch, feature_index=..., **test_cfg)``: the samples of a test, and the model."""

    def run(batch=1, feature_index=1, **test_cfg):
        torch.manual_seed(0)
        settings = dict(scales=(1, 0.5), seed_stride=4, **test_cfg)
        model = MODELS.build(dict(cam_config(**settings), feature_index=feature_index))
        model.init_weights()
        model.eval()
        data = dict(inputs=list(images_of(batch=batch)), data_samples=[labeled([1, 0, 1]) for _ in range(batch)])
        with torch.no_grad():
            return model.test_step(data), model

    return run


@pytest.mark.parametrize('flip', [True, False])
@pytest.mark.parametrize('feature_scale, size', [(None, (40, 56)), (1, (40, 56)), (0.5, (16, 32))])
def test_they_are_those_of_one_scale_as_it_is(predict, flip, feature_scale, size):
    settings = {} if feature_scale is None else dict(feature_scale=feature_scale)
    samples, model = predict(batch=2, flip=flip, **settings)
    inputs = model.data_preprocessor(dict(inputs=list(images_of(batch=2))))['inputs']
    view = model.scale_images(inputs, feature_scale or 1)
    assert tuple(view.shape[2:]) == size
    with torch.no_grad():
        expected = model.backbone(view)[1]
    for sample, features in zip(samples, expected, strict=True):
        assert sample.features.dtype == torch.float16
        torch.testing.assert_close(sample.features.float(), features, atol=1e-2, rtol=1e-3)


def test_without_an_index_there_are_none(predict):
    (sample,), _ = predict(feature_index=None)
    assert 'features' not in sample


def test_index_that_is_no_output(predict):
    with pytest.raises(ValueError, match='feature_index of CAMClassifier: the backbone has 4 outputs, 7 is none'):
        predict(feature_index=7)


def test_scale_that_is_none(predict):
    with pytest.raises(ValueError, match='feature_scale of test_cfg must be one of the scales, got 2'):
        predict(feature_scale=2)
