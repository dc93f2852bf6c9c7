import pytest
import torch

from mmwsss.engine import check_state_dict, find_resumable_checkpoint, find_trained_checkpoint
from mmwsss.fileio import DataError


def save_training_checkpoint(path):
    torch.save(dict(meta=dict(iter=3), state_dict=dict(weight=torch.ones(4)), message_hub=dict()), path)


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
