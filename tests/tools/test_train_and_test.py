"""The command lines of train and test, on a model of one layer."""
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
CONFIG = 'tests/tools/toy_config.py'


def load_tool(name):
    spec = importlib.util.spec_from_file_location(f'tool_{name}', ROOT / 'tools' / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command):
    environment = {**os.environ, 'PYTHONPATH': str(ROOT / 'tests' / 'tools'), 'OMP_NUM_THREADS': '1',
                   'PATH': os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']])}
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=environment, capture_output=True,
                          text=True, timeout=900)


@pytest.mark.parametrize('name', ['train', 'test', 'pipeline'])
def test_flags_of_mmseg_are_understood(name):
    parse = load_tool(name).parse_args
    common = ['--work-dir', 'w', '--launcher', 'pytorch', '--cfg-options', 'a.b=1']
    arguments = {
        'train': ['c.py', '--resume', '--amp', '--local-rank', '1', '--settings', 's.py'],
        'test': ['c.py', 'x.pth', '--out', 'o', '--show', '--show-dir', 'd', '--wait-time', '1', '--tta',
                 '--local_rank', '1', '--settings', 's.py'],
        'pipeline': ['c.py', '--from', 'seed_infer', '--dry-run', '--gpus', '2', '--verbose'],
    }[name]
    args = parse([*arguments, *common])
    assert args.work_dir == 'w' and args.cfg_options == {'a.b': 1} and args.launcher == 'pytorch'
    assert getattr(args, 'local_rank', 1) == 1


def test_from_and_only_exclude_each_other(capsys):
    with pytest.raises(SystemExit):
        load_tool('pipeline').parse_args(['c.py', '--from', 'a', '--only', 'b'])


def test_train_resume_and_test(tmp_path):
    train = [sys.executable, 'tools/train.py', CONFIG, '--work-dir', tmp_path]
    first = run(*train, '--amp')
    assert first.returncode == 0, first.stderr
    assert 'train/loss' in json.loads((tmp_path / 'training.json').read_text())
    last = tmp_path / 'iter_4.pth'
    last.write_bytes(last.read_bytes()[:500])
    second = run(*train, '--resume', '--cfg-options', 'train_cfg.max_iters=3')
    assert second.returncode == 0, second.stderr
    assert 'resumed epoch: 0, iter: 2' in second.stdout + second.stderr
    tested = run(sys.executable, 'tools/test.py', CONFIG, tmp_path / 'iter_3.pth', '--work-dir', tmp_path,
                 '--out', tmp_path / 'out')
    assert tested.returncode == 0, tested.stderr
    assert json.loads((tmp_path / 'metrics.json').read_text()) == {'toy/count': 8, 'toy/undefined': None}


def test_checkpoint_of_another_model_ends_the_test(tmp_path):
    torch.save(dict(state_dict=dict(other=torch.ones(1))), tmp_path / 'other.pth')
    result = run(sys.executable, 'tools/test.py', CONFIG, tmp_path / 'other.pth', '--work-dir', tmp_path)
    assert result.returncode == 1
    assert 'lacks layer.weight' in result.stderr and 'Traceback' not in result.stderr
    assert not (tmp_path / 'metrics.json').exists()


def test_two_processes_on_the_cpu(tmp_path):
    trained = run('bash', 'tools/dist_train.sh', CONFIG, '2', '--work-dir', tmp_path)
    assert trained.returncode == 0, trained.stderr
    tested = run('bash', 'tools/dist_test.sh', CONFIG, tmp_path / 'iter_4.pth', '2', '--work-dir', tmp_path)
    assert tested.returncode == 0, tested.stderr
    assert json.loads((tmp_path / 'metrics.json').read_text())['toy/count'] == 8


def test_missing_pipeline_config_is_named(tmp_path):
    result = run(sys.executable, 'tools/pipeline.py', tmp_path / 'absent.py', '--dry-run')
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].startswith('error: ') and 'absent.py' in result.stderr
