"""The tools on leaves of the quick start, with options of users that once failed, on a few small scenes."""

import json
import runpy
import sys
from pathlib import Path

import mmseg
import pytest
import torch
from mmengine.config import Config

from mmwsss.datasets.scenes import write_scenes
from mmwsss.engine.config_loading import load_config
from mmwsss.fileio import DataError

ROOT = Path(__file__).parents[2]
LEAVES = ROOT / 'configs/affinitynet/scenes/r18'
SMALL = """
_base_ = '{leaf}'
train_cfg = dict(max_iters=3, val_interval=3)
default_hooks = dict(checkpoint=dict(interval=3))
train_dataloader = dict(batch_size=2, num_workers=0)
val_dataloader = dict(num_workers=0)
test_dataloader = dict(num_workers=0)
log_level = 'ERROR'
"""


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    root = tmp_path_factory.mktemp('scenes')
    write_scenes(root, num_train=4, num_val=2, size=64)
    return root


@pytest.fixture
def run(tmp_path, scenes, monkeypatch):
    """``run(tool, config, *arguments)``: a tool of the repository, or of MMSegmentation, with stages in ``tmp_path``."""
    # Laying out the text of a config takes longer than these tests.
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', lambda text, **settings: (text, True))

    def call(tool, config, *arguments):
        path = ROOT / 'tools' / f'{tool}.py' if isinstance(tool, str) else tool
        moved = ['--data-root', scenes, '--run-dir', tmp_path] if isinstance(tool, str) else []
        monkeypatch.setattr(sys, 'argv', [str(part) for part in (path, config, *arguments, *moved)])
        runpy.run_path(str(path), run_name='__main__')

    return call


@pytest.fixture
def write(tmp_path):
    """``write(leaf, text)``: a config that inherits a leaf, without worker processes, and adds a text."""

    def write_config(leaf, text=''):
        path = tmp_path / 'configs' / f'{leaf}.py'
        path.parent.mkdir(exist_ok=True)
        more = 'test_cfg = dict(num_workers=0)\n' if leaf == 'cam' else ''
        path.write_text(SMALL.format(leaf=LEAVES / f'{leaf}.py') + more + text)
        return path

    return write_config


def figures(folder):
    return json.loads((folder / 'metrics.json').read_text())


def test_hooks_that_replace_weights_and_hooks_that_are_off(run, write, tmp_path):
    averaged = "custom_hooks = [dict(type='EMAHook')]\n"
    run('train', write('cam', averaged))
    state = torch.load(tmp_path / 'cam/iter_3.pth', weights_only=False)
    final = torch.load(tmp_path / 'cam/final.pth', weights_only=True)['state_dict']
    assert all(torch.equal(value, state['state_dict'][name]) for name, value in final.items())
    assert any(
        not torch.equal(value, state['ema_state_dict'][f'module.{name}'])
        for name, value in final.items()
        if value.is_floating_point()
    )
    run('test', write('cam', averaged), tmp_path / 'cam/final.pth')
    tested = figures(tmp_path / 'cam')
    off = "default_hooks.update({name: None for name in ('fuse_conv_bn', 'channels_last', 'progress', 'classes', 'timer')})\n"
    run('test', write('cam', averaged + off), tmp_path / 'cam/final.pth')
    assert figures(tmp_path / 'cam')['cam/mIoU'] == pytest.approx(tested['cam/mIoU'], abs=2)


def test_the_config_of_a_tested_stage_is_the_one_that_was_asked_for(run, write, tmp_path):
    config = write('cam')
    run('train', config)
    first = (tmp_path / 'cam/final.pth').read_bytes()
    run('test', config, tmp_path / 'cam/final.pth')
    run('train', config, '--resume')
    dumped = tmp_path / 'cam/cam.py'
    asked = Config.fromfile(dumped, import_custom_modules=False)
    assert asked.load_from is None and not asked.resume and not asked.get('custom_hooks')
    (tmp_path / 'cam/final.pth').unlink()
    run('train', dumped)
    assert (tmp_path / 'cam/final.pth').read_bytes() == first


def test_a_head_of_too_few_classes_is_told_in_one_line(run, write):
    with pytest.raises(SystemExit, match=r'^error: model\.head\.num_classes is 4, but the data set has 5 classes'):
        run('train', write('cam'), '--cfg-options', 'model.head.num_classes=4')


@pytest.mark.parametrize('leaf', ['cam', 'segmentor'])
def test_the_stock_tool_refuses_a_checkpoint_of_another_network(write, run, tmp_path, scenes, leaf):
    config = load_config(str(write(leaf)), data_root=str(scenes), run_dir=str(tmp_path))
    config.dump(tmp_path / 'moved.py')
    torch.save(dict(state_dict={'backbone.stem.0.weight': torch.ones(1)}), tmp_path / 'other.pth')
    with pytest.raises(DataError, match=r'other\.pth: expected a checkpoint of \w+ as configured, but it lacks'):
        run(Path(mmseg.__file__).parent / '.mim/tools/test.py', tmp_path / 'moved.py', tmp_path / 'other.pth')


# A `segmentor_relabel.py` is a segmentor in the place of a localizer, which other tools do not run.
SEGMENTORS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.glob('configs/*/*/*/segmentor*.py')
    if path.stem != 'segmentor_relabel'
)


@pytest.mark.parametrize('leaf', SEGMENTORS)
def test_other_tools_recognize_the_reader_of_images_of_a_segmentor(leaf):
    config = Config.fromfile(ROOT / leaf)
    for pipeline in (config.test_pipeline, config.get('tta_pipeline')):
        if pipeline is not None:
            assert pipeline[0].type == 'LoadImageFromFile' and pipeline[0]['_scope_'] == 'mmwsss'
