import argparse
import json
import math

import pytest
import torch
from mmengine.config import Config

from mmwsss.commands import run_tool
from mmwsss.commands.arguments import add_common_arguments
from mmwsss.engine import launch
from mmwsss.fileio import DataError


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    add_common_arguments(parser)
    return parser


def test_work_dir_is_that_of_the_flag_else_the_config_else_its_name(tmp_path, parser):
    path = tmp_path / 'stage.py'
    path.write_text('value = 1\n')
    assert launch.config_from_arguments(parser.parse_args([str(path)])).work_dir == 'work_dirs/stage'
    path.write_text("work_dir = 'own'\na = dict()\n")
    assert launch.config_from_arguments(parser.parse_args([str(path)])).work_dir == 'own'
    arguments = [str(path), '--work-dir', 'given', '--cfg-options', 'a.b=[1,2]']
    cfg = launch.config_from_arguments(parser.parse_args(arguments))
    assert cfg.work_dir == 'given' and cfg.a.b == [1, 2]


def test_folders_are_moved_by_flags(tmp_path, parser):
    path = tmp_path / 'stage.py'
    path.write_text("data_root = 'd'\nwork_dir = 'w/stage'\ninput = 'd/x'\n")
    cfg = launch.config_from_arguments(parser.parse_args([str(path), '--data-root', '/e', '--run-dir', '/r']))
    assert (cfg.input, cfg.work_dir) == ('/e/x', '/r/stage')


@pytest.mark.parametrize(
    'config, checkpoint, message',
    [
        (dict(), '/absent.pth', r'^/absent\.pth: expected a checkpoint, found no such file'),
        (dict(train_cfg=dict()), None, 'expected a checkpoint of the trained model'),
    ],
)
def test_a_missing_checkpoint_is_told_before_the_test(config, checkpoint, message):
    needed = dict(model=dict(), test_dataloader=dict(), test_cfg=dict(), test_evaluator=dict())
    with pytest.raises(DataError, match=message):
        launch.test(Config({**needed, **config}), checkpoint)


def test_a_model_that_trains_nothing_needs_no_checkpoint():
    launch.check_checkpoint(Config(dict(model=dict())), None)
    launch.check_checkpoint(Config(dict(model=dict())), 'https://example.com/x.pth')


def test_metrics_become_json():
    plain = launch.plain_numbers(dict(a=torch.tensor(1.5), b=math.nan, c=[1], d=math.inf))
    assert json.loads(json.dumps(plain)) == dict(a=1.5, b=None, c=[1], d=None)


def test_bad_input_ends_a_tool_with_one_line():
    def main():
        raise DataError('a.txt: expected something')

    with pytest.raises(SystemExit, match='^error: a.txt: expected something$'):
        run_tool(main)
