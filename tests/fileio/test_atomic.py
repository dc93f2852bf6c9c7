import errno
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from mmwsss.fileio import atomic_write, atomic_write_json, remove_parts


def test_writes_and_replaces_and_makes_folders(tmp_path):
    path = tmp_path / 'a' / 'b' / 'file.bin'
    atomic_write(path, b'one')
    atomic_write(str(path), b'two')
    assert path.read_bytes() == b'two'
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / 'file.bin'
    atomic_write(path, b'old')

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr(os, 'replace', fail)
    with pytest.raises(OSError, match='disk full'):
        atomic_write(path, b'new')
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('full', [False, True])
def test_error_of_the_disk_names_the_file(tmp_path, monkeypatch, full):
    if full:

        def fail(_):
            raise OSError(errno.ENOSPC, 'No space left on device')

        monkeypatch.setattr(os, 'fsync', fail)
        path, number = tmp_path / 'file.bin', errno.ENOSPC
    else:
        (tmp_path / 'folder').write_bytes(b'')
        path, number = tmp_path / 'folder/file.bin', errno.EEXIST
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError) as raised:
        atomic_write(path, b'new', durable=True)
    assert raised.value.errno == number and raised.value.filename == str(path)
    assert sorted(tmp_path.iterdir()) == before


def test_remains_of_a_killed_process_are_removed(tmp_path):
    for name in ('.a.png.x1.part', 'a.png', 'b.part'):
        (tmp_path / name).write_bytes(b'')
    remove_parts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a.png', 'b.part']
    remove_parts(tmp_path / 'absent')


def test_many_writers_of_one_file_leave_one_whole_version(tmp_path):
    path = tmp_path / 'file.bin'
    versions = [bytes([value]) * 100_000 for value in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda data: atomic_write(path, data), versions))
    assert path.read_bytes() in versions
    assert list(tmp_path.iterdir()) == [path]


def test_long_name(tmp_path):
    path = tmp_path / ('x' * 250 + '.png')
    atomic_write(path, b'data')
    assert path.read_bytes() == b'data'


def test_json(tmp_path):
    path = tmp_path / 'file.json'
    atomic_write_json(path, {'häuser': [1, 2.5, None]})
    assert json.loads(path.read_text(encoding='utf-8')) == {'häuser': [1, 2.5, None]}
    with pytest.raises(TypeError):
        atomic_write_json(path, object())
    assert json.loads(path.read_text(encoding='utf-8')) == {'häuser': [1, 2.5, None]}
