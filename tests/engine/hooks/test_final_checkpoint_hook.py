from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmwsss.engine import FINAL_CHECKPOINT, FinalCheckpointHook, find_trained_checkpoint, load_from_local


def runner_of(folder, model=None, before_save=None):
    dataset = SimpleNamespace(metainfo=dict(classes=('background', 'cat'), palette=[[0, 0, 0], [9, 9, 9]]))
    return SimpleNamespace(
        work_dir=str(folder),
        model=model or nn.Linear(2, 2),
        epoch=0,
        iter=7,
        seed=0,
        cfg=Config(dict(value=1)),
        train_dataloader=SimpleNamespace(dataset=dataset),
        call_hook=lambda name, checkpoint: before_save and before_save(checkpoint),
    )


def test_weights_and_meta_are_left_and_nothing_else(tmp_path):
    runner = runner_of(tmp_path)
    (tmp_path / 'iter_9.pth').touch()
    FinalCheckpointHook().after_train(runner)
    assert find_trained_checkpoint(str(tmp_path)) == str(tmp_path / FINAL_CHECKPOINT)
    checkpoint = load_from_local(str(tmp_path / FINAL_CHECKPOINT))
    assert set(checkpoint) == {'meta', 'state_dict'}
    assert checkpoint['meta']['dataset_meta']['classes'] == ('background', 'cat') and checkpoint['meta']['iter'] == 7
    assert torch.equal(checkpoint['state_dict']['weight'], runner.model.weight)


def test_a_wrapped_model_is_saved_without_its_wrapper(tmp_path, monkeypatch):
    inner = nn.Linear(2, 2)
    wrapper = nn.ModuleDict(dict(module=inner))
    wrapper.module = inner
    monkeypatch.setattr('mmwsss.engine.hooks.final_checkpoint_hook.is_model_wrapper', lambda model: model is wrapper)
    FinalCheckpointHook().after_train(runner_of(tmp_path, wrapper))
    assert set(load_from_local(str(tmp_path / FINAL_CHECKPOINT))['state_dict']) == {'weight', 'bias'}


def test_an_average_of_the_weights_takes_their_place(tmp_path):
    def average(checkpoint):
        checkpoint['ema_state_dict'] = {}
        checkpoint['state_dict']['weight'] = torch.full((2, 2), 3.0)

    FinalCheckpointHook().after_train(runner_of(tmp_path, before_save=average))
    checkpoint = load_from_local(str(tmp_path / FINAL_CHECKPOINT))
    assert (checkpoint['state_dict']['weight'] == 3).all() and 'ema_state_dict' not in checkpoint


def test_equal_weights_give_equal_bytes(tmp_path):
    model = nn.Linear(2, 2)
    written = []
    for _ in range(2):
        FinalCheckpointHook().after_train(runner_of(tmp_path, model))
        written.append((tmp_path / FINAL_CHECKPOINT).read_bytes())
    assert written[0] == written[1]


def test_a_file_that_cannot_be_written_leaves_none(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.replace', fail)
    with pytest.raises(OSError, match='No space'):
        FinalCheckpointHook().after_train(runner_of(tmp_path))
    assert list(tmp_path.iterdir()) == []
