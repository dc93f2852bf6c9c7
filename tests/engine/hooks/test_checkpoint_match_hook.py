from types import SimpleNamespace

import pytest
import torch

from mmwsss.engine import CheckpointMatchHook
from mmwsss.fileio import DataError


def test_checkpoint_of_another_model_is_refused_by_name():
    runner, hook = SimpleNamespace(model=torch.nn.Linear(3, 2)), CheckpointMatchHook('final.pth')
    hook.after_load_checkpoint(runner, dict(state_dict=runner.model.state_dict()))
    hook.after_load_checkpoint(runner, runner.model.state_dict())
    with pytest.raises(DataError, match=r'final\.pth: expected a checkpoint of Linear as configured'):
        hook.after_load_checkpoint(runner, dict(state_dict=torch.nn.Linear(4, 2).state_dict()))
