import pytest
import torch
from mmseg.registry import OPTIM_WRAPPERS

from mmwsss.engine import BFloat16OptimWrapper, bfloat16, has_bfloat16


@pytest.fixture
def capable(monkeypatch):
    """A CPU with bfloat16 instructions, or one without."""

    def pretend(value: bool) -> None:
        monkeypatch.setattr(bfloat16, 'has_bfloat16', lambda device: value)

    pretend(True)
    return pretend


def test_capability_is_asked_of_the_cpu_alone(monkeypatch):
    assert has_bfloat16('cuda')
    monkeypatch.setattr(torch.cpu, 'get_capabilities', lambda: dict(avx512_f=True), raising=False)
    assert not has_bfloat16('cpu')
    monkeypatch.setattr(torch.cpu, 'get_capabilities', lambda: dict(avx512_f=True, avx512_bf16=True), raising=False)
    assert has_bfloat16('cpu')
    monkeypatch.delattr(torch.cpu, 'get_capabilities')
    assert not has_bfloat16('cpu')


def test_without_instructions_all_is_float32(capable):
    capable(False)
    model = torch.nn.Linear(4, 3)
    wrapper = BFloat16OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    with wrapper.optim_context(model):
        assert model(torch.randn(5, 4)).dtype == torch.float32


def test_forward_in_bfloat16_weights_in_float32(capable):
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 3)
    before = model.weight.detach().clone()
    wrapper = OPTIM_WRAPPERS.build(
        dict(type='mmwsss.BFloat16OptimWrapper', optimizer=torch.optim.SGD(model.parameters(), lr=0.1))
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
