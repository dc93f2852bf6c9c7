import json

import numpy as np
import pytest
import torch

from mmwsss.fileio import Seeds, atomic_write, is_whole, write_mask, write_seeds


def write(path, suffix):
    if suffix == '.png':
        write_mask(path, np.zeros((9, 9), np.uint8), [(0, 0, 0)])
    elif suffix == '.npz':
        write_seeds(path, Seeds(np.array([1], np.uint8), np.ones((1, 3, 3), np.float16), (9, 9)))
    elif suffix == '.pth':
        torch.save(dict(weight=torch.ones(5)), path)
    elif suffix == '.json':
        path.write_text(json.dumps([dict(a=1)]) + '\n')
    else:
        path.write_bytes(b'content')


@pytest.mark.parametrize('suffix', ['.png', '.npz', '.pth', '.json', '.log'])
def test_cut_off_files_are_found(tmp_path, suffix):
    path = tmp_path / f'file{suffix}'
    assert not is_whole(path)
    write(path, suffix)
    assert is_whole(path) and is_whole(str(path))
    content = path.read_bytes()
    half = len(content) // 2
    for length in [0] if suffix == '.log' else [0, 1, half, len(content) - 3]:
        atomic_write(path, content[:length])
        assert not is_whole(path)
    # What a file system makes of blocks that were promised and never written.
    atomic_write(path, content[:half] + bytes(len(content) - half))
    assert is_whole(path) == (suffix == '.log')
    atomic_write(path, content)
    assert is_whole(path)
