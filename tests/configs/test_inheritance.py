"""Experiments of one's own inherit a leaf by its path or by the name of the package, and MMEngine alone runs them."""

import os
import subprocess
import sys
from pathlib import Path

import mmengine.config.config
import pytest
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE

from mmwsss.datasets.scenes import write_scenes

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The package as an installation leaves it, with its configs in `.mim`."""
    package = tmp_path / 'site-packages' / 'mmwsss'
    (package / '.mim').mkdir(parents=True)
    (package / '.mim' / 'configs').symlink_to(CONFIGS)
    (package / '.mim' / 'model-index.yml').symlink_to(ROOT / 'model-index.yml')
    monkeypatch.setattr(mmengine.config.config, 'get_installed_path', lambda _: str(package))
    return package


def test_the_packages_are_known():
    assert MODULE2PACKAGE['mmwsss'] == 'mmwsss'
    assert MODULE2PACKAGE['mmseg'] in ('mmsegmentation', 'onedl-mmsegmentation')


def test_importing_the_package_imports_neither_torch_nor_mmengine():
    code = "import mmwsss, sys; print(sorted(set(sys.modules) & {'torch', 'mmengine'}))"
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run([sys.executable, '-c', code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == '[]\n'


@pytest.mark.parametrize('prefix', ['mmwsss::', f'{CONFIGS}/'])
def test_a_leaf_elsewhere_inherits_one_of_the_package(tmp_path, installed, prefix):
    (tmp_path / 'mine.py').write_text(
        f"_base_ = '{prefix}affinitynet/voc12/resnet50/cam.py'\n"
        "work_dir = 'runs/mine/cam'\nmodel = dict(head=dict(dropout_ratio=0.5))\n"
    )
    cfg = Config.fromfile(tmp_path / 'mine.py')
    ours = Config.fromfile(CONFIGS / 'affinitynet/voc12/resnet50/cam.py')
    assert cfg.work_dir == 'runs/mine/cam' and cfg.model.head.pop('dropout_ratio') == 0.5
    assert ours.model.head.pop('dropout_ratio') == 0.0
    cfg.model.pop('_scope_', None)
    assert cfg.model.to_dict() == ours.model.to_dict()


def test_bases_can_be_taken_one_by_one(tmp_path, installed):
    (tmp_path / 'mine.py').write_text(
        "_base_ = ['mmwsss::_base_/models/cam_resnet50.py', 'mmwsss::_base_/default_runtime.py']\n"
    )
    assert Config.fromfile(tmp_path / 'mine.py').model.backbone.depth == 50


LEAF = """_base_ = '{base}affinitynet/scenes/r18/cam.py'
work_dir = '{folder}/run/cam'
data = dict(dataset=dict(data_root='{folder}/scenes'), image_labels='{folder}/scenes/image_labels.json')
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=data)
val_dataloader = dict(batch_size=2, dataset=data)
test_dataloader = dict(batch_size=2, num_workers=0, dataset=data)
train_cfg = dict(max_iters=2)
test_cfg = dict(num_workers=0)
"""
SCRIPT = """
import sys
if 'mmwsss::' in open(sys.argv[1]).read():
    import mmwsss
    import mmengine.config.config as config
    config.get_installed_path = lambda _: sys.argv[2]
from mmengine.config import Config
from mmengine.runner import Runner
if __name__ == '__main__':
    runner = Runner.from_cfg(Config.fromfile(sys.argv[1]))
    runner.train()
    runner.test()
"""


@pytest.mark.parametrize('base', ['mmwsss::', f'{CONFIGS}/'])
def test_mmengine_alone_trains_and_tests_it(tmp_path, installed, base):
    """In a process of its own with an empty environment, and no tool of this package."""
    write_scenes(tmp_path / 'scenes', num_train=4, num_val=2, size=64)
    (tmp_path / 'leaf.py').write_text(LEAF.format(base=base, folder=tmp_path))
    (tmp_path / 'run.py').write_text(SCRIPT)
    environment = dict(PATH=os.environ['PATH'], PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', HOME=str(tmp_path))
    command = [sys.executable, str(tmp_path / 'run.py'), str(tmp_path / 'leaf.py'), str(installed)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'Failed to search registry' not in done.stdout + done.stderr
    made = tmp_path / 'run' / 'cam'
    assert (made / 'final.pth').is_file()
    assert len(list((made / 'seeds').iterdir())) == len(list((made / 'affinity_labels').iterdir())) == 4
