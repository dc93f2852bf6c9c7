from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import DefaultScope
from mmseg.registry import HOOKS, MODELS

from mmwsss import engine  # noqa: F401


def test_layout_changes_and_figures_do_not():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Conv2d(8, 4, 1)).eval()
    image = torch.randn(1, 3, 9, 11)
    expected = model(image)
    names = list(model.state_dict())
    HOOKS.build(dict(type='ChannelsLastHook')).before_run(SimpleNamespace(model=model))
    out = model(image)
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert out.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(out, expected)
    assert list(model.state_dict()) == names


@pytest.mark.usefixtures('mmseg_scope')
def test_seeds_of_a_network_do_not_change(cam_config):
    torch.manual_seed(0)
    model = MODELS.build(cam_config()).eval()
    image = torch.randn(1, 3, 40, 48)
    maps = model.head.cams(model.backbone(image))
    HOOKS.build(dict(type='ChannelsLastHook')).before_run(SimpleNamespace(model=model))
    torch.testing.assert_close(model.head.cams(model.backbone(image)), maps, atol=1e-4, rtol=1e-4)


def test_registered_in_the_scope_of_mmseg():
    with DefaultScope.overwrite_default_scope('mmseg'):
        assert HOOKS.get('ChannelsLastHook') is engine.ChannelsLastHook


def test_folded_batchnorm_gives_the_same_figures():
    torch.manual_seed(0)
    conv, norm = torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    model = torch.nn.Sequential(conv, norm, torch.nn.ReLU()).eval()
    image = torch.randn(1, 3, 9, 11)
    expected = model(image)
    runner = SimpleNamespace(model=model)
    HOOKS.build(dict(type='FuseConvBNHook')).before_test(runner)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in runner.model.modules())
    torch.testing.assert_close(runner.model(image), expected)
