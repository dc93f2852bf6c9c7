import os
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader

from mmwsss.engine import (
    FinalValidationHook,
    check_state_dict,
    find_resumable_checkpoint,
    find_trained_checkpoint,
    load_from_local,
)
from mmwsss.fileio import DataError


class RunsCode:
    """What a crafted checkpoint does: call a function of its choice while it is unpickled."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


class ReadsAttribute:
    def __reduce__(self):
        return getattr, (HistoryBuffer, '__init__')


def save_training_checkpoint(path):
    buffer = HistoryBuffer([1.0, 2.0], [1, 1])
    torch.save(
        dict(
            meta=dict(iter=3, best=np.float64(0.5)),
            state_dict=dict(weight=torch.arange(4.0), half=torch.ones(2).half()),
            optimizer=dict(state={0: dict(momentum_buffer=torch.ones(2))}),
            message_hub=dict(log_scalars=dict(loss=buffer), runtime_info=dict(iter=np.int64(3))),
        ),
        path,
    )


def test_training_checkpoint_round_trip(tmp_path):
    path = tmp_path / 'iter_3.pth'
    save_training_checkpoint(path)
    loaded = load_from_local(str(path), 'cpu')
    assert torch.equal(loaded['state_dict']['weight'], torch.arange(4.0))
    assert loaded['meta']['best'] == 0.5
    assert loaded['message_hub']['log_scalars']['loss'].mean() == 1.5


@pytest.mark.parametrize('zipped', [True, False])
def test_code_in_a_checkpoint_is_refused(tmp_path, zipped):
    marker = tmp_path / 'ran'
    path = tmp_path / 'crafted.pth'
    torch.save(dict(state_dict=RunsCode(marker)), path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match=r'crafted\.pth.*mkdir'):
        load_from_local(str(path))
    assert not marker.exists()


def test_raw_pickle_is_refused(tmp_path):
    marker = tmp_path / 'ran'
    path = tmp_path / 'raw.pth'
    path.write_bytes(pickle.dumps(RunsCode(marker), protocol=2))
    with pytest.raises(DataError, match=r'raw\.pth'):
        load_from_local(str(path))
    assert not marker.exists()


def test_getattr_reads_nothing_but_statistics(tmp_path):
    path = tmp_path / 'attribute.pth'
    torch.save(dict(value=ReadsAttribute()), path)
    with pytest.raises(DataError, match=r'attribute\.pth'):
        load_from_local(str(path))


def test_mmengine_uses_the_strict_loader(tmp_path):
    path = tmp_path / 'crafted.pth'
    torch.save(dict(state_dict=RunsCode(tmp_path / 'ran')), path)
    with pytest.raises(DataError):
        CheckpointLoader.load_checkpoint(str(path), map_location='cpu')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('content', [b'', b'hello', b'PK\x03\x04 cut off'])
def test_broken_file_is_named(tmp_path, content):
    path = tmp_path / 'broken.pth'
    path.write_bytes(content)
    with pytest.raises(DataError, match=r'broken\.pth'):
        load_from_local(str(path))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r'absent\.pth.*no such file'):
        load_from_local(str(tmp_path / 'absent.pth'))


def test_resume_falls_back_to_the_last_whole_checkpoint(tmp_path):
    for step in (5, 10, 20):
        save_training_checkpoint(tmp_path / f'iter_{step}.pth')
    whole = (tmp_path / 'iter_20.pth').read_bytes()
    (tmp_path / 'iter_20.pth').write_bytes(whole[: len(whole) // 2])
    assert find_resumable_checkpoint(str(tmp_path)) == str(tmp_path / 'iter_10.pth')
    assert find_trained_checkpoint(str(tmp_path)) == str(tmp_path / 'iter_20.pth')


def test_nothing_to_resume_from(tmp_path):
    torch.save(dict(state_dict={}), tmp_path / 'iter_1.pth')
    assert find_resumable_checkpoint(str(tmp_path)) is None
    assert find_trained_checkpoint(str(tmp_path / 'absent')) is None


def test_state_dict_of_another_model_is_refused():
    model = torch.nn.Linear(3, 2)
    check_state_dict(model, dict(model.state_dict(), extra=torch.ones(1)), 'own.pth')
    wrapped = {f'module.{name}': value for name, value in model.state_dict().items()}
    check_state_dict(model, wrapped, 'ddp.pth')
    with pytest.raises(DataError, match=r'other\.pth.*lacks bias'):
        check_state_dict(model, dict(weight=torch.ones(2, 3)), 'other.pth')
    with pytest.raises(DataError, match=r'other\.pth.*weight \(4, 3\) instead of \(2, 3\)'):
        check_state_dict(model, torch.nn.Linear(3, 4).state_dict(), 'other.pth')


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
