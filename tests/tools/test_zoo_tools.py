"""The tools of figures and checkpoints, as one types them."""

import json
import runpy
import shutil
import sys
from pathlib import Path

import pytest
import torch

from mmwsss.zoo.rows import Row, read_rows, write_rows

ROOT = Path(__file__).parents[2]
LEAF = 'configs/affinitynet/scenes/r18'
GRID = """
grid = [dict(method='affinitynet', data='scenes', network='r18', seeds=[0, 1])]
peers = [dict(method='Them', data='scenes', rung='masks', mIoU=80.0, source='Their masks')]
"""
RESULTS = dict(
    ladder={'cam': 50.0},
    stages={'cam': 'cam'},
    used_ground_truth='Masks train nothing.',
    picked_with_masks=[],
    seconds=dict(cam=60.0, total=60.0),
    settings=dict(
        leaves={stage: f'{LEAF}/{stage}.py' for stage in ('cam', 'affinity', 'segmentor')},
        options={},
        seeds=dict(cam=0, affinity=0, segmentor=0),
    ),
    versions=dict(mmwsss='0.1.0', device='CPU', cpus=2),
)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """``run(tool, *arguments)``: what a tool prints, in a folder with the configs and a run."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / 'configs/_base_', 'configs/_base_', ignore=shutil.ignore_patterns('__pycache__'))
    shutil.copytree(ROOT / LEAF, LEAF, ignore=shutil.ignore_patterns('__pycache__'))
    Path('grid.py').write_text(GRID)
    Path('run/cam').mkdir(parents=True)
    Path('run/results.json').write_text(json.dumps(RESULTS))

    def call(tool, *arguments):
        monkeypatch.setattr(sys, 'argv', [tool, *arguments])
        runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')
        return capsys.readouterr().out

    return call


def test_benchmark_says_what_it_would_run(run):
    out = run('benchmark.py', 'grid.py', '--dry-run', '--only', 'affinitynet/scenes/r18/seed1')
    assert out.startswith('affinitynet/scenes/r18/seed1:\n  cam: to run\n')
    assert '--run-dir work_dirs/benchmarks/grid/affinitynet/scenes/r18/seed1' in out and 'seed0' not in out
    assert not Path('work_dirs').exists()


def test_benchmark_collects_runs_and_makes_tables(run):
    out = run('benchmark.py', 'grid.py', '--collect', 'run', '--commit', 'abc', '--csv', 'a.csv')
    assert out == 'run: affinitynet/scenes/r18/seed0\nFigures: a.csv\n'
    assert [(row.method, row.mIoU, row.commit) for row in read_rows('a.csv')] == [
        ('Them', 80.0, ''),
        ('affinitynet', 50.0, 'abc (stated)'),
    ]
    Path('page.md').write_text('<!-- table: scenes -->\n<!-- end of table -->\n')
    shutil.copy(ROOT / 'configs/affinitynet/metafile.yml', 'metafile.yml')
    out = run('benchmark.py', 'grid.py', '--csv', 'a.csv', '--tables', 'page.md', 'metafile.yml')
    assert out == 'Made from a.csv: page.md\nMade from a.csv: metafile.yml\n'
    assert '| affinitynet | r18 | 0 | cam | 50.0 |' in Path('page.md').read_text()
    with pytest.raises(SystemExit, match=r'error: grid\.py: expected a page \(\.md\) or a metafile \(\.yml\)'):
        run('benchmark.py', 'grid.py', '--csv', 'a.csv', '--tables', 'grid.py')


def test_benchmark_names_the_cells_that_failed_and_keeps_other_figures(run):
    other = Row('Other', data='scenes', rung='cam', source='kept')
    write_rows('a.csv', [other])
    with pytest.raises(
        SystemExit, match=r'these cells failed, .*\naffinitynet/scenes/r18/seed0\naffinitynet/.*/seed1$'
    ):
        run('benchmark.py', 'grid.py', '--csv', 'a.csv', '--data-root', 'nowhere')
    assert [row.method for row in read_rows('a.csv')] == ['Other', 'Them']


def test_publish_names_the_file_after_the_config(run):
    torch.save(dict(state_dict=dict(weight=torch.zeros(2)), meta=dict(cfg="a = '/data/x'")), 'run/cam/final.pth')
    out = run('publish.py', 'run/cam', '--out', 'published', '--url', 'https://a.b')
    name = next(Path('published').iterdir()).name
    assert name.startswith('affinitynet_scenes_r18_cam-')
    assert out.splitlines()[:4] == [
        f'Published: published/{name}',
        'Note: the config in it names a path of this machine: /data/x',
        'For metafile.yml:',
        f'    Config: {LEAF}/cam.py',
    ]
    assert f'    Weights: https://a.b/{name}\n' in out
    Path('run/results.json').unlink()
    with pytest.raises(SystemExit, match=r'run/results\.json: expected results of stage cam, .*or give --name'):
        run('publish.py', 'run/cam/final.pth', '--out', 'published')
    assert 'published/mine-' in run('publish.py', 'run/cam/final.pth', '--out', 'published', '--name', 'mine')
