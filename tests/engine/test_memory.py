import json

from mmwsss.engine.memory import MEMORY_FILE, note_memory


def test_phases_are_noted_side_by_side(tmp_path):
    note_memory(tmp_path, 'train')
    note_memory(tmp_path, 'test')
    noted = json.loads((tmp_path / MEMORY_FILE).read_text())
    assert list(noted) == ['train', 'test']
    assert set(noted['test']) == {'process', 'worker', 'gpu'}
    assert 10 < noted['test']['process'] < 1e6
