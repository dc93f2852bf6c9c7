import torch
from mmseg.registry import OPTIM_WRAPPERS

from mmwsss.engine import BFloat16OptimWrapper


def test_forward_in_bfloat16_weights_in_float32():
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 3)
    before = model.weight.detach().clone()
    wrapper = OPTIM_WRAPPERS.build(
        dict(type='BFloat16OptimWrapper', optimizer=torch.optim.SGD(model.parameters(), lr=0.1))
    )
    assert isinstance(wrapper, BFloat16OptimWrapper)
    inputs = torch.randn(5, 4)
    with wrapper.optim_context(model):
        out = model(inputs)
    assert out.dtype == torch.bfloat16 and not torch.is_autocast_enabled('cpu')
    loss = out.float().square().mean()
    wrapper.update_params(loss)
    assert model.weight.dtype == torch.float32 and not torch.equal(model.weight, before)
    assert model(inputs).square().mean().item() < loss.item()


def test_gradients_are_accumulated():
    model = torch.nn.Linear(2, 1)
    before = model.weight.detach().clone()
    wrapper = BFloat16OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1), accumulative_counts=2)
    for step in range(2):
        with wrapper.optim_context(model):
            loss = model(torch.ones(3, 2)).float().square().mean() + model.weight.sum()
        wrapper.update_params(loss)
        assert torch.equal(model.weight, before) == (step == 0)
