from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import IterBasedTrainLoop

from mmwsss.engine import CheckpointMatchHook
from mmwsss.fileio import DataError


def load(checkpoint, trains=False, resumes=False):
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 3))
    loop = IterBasedTrainLoop.__new__(IterBasedTrainLoop) if trains else dict(type='IterBasedTrainLoop')
    runner = SimpleNamespace(model=model, _train_loop=loop, _resume=resumes, _load_from='x.pth')
    CheckpointMatchHook().after_load_checkpoint(runner, checkpoint)
    return checkpoint['state_dict']


WHOLE = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 3)).state_dict()
PART = {name: value for name, value in WHOLE.items() if name.startswith('0.')}
OTHER = {'features.weight': torch.ones(1)}


@pytest.mark.parametrize('state_dict', [PART, OTHER])
@pytest.mark.parametrize('training', [{}, dict(trains=True, resumes=True)])
def test_a_test_and_a_resumed_training_need_all_parameters(state_dict, training):
    assert load(dict(state_dict=WHOLE), **training) is WHOLE
    with pytest.raises(DataError, match=r'^x\.pth: .* lacks '):
        load(dict(state_dict=state_dict), **training)


def test_a_training_starts_from_a_part_but_not_from_another_network():
    assert load(dict(state_dict=PART), trains=True) is PART
    with pytest.raises(DataError, match=r'^x\.pth: expected weights of Sequential, such as 0\.weight'):
        load(dict(state_dict=OTHER), trains=True)


@pytest.mark.parametrize('trains', [True, False])
def test_a_state_dict_elsewhere_in_the_file_is_put_where_mmengine_looks(trains):
    assert load(dict(model=WHOLE), trains=trains).keys() == WHOLE.keys()
    assert load(dict(WHOLE), trains=trains).keys() == WHOLE.keys()
