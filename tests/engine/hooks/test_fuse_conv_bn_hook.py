from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import EMAHook

from mmwsss.engine import FuseConvBNHook


@pytest.fixture
def runner():
    torch.manual_seed(0)
    norm = torch.nn.BatchNorm2d(8)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), norm, torch.nn.ReLU())
    return SimpleNamespace(model=model, iter=0, epoch=0)


def norms_of(model):
    return [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def test_folded_batchnorm_gives_the_same_figures_and_the_network_comes_back(runner):
    model, image = runner.model, torch.randn(1, 3, 9, 11)
    expected = model.eval()(image)
    hook = FuseConvBNHook()
    hook.before_test_epoch(runner)
    assert runner.model is not model and not norms_of(runner.model)
    torch.testing.assert_close(runner.model.eval()(image), expected)
    hook.after_test_epoch(runner)
    assert runner.model is model and len(norms_of(model)) == 1
    torch.testing.assert_close(model(image), expected)


def test_weights_averaged_by_an_ema_hook_are_the_ones_that_are_tested(runner):
    model, image = runner.model.eval(), torch.randn(1, 3, 9, 11)
    averaged, ema = model(image), EMAHook(momentum=0.1)
    ema.before_run(runner)
    with torch.no_grad():
        model[0].weight.add_(1)
    trained = model(image)
    hooks = sorted([FuseConvBNHook(), ema], key=lambda hook: 0 if hook is ema else 1)
    for hook in hooks:
        hook.before_test_epoch(runner)
    torch.testing.assert_close(runner.model.eval()(image), averaged)
    for hook in hooks:
        hook.after_test_epoch(runner)
    torch.testing.assert_close(runner.model(image), trained)
