import logging
from types import SimpleNamespace

import pytest
import torch

from mmwsss.engine import EvaluationPrecisionHook


@pytest.mark.parametrize('able', [True, False])
def test_evaluation_loops_follow_the_processor(monkeypatch, able):
    monkeypatch.setattr('mmwsss.engine.hooks.evaluation_precision_hook.has_bfloat16', lambda device: able)
    loop = SimpleNamespace(fp16=True)
    runner = SimpleNamespace(
        model=torch.nn.Linear(2, 2), val_loop=loop, test_loop=loop, logger=logging.getLogger('test')
    )
    hook = EvaluationPrecisionHook()
    hook.before_test(runner)
    assert loop.fp16 is able
    loop.fp16 = True
    hook.before_val(runner)
    assert loop.fp16 is able


def test_a_network_without_parameters_is_one_of_the_processor(monkeypatch):
    monkeypatch.setattr('mmwsss.engine.hooks.evaluation_precision_hook.has_bfloat16', lambda device: device != 'cpu')
    loop = SimpleNamespace(fp16=True)
    runner = SimpleNamespace(model=torch.nn.Identity(), test_loop=loop, logger=logging.getLogger('test'))
    EvaluationPrecisionHook().before_test(runner)
    assert loop.fp16 is False
