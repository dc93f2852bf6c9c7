import copy

import pytest
import torch
from mmcv.cnn.utils import fuse_conv_bn
from mmseg.registry import MODELS
from torch import nn

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def build(**settings):
    torch.manual_seed(0)
    model = MODELS.build(dict(type='mmwsss.ResNet38d', **{'base_channels': 2, **settings}))
    model.init_weights()
    return model


def dropouts(model):
    return [module for module in model.modules() if isinstance(module, nn.Dropout2d)]


def norms(model):
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]


def test_published_size():
    """105.15 million parameters with the classifier's 20 x 4096, of which 104.28 million are trained."""
    with torch.device('meta'):
        model = MODELS.build(dict(type='mmwsss.ResNet38d'))
    classifier = 20 * 4096
    total = sum(parameter.numel() for parameter in model.parameters()) + classifier
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad) + classifier
    assert (round(total / 1e6, 2), round(trained / 1e6, 2)) == (105.15, 104.28)
    with torch.device('meta'):
        taps = model(torch.rand(1, 3, 448, 448))
    assert [tuple(tap.shape) for tap in taps] == [(1, channels, 56, 56) for channels in (512, 1024, 4096)]


@pytest.mark.parametrize('size, grid', [((375, 500), (47, 63)), ((33, 40), (5, 5)), ((8, 1), (1, 1))])
def test_taps(size, grid):
    taps = build().eval()(torch.rand(2, 3, *size))
    assert [tuple(tap.shape) for tap in taps] == [(2, channels, *grid) for channels in (16, 32, 128)]
    assert all(tap.min() >= 0 for tap in taps)


def test_norms_and_frozen_stages_stay_while_the_rest_learns():
    model = build().train()
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    sum(tap.mean() for tap in model(torch.rand(2, 3, 33, 40))).backward()
    optimizer.step()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    convs = {name for name in before if before[name].ndim == 4}
    assert changed == {name for name in convs if not name.startswith(('stage1.', 'stage2.'))}
    assert not any(norm.training for norm in norms(model))


@pytest.mark.parametrize('frozen_stages', [0, 7])
def test_frozen_stages(frozen_stages):
    convs = [module.weight for module in build(frozen_stages=frozen_stages).modules() if isinstance(module, nn.Conv2d)]
    assert all(weight.requires_grad == (frozen_stages == 0) for weight in convs)


def test_dropout_is_active_in_training_alone():
    model, image = build(), torch.rand(1, 3, 33, 40)
    assert [module.p for module in dropouts(model)] == [0.3, 0.5]
    assert not torch.equal(model.train()(image)[2], model(image)[2])
    assert torch.equal(model.eval()(image)[2], model(image)[2])
    still = build(dropout_ratios=(0, 0)).train()
    assert torch.equal(still(image)[2], still(image)[2])


def test_fused_norms_give_the_same_taps():
    model, image = build().eval(), torch.rand(1, 3, 33, 40)
    for norm in norms(model):
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
        nn.init.normal_(norm.running_mean, std=0.1)
        nn.init.normal_(norm.bias, std=0.1)
    fused = fuse_conv_bn(copy.deepcopy(model))
    assert len(norms(fused)) < len(norms(model))
    for tap, expected in zip(fused(image), model(image), strict=True):
        torch.testing.assert_close(tap, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    'settings, name',
    [
        (dict(base_channels=0), 'base_channels'),
        (dict(frozen_stages=8), 'frozen_stages'),
        (dict(dropout_ratios=(0.5,)), 'dropout_ratios'),
    ],
)
def test_wrong_settings_are_named(settings, name):
    with pytest.raises(ValueError, match=name):
        build(**settings)
