"""The small tools that look at logs, configs, networks and data."""

import json
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCENES = ROOT / 'configs/affinitynet/scenes/r18'


@pytest.fixture
def run(monkeypatch, capsys):
    """``run(tool, *arguments)``: its output; a mistake ends it with SystemExit and one line."""

    def call(tool, *arguments):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        runpy.run_path(str(ROOT / 'tools/analysis_tools' / f'{tool}.py'), run_name='__main__')
        return capsys.readouterr().out

    return call


def log(folder, run, lines):
    path = folder / run / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    return path


def test_plot_of_a_resumed_run(tmp_path, run):
    log(tmp_path / 'a', '1', [dict(step=1, loss=3.0, lr=0.1), dict(step=2, loss=9.0)])
    with open(log(tmp_path / 'a', '2', [dict(step=2, loss=2.0)]), 'a') as file:
        file.write('{"step": 3, "lo')  # killed while writing
    out = run('plot_logs', tmp_path / 'a', '--out', tmp_path / 'plots/logs.svg')
    assert f'loss of {tmp_path}/a: 2 at iteration 2, lowest 2' in out and 'lr of' not in out
    assert '<svg' in (tmp_path / 'plots/logs.svg').read_text()


def test_plot_says_what_there_is(tmp_path, run):
    log(tmp_path / 'a', '1', [dict(step=1, loss=3.0, lr=0.1)])
    for arguments, message in (
        ([tmp_path / 'a', '--keys', 'mIoU'], 'error: --keys: mIoU fits none of loss, lr'),
        ([tmp_path / 'b'], 'found no such logs'),
        ([tmp_path / 'a', '--out', 'x.exe'], r'expected a name ending with .png, .svg or .pdf, got x.exe'),
    ):
        with pytest.raises(SystemExit, match=message):
            run('plot_logs', *arguments)


def test_config_is_printed_moved_and_with_options(tmp_path, run):
    out = tmp_path / 'printed.py'
    flags = ['--data-root', '/data', '--run-dir', '/runs', '--cfg-options', 'train_cfg.max_iters=5', '--out', out]
    printed = run('print_config', SCENES / 'affinity.py', *flags)
    assert "type='mmwsss.AffinityNet'" in printed and 'max_iters=5' in printed
    assert "work_dir = '/runs/affinity'" in printed and "seed_dir='/runs/cam/seeds'" in printed
    assert "data_root='/data'" in printed and out.read_text() in printed


@pytest.mark.parametrize('stage', ['cam', 'affinity', 'segmentor'])
def test_parameters_and_multiply_adds(stage, run):
    out = run('get_flops', SCENES / f'{stage}.py', '--shape', 64, 96)
    assert 'input: 64 x 96 pixels' in out and 'parameters: ' in out and 'multiply-adds: ' in out


def test_flops_of_no_stage_are_refused(run):
    with pytest.raises(SystemExit, match='expected the config of a stage, found no model'):
        run('get_flops', ROOT / 'configs/_base_/default_runtime.py')


def test_browse_the_scenes(tmp_path, run):
    from mmwsss.datasets.scenes import write_scenes

    write_scenes(tmp_path / 'scenes', num_train=3, num_val=1, size=64)
    arguments = ['--data-root', tmp_path / 'scenes', '--out', tmp_path / 'out', '--number', 2]
    assert f'2 pictures in {tmp_path}/out' in run('browse_dataset', SCENES / 'cam.py', *arguments)
    assert len(list((tmp_path / 'out').glob('*.png'))) == 2
