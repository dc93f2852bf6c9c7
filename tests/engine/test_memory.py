import json
import subprocess
import sys
from multiprocessing import get_context
from types import SimpleNamespace

import numpy as np

from mmwsss.engine.memory import MEMORY_FILE, MemoryHook, note_memory, peak_megabytes

TOLD = 'from mmwsss.engine.memory import peak_megabytes; print(peak_megabytes())'
SPARE = 2**28


def fill(pipe):
    """A worker that takes 256 MiB and waits."""
    values = np.ones(SPARE // 8)
    pipe.send(len(values))
    pipe.recv()


def noted_in(folder):
    return json.loads((folder / MEMORY_FILE).read_text())


def test_phases_are_noted_side_by_side(tmp_path):
    note_memory(tmp_path, 'train')
    note_memory(tmp_path, 'test')
    noted = noted_in(tmp_path)
    assert list(noted) == ['train', 'test']
    assert set(noted['test']) == {'process', 'worker', 'gpu'}
    assert 10 < noted['test']['process'] < 1e6


def test_a_process_tells_its_own_memory_and_not_that_of_the_one_that_started_it():
    command = [sys.executable, '-c', TOLD]
    before = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    held = np.ones(4 * SPARE // 8)
    after = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert len(held) and abs(after - before) < 100


def test_workers_that_still_run_count(tmp_path):
    here, there = get_context('fork').Pipe()
    note_memory(tmp_path, 'train')
    worker = get_context('fork').Process(target=fill, args=(there,))
    worker.start()
    assert here.recv() == SPARE // 8
    note_memory(tmp_path, 'test')
    here.send(None)
    worker.join()
    noted = noted_in(tmp_path)
    assert noted['train']['worker'] == 0 and noted['test']['worker'] >= 256


def test_a_process_that_is_gone_has_no_memory():
    process = subprocess.Popen([sys.executable, '-c', ''])
    process.wait()
    assert peak_megabytes(process.pid) == 0


def test_without_proc_the_memory_of_this_process_is_that_of_the_system(monkeypatch):
    monkeypatch.setattr('mmwsss.engine.memory.Path.read_text', lambda *_, **__: (_ for _ in ()).throw(OSError()))
    assert peak_megabytes() > 10 and peak_megabytes(1) == 0


def test_a_training_and_a_test_note_it_at_their_end(tmp_path):
    hook, runner = MemoryHook(), SimpleNamespace(work_dir=str(tmp_path))
    hook.after_train(runner)
    hook.after_test(runner)
    assert list(noted_in(tmp_path)) == ['train', 'test']
