"""The command lines of train and test, on a model of one layer."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmwsss.commands import parse, start
from mmwsss.commands import run as pipeline
from mmwsss.commands import test as test_command
from mmwsss.commands import train as train_command
from mmwsss.engine import launch

ROOT = Path(__file__).parents[2]
CONFIG = 'tests/tools/toy_config.py'


def run(*command):
    environment = {
        **os.environ,
        'PYTHONPATH': os.pathsep.join(filter(None, [str(ROOT / 'tests/tools'), os.environ.get('PYTHONPATH')])),
        'OMP_NUM_THREADS': '1',
        'PATH': os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']]),
    }
    return subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
    )


@pytest.mark.parametrize('name, command', [('train', train_command), ('test', test_command)])
def test_flags_of_mmseg_are_understood(name, command):
    common = [
        '--work-dir',
        'w',
        '--launcher',
        'pytorch',
        '--data-root',
        'd',
        '--run-dir',
        'r',
        '--cfg-options',
        'a.b=1',
    ]
    arguments = {
        'train': ['c.py', '--resume', '--amp', '--local-rank', '1'],
        'test': [
            'c.py',
            'x.pth',
            '--out',
            'o',
            '--show',
            '--show-dir',
            'd',
            '--wait-time',
            '1',
            '--tta',
            '--local_rank',
            '1',
        ],
    }[name]
    args = parse(command, [*arguments, *common])
    assert args.work_dir == 'w' and args.cfg_options == {'a.b': 1} and args.launcher == 'pytorch'
    assert args.data_root == 'd' and args.run_dir == 'r' and args.local_rank == 1


def test_flags_of_the_pipeline_are_understood():
    args = parse(
        pipeline, ['a.py', 'b.py', '--from', 'b', '--dry-run', '--gpus', '2', '--cfg-options', 'b.x=1', 'a.y=[1,2]']
    )
    assert args.leaves == ['a.py', 'b.py'] and args.first == 'b' and args.gpus == 2
    assert args.cfg_options == ['b.x=1', 'a.y=[1,2]'] and args.run_dir is None


def test_from_and_only_exclude_each_other(capsys):
    with pytest.raises(SystemExit):
        parse(pipeline, ['c.py', '--from', 'a', '--only', 'b'])


@pytest.mark.parametrize(
    'flags, config, augmented', [([], {}, False), (['--tta'], {}, True), ([], dict(test_tta=True), True)]
)
def test_test_time_augmentation_is_asked_for_by_flag_or_config(monkeypatch, flags, config, augmented):
    tested = []
    monkeypatch.setattr(launch, 'config_from_arguments', lambda args: Config(config))
    monkeypatch.setattr(launch, 'test', lambda cfg, checkpoint: tested.append((cfg, checkpoint)))
    start(test_command, ['c.py', 'x.pth', *flags])
    (cfg, checkpoint), *_ = tested
    assert bool(cfg.get('test_tta')) is augmented and checkpoint == 'x.pth'


def test_train_resume_and_test(tmp_path):
    train = [sys.executable, 'tools/train.py', CONFIG, '--work-dir', tmp_path]
    first = run(*train, '--amp')
    assert first.returncode == 0, first.stderr
    told = first.stdout + first.stderr
    assert (
        not [line for line in told.splitlines() if 'will be deprecated' in line or 'OneDL' in line] and '\r' not in told
    )
    assert 'train/loss' in json.loads((tmp_path / 'training.json').read_text())
    final = torch.load(tmp_path / 'final.pth', weights_only=True)
    assert set(final) == {'meta', 'state_dict'} and final['meta']['iter'] == 4
    assert not (tmp_path / 'progress.json').exists()
    last = tmp_path / 'iter_4.pth'
    last.write_bytes(last.read_bytes()[:500])
    second = run(*train, '--resume', '--cfg-options', 'train_cfg.max_iters=3')
    assert second.returncode == 0, second.stderr
    assert 'resumed epoch: 0, iter: 2' in second.stdout + second.stderr
    tested = run(
        sys.executable,
        'tools/test.py',
        CONFIG,
        tmp_path / 'final.pth',
        '--work-dir',
        tmp_path,
        '--out',
        tmp_path / 'out',
    )
    assert tested.returncode == 0, tested.stderr
    assert json.loads((tmp_path / 'metrics.json').read_text()) == {'toy/count': 8, 'toy/undefined': None}
    dumped = Config.fromfile(tmp_path / 'toy_config.py', import_custom_modules=False)
    assert not dumped.get('load_from') and not dumped.get('resume') and not dumped.get('custom_hooks')
    assert dumped.default_hooks.off is None and dumped.test_dataloader.persistent_workers


def test_run_dir_moves_the_work_dir(tmp_path):
    command = [
        sys.executable,
        'tools/train.py',
        CONFIG,
        '--run-dir',
        tmp_path,
        '--cfg-options',
        'train_cfg.max_iters=1',
    ]
    result = run(*command)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / 'stage/final.pth').is_file()


def test_checkpoint_of_another_model_ends_the_test(tmp_path):
    torch.save(dict(state_dict=dict(other=torch.ones(1))), tmp_path / 'other.pth')
    result = run(sys.executable, 'tools/test.py', CONFIG, tmp_path / 'other.pth', '--work-dir', tmp_path)
    assert result.returncode == 1
    assert 'lacks layer.weight' in result.stderr and 'Traceback' not in result.stderr
    assert not (tmp_path / 'metrics.json').exists()


def test_two_processes_on_the_cpu(tmp_path):
    trained = run('bash', 'tools/dist_train.sh', CONFIG, '2', '--work-dir', tmp_path)
    assert trained.returncode == 0, trained.stderr
    tested = run('bash', 'tools/dist_test.sh', CONFIG, tmp_path / 'final.pth', '2', '--work-dir', tmp_path)
    assert tested.returncode == 0, tested.stderr
    assert json.loads((tmp_path / 'metrics.json').read_text())['toy/count'] == 8
    assert not (ROOT / '.dist_test').exists() and not (tmp_path / '.collected').exists()


SRUN = """#!/bin/bash
# Starts what follows the options in as many processes as they say, with the variables that Slurm sets.
printf '%s\\n' "$@" > "$(dirname "$0")/arguments"
for argument; do
    case $argument in
        --ntasks=*) tasks=${argument#*=} ;;
        --*) ;;
        *) break ;;
    esac
    shift
done
for ((task = 0; task < tasks; task++)); do
    SLURM_NODELIST=node SLURM_NTASKS=$tasks SLURM_PROCID=$task SLURM_LOCALID=$task "$@" & processes+=($!)
done
for process in "${processes[@]}"; do wait "$process" || exit; done
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Stand-ins for the commands of Slurm; gives the file of what srun was asked for."""
    folder = tmp_path / 'slurm'
    folder.mkdir()
    for name, text in (('srun', SRUN), ('scontrol', '#!/bin/bash\necho localhost\n')):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv('PATH', f'{folder}:{os.environ["PATH"]}')
    with socket.socket() as probe:
        probe.bind(('localhost', 0))
        monkeypatch.setenv('MASTER_PORT', str(probe.getsockname()[1]))
    return folder / 'arguments'


def test_slurm_tests_in_two_processes(tmp_path, monkeypatch, slurm):
    torch.save(dict(state_dict={'layer.weight': torch.ones(2, 3), 'layer.bias': torch.ones(2)}), tmp_path / 'toy.pth')
    monkeypatch.setenv('GPUS', '2')
    monkeypatch.setenv('GRES', '')
    tested = run('bash', 'tools/slurm_test.sh', 'part', 'job', CONFIG, tmp_path / 'toy.pth', '--work-dir', tmp_path)
    assert tested.returncode == 0, tested.stderr
    assert json.loads((tmp_path / 'metrics.json').read_text())['toy/count'] == 8
    assert '--gres' not in slurm.read_text()


def test_slurm_is_asked_for_gpus(tmp_path, monkeypatch, slurm):
    (slurm.parent / 'python').symlink_to('/bin/true')
    monkeypatch.setenv('GPUS', '16')
    monkeypatch.setenv('GPUS_PER_NODE', '8')
    monkeypatch.setenv('SRUN_ARGS', '--time=1:00 --exclusive')
    command = ['bash', 'tools/slurm_train.sh', 'part', 'my job', CONFIG, '--work-dir', 'w']
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    asked = slurm.read_text().splitlines()
    flags = ['--partition=part', '--job-name=my job', '--gres=gpu:8', '--ntasks=16', '--ntasks-per-node=8']
    assert asked[:5] == flags and asked[5:9] == [
        '--cpus-per-task=5',
        '--kill-on-bad-exit=1',
        '--time=1:00',
        '--exclusive',
    ]
    assert asked[9:] == ['python', '-u', 'tools/train.py', CONFIG, '--work-dir', 'w', '--launcher', 'slurm']


def test_a_missing_leaf_is_named(tmp_path):
    result = run(sys.executable, 'tools/pipeline.py', tmp_path / 'absent.py', '--dry-run')
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].startswith('error: ') and 'absent.py' in result.stderr
