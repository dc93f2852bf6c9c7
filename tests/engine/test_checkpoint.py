import torch

from mmwsss.engine import find_resumable_checkpoint, find_trained_checkpoint


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
