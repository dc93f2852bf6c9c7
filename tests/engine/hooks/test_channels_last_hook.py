from types import SimpleNamespace

import pytest
import torch
from mmseg.registry import HOOKS, MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def lay_out(model):
    HOOKS.build(dict(type='mmwsss.ChannelsLastHook')).before_run(SimpleNamespace(model=model))


def test_layout_changes_and_figures_do_not():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Conv2d(8, 4, 1)).eval()
    image = torch.randn(1, 3, 9, 11)
    expected = model(image)
    names = list(model.state_dict())
    lay_out(model)
    out = model(image)
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert out.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(out, expected)
    assert list(model.state_dict()) == names


def test_class_maps_of_a_network_do_not_change(cam_config):
    torch.manual_seed(0)
    model = MODELS.build(cam_config()).eval()
    image = torch.randn(1, 3, 40, 48)
    maps = model.localize(image, []).maps
    lay_out(model)
    torch.testing.assert_close(model.localize(image, []).maps, maps, atol=1e-4, rtol=1e-4)
