"""A disk that is full, or may not be written to: one line names the file, and nothing is left half-written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmwsss.engine.config_errors import describe_mistake
from mmwsss.fileio import Seeds, is_whole, write_mask, write_seeds
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.runner import Pipeline

ROOT = Path(__file__).parents[2]
PAGE = 4096


@pytest.fixture
def disk(tmp_path):
    """``disk(kibibytes)`` mounts an empty disk of that size; where that is not allowed, the test is skipped."""
    folder = tmp_path / 'disk'

    def mount(kibibytes):
        folder.mkdir()
        command = ['mount', '-t', 'tmpfs', '-o', f'size={kibibytes}k', 'tmpfs', str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f'mounting a small disk needs root: {error}')
        return folder

    yield mount
    if os.path.ismount(folder):
        subprocess.run(['umount', '--lazy', str(folder)], check=True)


def fill(folder, free=0):
    with open(folder / 'filler', 'wb') as file:
        left = os.statvfs(folder)
        file.write(bytes(left.f_bavail * left.f_frsize - free))


def files_of(folder):
    return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_training_on_a_full_disk(disk):
    folder = disk(200)
    fill(folder, free=12 * PAGE)
    command = [sys.executable, 'tools/train.py', 'tests/tools/toy_config.py', '--work-dir', str(folder / 'run')]
    path = os.pathsep.join(filter(None, [str(ROOT / 'tests/tools'), os.environ.get('PYTHONPATH')]))
    environment = {**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1'}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f'error: {folder}/run/iter_4.pth: No space left on device'
    assert 'Traceback' not in result.stderr
    assert [path.name for path in (folder / 'run').glob('*.pth') if is_whole(path)] == ['iter_2.pth']
    assert [path.name for path in (folder / 'run').rglob('*.p*') if 'iter' in path.name] == ['iter_2.pth']


@pytest.mark.parametrize('kind', ['seeds', 'mask'])
def test_outputs_on_a_full_disk(disk, kind):
    folder = disk(64)
    noise = np.random.default_rng(0).integers(0, 255, (200, 200), dtype=np.uint8)

    def write(name, noise):
        if kind == 'seeds':
            write_seeds(folder / name, Seeds(np.array([1], np.uint8), (noise / 255)[None].astype(np.float16), (9, 9)))
        else:
            write_mask(folder / name, noise, [(0, 0, 0)])

    suffix = '.npz' if kind == 'seeds' else '.png'
    write(f'first{suffix}', noise[:20])
    fill(folder, free=PAGE)
    before = files_of(folder)
    with pytest.raises(OSError) as raised:
        write(f'second{suffix}', noise)
    assert describe_mistake(raised.value) == f'{folder}/second{suffix}: No space left on device'
    assert files_of(folder) == before and is_whole(folder / f'first{suffix}')


LEAF = """
work_dir = 'run/cam'
model = dict(type='Model')
train_cfg = dict(max_iters=1)
default_hooks = dict(final=dict(type='mmwsss.FinalCheckpointHook'))
"""


@pytest.mark.parametrize('full', [False, True])
def test_pipeline_on_a_disk_that_cannot_be_written(disk, tmp_path, full):
    folder = disk(16)
    (tmp_path / 'cam.py').write_text(LEAF)
    if full:
        fill(folder)
        told = f'{folder}/run/cam/stage.json: No space left on device'
    else:
        subprocess.run(['mount', '-o', 'remount,ro', str(folder)], check=True)
        told = f'{folder}/run: Read-only file system'
    before = files_of(folder)

    def never(*_, **__):
        raise AssertionError('no command is expected to run')

    pipeline = Pipeline([str(tmp_path / 'cam.py')], Launcher(Path('tools')), run_dir=f'{folder}/run', runner=never)
    with pytest.raises(OSError) as raised:
        pipeline.run(output=lambda line: None)
    assert describe_mistake(raised.value) == told
    # The lock holds nothing.
    assert {path: content for path, content in files_of(folder).items() if path.name != '.lock'} == before
