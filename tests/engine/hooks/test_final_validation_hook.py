from types import SimpleNamespace

import pytest

from mmwsss.engine import FinalValidationHook


@pytest.mark.parametrize('done, has_validation, expected', [(4, True, 1), (3, True, 0), (4, False, 0)])
def test_training_resumed_at_its_end_is_validated(done, has_validation, expected):
    calls = []
    loop = SimpleNamespace(run=lambda: calls.append(1)) if has_validation else None
    runner = SimpleNamespace(iter=done, max_iters=4, val_loop=loop)
    hook = FinalValidationHook()
    hook.before_train(runner)
    runner.iter = 4
    hook.after_train(runner)
    assert len(calls) == expected
