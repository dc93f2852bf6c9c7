import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader

import mmwsss.registry  # noqa: F401
from mmwsss.fileio import DataError
from mmwsss.fileio.checkpoints import load_from_local


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
