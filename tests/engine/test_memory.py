import json
import subprocess
import sys

from mmwsss.engine.memory import MEMORY_FILE, note_memory


def test_freed_memory_can_be_kept_where_the_c_library_is_glibc():
    code = 'import platform; from mmwsss.engine.memory import keep_freed_memory as keep; '
    code += "assert keep() == (platform.libc_ver()[0] == 'glibc')"
    subprocess.run([sys.executable, '-c', code], check=True)


def test_phases_are_noted_side_by_side(tmp_path):
    note_memory(tmp_path, 'train')
    note_memory(tmp_path, 'test')
    noted = json.loads((tmp_path / MEMORY_FILE).read_text())
    assert list(noted) == ['train', 'test']
    assert set(noted['test']) == {'process', 'worker', 'gpu'}
    assert 10 < noted['test']['process'] < 1e6
