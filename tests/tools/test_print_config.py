"""A leaf as it is run, before anything runs."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEAF = ROOT / 'configs/affinitynet/scenes/r18/affinity.py'


@pytest.fixture
def run(monkeypatch, capsys):
    """``run(*arguments)``: what the tool prints."""

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', ['print_config.py', *map(str, arguments)])
        runpy.run_path(str(ROOT / 'tools/analysis_tools/print_config.py'), run_name='__main__')
        return capsys.readouterr().out

    return call


def test_it_is_moved_and_has_the_options(run):
    out = run(LEAF, '--data-root', '/d', '--run-dir', '/r', '--cfg-options', 'train_cfg.max_iters=5')
    assert "work_dir = '/r/affinity'" in out and "seed_dir='/r/cam/seeds'" in out and "data_root='/d'" in out
    assert 'max_iters=5' in out and "type='mmwsss.AffinityNet'" in out


def test_it_is_written_too(run, tmp_path):
    out = run(LEAF, '--out', tmp_path / 'config.py')
    assert out == (tmp_path / 'config.py').read_text() + '\n'


def test_an_option_that_changes_nothing_is_refused(run):
    with pytest.raises(SystemExit, match='set train_dataloader.dataset.dataset.ann_file'):
        run(LEAF, '--cfg-options', 'train_dataset.ann_file=mine.txt')
