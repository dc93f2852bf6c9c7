import os

import pytest
from mmengine import fileio
from mmengine.runner import save_checkpoint

from mmwsss.engine import load_from_local
from mmwsss.fileio.local_backend import AtomicLocalBackend


def test_files_of_mmengine_are_whole_or_absent(tmp_path, monkeypatch):
    assert isinstance(fileio.get_file_backend(str(tmp_path)), AtomicLocalBackend)
    path = tmp_path / 'sub' / 'iter_1.pth'
    save_checkpoint(dict(meta={}), str(path))
    fileio.put_text('häuser', tmp_path / 'text.txt')
    assert load_from_local(str(path)) == dict(meta={})
    assert fileio.get_text(tmp_path / 'text.txt') == 'häuser'
    before = path.read_bytes()

    def fail(_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(OSError, match=r'No space left on device: .*iter_1\.pth'):
        save_checkpoint(dict(meta=dict(iter=1)), str(path))
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]
