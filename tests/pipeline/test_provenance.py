import subprocess

import pytest
import torch

import mmwsss
from mmwsss.pipeline import provenance
from mmwsss.pipeline.provenance import code_state, machine


@pytest.fixture
def clone(tmp_path):
    """A clone with one commit of one file."""

    def git(*arguments):
        command = ['git', '-c', 'user.name=a', '-c', 'user.email=a@b.c', '-C', str(tmp_path), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git('init')
    (tmp_path / 'code.py').write_text('1\n')
    git('add', 'code.py')
    git('commit', '-m', 'First')
    return tmp_path, git('rev-parse', 'HEAD')


def test_commit_of_a_clone(clone):
    folder, commit = clone
    assert code_state(folder) == dict(version=mmwsss.__version__, commit=commit, changed=False)
    (folder / 'results').write_text('untracked files change nothing\n')
    assert code_state(folder)['changed'] is False
    (folder / 'code.py').write_text('2\n')
    assert code_state(folder) == dict(version=mmwsss.__version__, commit=commit, changed=True)


def test_no_commit_of_another_clone_or_without_git(clone, tmp_path, monkeypatch):
    inside = clone[0] / 'site-packages'
    inside.mkdir()
    nothing = dict(version=mmwsss.__version__, commit=None, changed=None)
    assert code_state(inside) == nothing
    monkeypatch.setenv('PATH', '')
    assert code_state(clone[0]) == nothing


def test_machine(monkeypatch, tmp_path):
    found = machine()
    assert found['device'] and found['cores'] >= 1 and found['threads'] == torch.get_num_threads()
    file = tmp_path / 'cpuinfo'
    file.write_text('processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\nmodel name\t: Other\n')
    monkeypatch.setattr(provenance, '_CPU_FILE', file)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert machine()['device'] == 'Some CPU @ 2 GHz'
    file.unlink()
    monkeypatch.setattr(provenance.platform, 'machine', lambda: 'riscv')
    assert machine()['device'] == 'riscv'
