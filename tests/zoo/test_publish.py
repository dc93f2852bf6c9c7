import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from torch import nn

from mmwsss.fileio import DataError
from mmwsss.zoo.publish import Published, metafile_lines, name_of_leaf, publish

META = dict(
    cfg="data_root = '/data/private'\nmodel = dict(type='Model')\nwork_dir = 'work_dirs/a'\n",
    dataset_meta=dict(classes=('background', 'cat'), palette=np.array([[0, 0, 0], [1, 2, 3]])),
    iter=4,
    seed=0,
    time='today',
    experiment_name='mine',
)


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint as ``CheckpointHook`` writes it, of a training with an average."""
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    averaged = {name: torch.full_like(value, 5.0) for name, value in model.state_dict().items()}
    content = dict(
        meta=META,
        state_dict=averaged,
        ema_state_dict=model.state_dict(),
        optimizer=optimizer.state_dict(),
        param_schedulers=[dict(last_step=3)],
        message_hub=dict(log_scalars=dict(loss=HistoryBuffer([1.0], [1]))),
    )
    path = tmp_path / 'stage/iter_4.pth'
    path.parent.mkdir()
    torch.save(content, path)
    return path


def test_only_weights_and_what_inference_needs_are_published(checkpoint, tmp_path):
    published = publish(checkpoint, tmp_path / 'out', 'fast')
    content = Path(published.path).read_bytes()
    assert hashlib.sha256(content).hexdigest() == published.sha256
    assert Path(published.path).name == f'fast-{published.sha256[:8]}.pth'
    loaded = torch.load(published.path, weights_only=True)
    assert set(loaded) == {'meta', 'state_dict'} and set(loaded['meta']) == {'cfg', 'dataset_meta', 'iter', 'seed'}
    assert loaded['meta']['dataset_meta'] == dict(classes=('background', 'cat'), palette=[[0, 0, 0], [1, 2, 3]])
    assert all((value == 5).all() for value in loaded['state_dict'].values())
    model = nn.Linear(2, 2)
    model.load_state_dict(loaded['state_dict'])
    assert published.absolute_paths == ['/data/private']


def test_the_same_weights_give_the_same_file(checkpoint, tmp_path):
    first = publish(checkpoint, tmp_path / 'a', 'fast')
    content = torch.load(checkpoint, weights_only=False)
    content['meta']['time'] = 'tomorrow'
    torch.save(content, checkpoint)
    assert publish(checkpoint.parent, tmp_path / 'b', 'fast').sha256 == first.sha256
    content['state_dict']['bias'][0] = 6.0
    torch.save(content, checkpoint)
    assert publish(checkpoint, tmp_path / 'c', 'fast').sha256 != first.sha256


def test_a_view_of_a_large_tensor_is_published_alone(tmp_path):
    torch.save(dict(state_dict=dict(weight=torch.zeros(1000, 1000)[:1]), meta='none'), tmp_path / 'a.pth')
    assert Path(publish(tmp_path / 'a.pth', tmp_path, 'view').path).stat().st_size < 10_000


def test_a_published_file_is_never_overwritten(checkpoint, tmp_path):
    published = publish(checkpoint, tmp_path / 'out', 'fast')
    Path(published.path).write_bytes(b'kept')
    with pytest.raises(DataError, match=r'fast-[0-9a-f]{8}\.pth: expected no such file'):
        publish(checkpoint, tmp_path / 'out', 'fast')
    assert Path(published.path).read_bytes() == b'kept' and len(list((tmp_path / 'out').iterdir())) == 1


def test_what_is_no_checkpoint(tmp_path):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DataError, match=r'empty: expected a checkpoint that a training wrote, found none'):
        publish(tmp_path / 'empty', tmp_path, 'a')
    torch.save(dict(meta=dict()), tmp_path / 'a.pth')
    with pytest.raises(DataError, match=r'a\.pth: expected tensors by name'):
        publish(tmp_path / 'a.pth', tmp_path, 'a')


def test_lines_for_the_metafile():
    published = Published('s3://bucket/fast-01234567.pth', '0123', [])
    assert metafile_lines(published, 'configs/fast/a/b/cam.py', 'https://bucket/') == (
        '    Config: configs/fast/a/b/cam.py\n    Metadata:\n      Weights SHA256: 0123\n'
        '    Weights: https://bucket/fast-01234567.pth'
    )
    assert metafile_lines(published, None, None) == '    Metadata:\n      Weights SHA256: 0123'


def test_names_follow_the_place_of_the_config():
    assert name_of_leaf('/clone/configs/fast/voc12/net/cam.py') == 'fast_voc12_net_cam'
    assert name_of_leaf('mine/cam.py') == 'cam'
