import argparse
import json
import math

import pytest
import torch
from mmengine.config import Config

import mmwsss.evaluation  # noqa: F401
from mmwsss.engine import launch
from mmwsss.fileio import DataError


def test_settings_replace_those_beside_the_config(tmp_path, monkeypatch, capfd):
    monkeypatch.delenv(launch.SETTINGS_VARIABLE, raising=False)
    (tmp_path / 'settings.py').write_text('iters = 5\n')
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'settings.py').write_text('iters = 7\n')
    path = tmp_path / 'step.py'
    path.write_text("_base_ = ['{{$MMWSSS_SETTINGS:./settings.py}}']\nmax_iters = {{_base_.iters}}\nmore = dict()\n")
    assert launch.load_config(str(path)).max_iters == 5
    monkeypatch.setenv(launch.SETTINGS_VARIABLE, '')
    cfg = launch.load_config(str(path), str(tmp_path / 'other' / 'settings.py'), {'more.x': 1})
    assert cfg.max_iters == 7 and cfg.more.x == 1
    assert 'env variable' not in ''.join(capfd.readouterr())


def test_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r'absent\.py: expected a config'):
        launch.load_config(str(tmp_path / 'absent.py'))
    (tmp_path / 'step.py').write_text('value = 1\n')
    with pytest.raises(DataError, match=r'absent\.py: expected a settings file'):
        launch.load_config(str(tmp_path / 'step.py'), str(tmp_path / 'absent.py'))
    with pytest.raises(DataError, match=r'absent\.pth'):
        launch.set_test_checkpoint(Config(), str(tmp_path / 'absent.pth'))


def test_work_dir_is_that_of_the_flag_else_the_config_else_its_name(tmp_path):
    path = tmp_path / 'step.py'
    path.write_text('value = 1\n')
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    launch.add_common_arguments(parser)
    assert launch.config_from_arguments(parser.parse_args([str(path)])).work_dir == 'work_dirs/step'
    path.write_text("work_dir = 'own'\na = dict()\n")
    assert launch.config_from_arguments(parser.parse_args([str(path)])).work_dir == 'own'
    arguments = [str(path), '--work-dir', 'given', '--cfg-options', 'a.b=[1,2]']
    cfg = launch.config_from_arguments(parser.parse_args(arguments))
    assert cfg.work_dir == 'given' and cfg.a.b == [1, 2]


@pytest.mark.parametrize('cuda, kind', [(True, 'AmpOptimWrapper'), (False, 'BFloat16OptimWrapper')])
def test_amp_fits_the_device(monkeypatch, cuda, kind):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: cuda)
    cfg = Config(dict(optim_wrapper=dict(type='OptimWrapper')))
    launch.enable_amp(cfg)
    assert cfg.optim_wrapper.type == kind
    launch.enable_amp(cfg)
    assert cfg.optim_wrapper.type == kind
    with pytest.raises(DataError, match='--amp.*Strange'):
        launch.enable_amp(Config(dict(optim_wrapper=dict(type='Strange'))))


def test_out_reaches_each_evaluator_that_writes():
    cfg = Config(dict(test_evaluator=dict(type='IoUMetric')))
    launch.set_output_dir(cfg, 'out')
    assert cfg.test_evaluator[0].output_dir == 'out'
    cfg = Config(dict(test_evaluator=[dict(type='IoUMetric'), dict(type='SeedMetric')]))
    launch.set_output_dir(cfg, 'out')
    assert [evaluator.output_dir for evaluator in cfg.test_evaluator] == ['out/IoUMetric', 'out/SeedMetric']
    with pytest.raises(DataError, match='--out'):
        launch.set_output_dir(Config(dict(test_evaluator=[])), 'out')
    with pytest.raises(DataError, match='NoSuchMetric'):
        launch.set_output_dir(Config(dict(test_evaluator=dict(type='NoSuchMetric'))), 'out')


def test_showing_predictions_needs_nothing_in_the_config():
    cfg = Config(dict(value=1))
    launch.show_predictions(cfg, False, 'shown', 2.0)
    assert cfg.default_hooks.visualization.draw and cfg.visualizer.save_dir == 'shown'
    launch.show_predictions(cfg, True, None, 3.0)
    assert cfg.default_hooks.visualization.wait_time == 3.0


def test_validation_and_test_repeat_no_photograph():
    sampler = dict(type='DefaultSampler', shuffle=False)
    cfg = Config(
        dict(
            train_dataloader=dict(sampler=dict(type='DefaultSampler', shuffle=True)),
            val_dataloader=dict(sampler=sampler),
            test_dataloader=dict(sampler=dict(sampler, round_up=True)),
        )
    )
    launch.share_photographs_once(cfg)
    assert cfg.val_dataloader.sampler.round_up is False and cfg.test_dataloader.sampler.round_up is False
    assert 'round_up' not in cfg.train_dataloader.sampler
    launch.share_photographs_once(Config(dict(val_dataloader=None, test_dataloader=dict(dataset=dict()))))


def test_tta_replaces_pipeline_and_model():
    cfg = Config(
        dict(
            model=dict(type='A'),
            tta_model=dict(type='B'),
            tta_pipeline=[1],
            test_dataloader=dict(dataset=dict(pipeline=[0])),
        )
    )
    launch.set_test_time_augmentation(cfg)
    assert cfg.model.type == 'B' and cfg.model.module.type == 'A'
    assert cfg.test_dataloader.dataset.pipeline == [1]
    with pytest.raises(DataError, match='tta_pipeline and no tta_model'):
        launch.set_test_time_augmentation(Config(dict(model=dict(type='A'))))


def test_metrics_become_json():
    plain = launch.plain_numbers(dict(a=torch.tensor(1.5), b=math.nan, c=[1], d=math.inf))
    assert json.loads(json.dumps(plain)) == dict(a=1.5, b=None, c=[1], d=None)


def test_bad_input_ends_a_tool_with_one_line():
    def main():
        raise DataError('a.txt: expected something')

    with pytest.raises(SystemExit, match='^error: a.txt: expected something$'):
        launch.run_tool(main)
