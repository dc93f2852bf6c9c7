"""Mistakes in configs: the tools end with one line that names the key or component."""

import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from mmwsss.commands import run_tool
from mmwsss.engine import launch
from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path, image_set, cam_config):
    """The config of a training of a classifier for one iteration, with all that it trains on."""
    data = image_set([['disc'], ['stripe', 'box']])
    dataset = dict(
        type='mmwsss.ImageLabelDataset',
        dataset=data.dataset,
        image_labels=data.labels,
        pipeline=[dict(type='mmwsss.LoadImageFromFile'), dict(type='mmwsss.PackWeakInputs')],
    )
    return Config(
        dict(
            default_scope='mmseg',
            work_dir=str(tmp_path / 'work'),
            launcher='none',
            model=cam_config(3, scales=[1.0], seed_stride=4),
            train_dataloader=dict(
                batch_size=2, num_workers=0, sampler=dict(type='InfiniteSampler', shuffle=True), dataset=dataset
            ),
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=1),
            optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01)),
            log_level='ERROR',
        )
    )


def told(capsys, work):
    """What a tool prints and ends with."""
    with pytest.raises(SystemExit) as ended:
        run_tool(work)
    message = str(ended.value.code)
    assert message.startswith('error: ') and '\n' not in message
    return message


MISTAKES = {
    'misspelt argument of a head': ({'model.head.num_class': 3}, r"config: mmwsss.CAMHead\(.*num_class=3.*unexpected keyword argument 'num_class'"),
    'misspelt type': ({'model.head.type': 'CAMHaed'}, 'config: .*CAMHaed is not in the mmseg::model registry'),
    'misspelt transform': ({'train_dataloader.dataset.pipeline': [dict(type='LoadFoto')]}, 'LoadFoto is not in'),
    'misspelt argument of a data set': ({'train_dataloader.dataset.image_label': 'x'}, "ImageLabelDataset.*'image_label'"),
    'number as text': ({'model.head.num_classes': 'three'}, r"config: mmwsss.CAMHead\(.*num_classes='three'"),
    'scales as text': ({'model.test_cfg.scales': 'big'}, "scales of test_cfg must be positive numbers.*'big'"),
    'stride of a half': ({'model.test_cfg.seed_stride': 2.5}, 'seed_stride of test_cfg must be an integer.*2.5'),
    'unknown key of test_cfg': ({'model.test_cfg.flipp': True}, r"unknown keys \['flipp'\]"),
    'choice that is none': ({'model.head.pool': 'middle'}, r"config: mmwsss.CAMHead\(.*pool must be 'before' or 'after', got 'middle'"),
    'tap that does not exist': ({'model.head.in_index': 9}, 'in_index of CAMHead: the backbone has 4 outputs, 9 is none'),
    'tap of other channels': ({'model.head.in_channels': 63}, 'in_channels of CAMHead: output -1 of the backbone has 64 channels, not 63'),
    'stage that does not exist': ({'model.backbone.out_indices': [0, 7]}, r'config: ResNetV1c\(.*max\(out_indices\) < num_stages'),
    'labels of another number': ({'model.head.num_classes': 5}, r'image-level labels must be \(B, num_classes\) = \(2, 5\), got \(2, 3\)'),
    'learning rate as text': ({'optim_wrapper.optimizer.lr': 'fast'}, r"config: SGD\(.*lr='fast'"),
    'unknown optimizer': ({'optim_wrapper.optimizer.type': 'SDG'}, 'SDG is not in'),
    'iterations as text': ({'train_cfg.max_iters': 'many'}, r"config: IterBasedTrainLoop\(.*max_iters='many'"),
    'batch size as text': ({'train_dataloader.batch_size': 'two'}, 'config: IterBasedTrainLoop.*batch_size.*two'),
    'no data': ({'train_dataloader': None}, 'expected train_dataloader'),
    'missing images': ({'train_dataloader.dataset.dataset.data_prefix.img_path': 'absent'}, r'absent.*p0\.jpg: the image cannot be read|absent.*p1\.jpg: the image cannot be read'),
    'missing weights': ({'model.backbone.init_cfg': dict(type='Pretrained', checkpoint='absent.pth')}, r'absent\.pth: expected a checkpoint'),
}  # fmt: skip


@pytest.mark.parametrize('change, message', MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_told_in_one_line(capsys, config, change, message):
    import re

    config.merge_from_dict(change, allow_list_keys=False)
    assert re.search(message, told(capsys, lambda: launch.train(config)))


def test_the_config_itself_is_right(config):
    launch.train(config)


def test_error_of_a_worker_is_told_without_its_traceback(capsys, config):
    config.train_dataloader.num_workers = 1
    config.train_dataloader.dataset.dataset.data_prefix.img_path = 'absent'
    message = told(capsys, lambda: launch.train(config))
    assert message.endswith('the image cannot be read (No such file or directory)')


def test_error_of_no_config_keeps_its_traceback():
    def fail():
        raise ValueError('a bug')

    with pytest.raises(ValueError, match='a bug'):
        run_tool(fail)


FILES = {
    'misspelt key': ('train_dataloadr = dict()\n', "unknown key 'train_dataloadr'; expected 'train_dataloader'"),
    'another misspelt key': ('optim_wraper = dict()\n', "unknown key 'optim_wraper'; expected 'optim_wrapper'"),
    'syntax': ('model = dict(\n', 'the config fails with SyntaxError'),
    'missing base': ("_base_ = './absent.py'\n", 'the config fails with .*absent'),
    'missing setting': ("_base_ = './base.py'\nx = {{_base_.absent}}\n", 'the config fails with .*absent'),
    'division by zero': ('x = 1 / 0\n', 'the config fails with ZeroDivisionError'),
}


@pytest.mark.parametrize('content, message', FILES.values(), ids=FILES)
def test_config_file_that_fails(tmp_path, content, message):
    (tmp_path / 'base.py').write_text('x = 1\n')
    (tmp_path / 'c.py').write_text(content)
    with pytest.raises(DataError, match=rf'c\.py: {message}'):
        launch.load_config(str(tmp_path / 'c.py'))


@pytest.mark.parametrize('option', ['modle.head.num_classes', 'train_cg.max_iters', 'nonsense'])
def test_option_without_effect(tmp_path, option):
    (tmp_path / 'c.py').write_text('model = dict()\ntrain_cfg = dict()\n')
    with pytest.raises(DataError, match=f"--cfg-options: the config has no '{option.split('.')[0]}'"):
        launch.load_config(str(tmp_path / 'c.py'), options={option: 1})


@pytest.mark.parametrize('path', sorted((ROOT / 'configs/affinitynet').rglob('*.py')), ids=lambda path: path.stem)
def test_no_config_of_ours_is_called_misspelt(path):
    launch.load_config(str(path))


def test_from_the_command_line(tmp_path):
    (tmp_path / 'c.py').write_text('modell = dict()\n')
    command = [sys.executable, 'tools/train.py', str(tmp_path / 'c.py')]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert result.returncode == 1 and 'Traceback' not in result.stderr
    assert result.stderr.strip().splitlines()[-1].endswith("c.py: unknown key 'modell'; expected 'model'")
