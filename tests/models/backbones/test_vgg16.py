import pytest
import torch
from mmseg.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def build(**settings):
    torch.manual_seed(0)
    model = MODELS.build(dict(type='mmwsss.VGG16LargeFOV', **{'base_channels': 2, **settings}))
    model.init_weights()
    return model


def test_published_size():
    """20.50 million parameters with the classifier's 20 x 1024."""
    with torch.device('meta'):
        model = MODELS.build(dict(type='mmwsss.VGG16LargeFOV'))
        taps = model(torch.rand(1, 3, 448, 448))
    assert round((sum(parameter.numel() for parameter in model.parameters()) + 20 * 1024) / 1e6, 2) == 20.50
    assert [tuple(tap.shape) for tap in taps] == [(1, channels, 56, 56) for channels in (512, 512, 1024)]


@pytest.mark.parametrize('dilation', [1, 4])
@pytest.mark.parametrize('size, grid', [((375, 500), (47, 63)), ((33, 40), (5, 5)), ((8, 1), (1, 1))])
def test_taps(size, grid, dilation):
    taps = build(fc6_dilation=dilation).eval()(torch.rand(2, 3, *size))
    assert [tuple(tap.shape) for tap in taps] == [(2, channels, *grid) for channels in (16, 16, 32)]
    assert all(tap.min() >= 0 for tap in taps)


def test_the_first_two_stages_are_frozen_with_their_biases():
    for frozen_stages in (0, 2, 5):
        trained = {
            name for name, parameter in build(frozen_stages=frozen_stages).named_parameters() if parameter.requires_grad
        }
        frozen = tuple(f'stage{stage}.' for stage in range(1, frozen_stages + 1))
        assert trained == {name for name, _ in build().named_parameters() if not name.startswith(frozen)}


def test_dropout_is_active_in_training_alone():
    model, image = build(), torch.rand(1, 3, 33, 40)
    assert not torch.equal(model.train()(image)[2], model(image)[2])
    assert torch.equal(model.eval()(image)[2], model(image)[2])


@pytest.mark.parametrize('settings', [dict(fc6_dilation=0), dict(base_channels=0), dict(frozen_stages=6)])
def test_wrong_settings_are_named(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        build(**settings)
