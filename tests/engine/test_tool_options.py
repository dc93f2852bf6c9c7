import os

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

import mmwsss.evaluation  # noqa: F401
from mmwsss.engine.tool_options import enable_amp, set_output_dir, set_skip_bad, show_predictions
from mmwsss.fileio import DataError


@pytest.mark.parametrize('cuda, kind', [(True, 'AmpOptimWrapper'), (False, 'mmwsss.BFloat16OptimWrapper')])
def test_amp_fits_the_device(monkeypatch, cuda, kind):
    MMLogger.get_current_instance()  # made where there is a GPU, it asks which one
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: cuda)
    cfg = Config(dict(optim_wrapper=dict(type='OptimWrapper')))
    enable_amp(cfg)
    assert cfg.optim_wrapper.type == kind
    enable_amp(cfg)
    assert cfg.optim_wrapper.type == kind
    with pytest.raises(DataError, match='--amp.*Strange'):
        enable_amp(Config(dict(optim_wrapper=dict(type='Strange'))))


def test_out_reaches_each_evaluator_that_writes():
    cfg = Config(dict(test_evaluator=dict(type='IoUMetric')))
    set_output_dir(cfg, 'out')
    # A relative folder of a metric is one of the work directory.
    assert cfg.test_evaluator[0].output_dir == os.path.abspath('out')
    cfg = Config(dict(test_evaluator=[dict(type='IoUMetric'), dict(type='CityscapesMetric')]))
    set_output_dir(cfg, 's3://out')
    names = [evaluator.output_dir for evaluator in cfg.test_evaluator]
    assert names == ['s3://out/IoUMetric', 's3://out/CityscapesMetric']
    labels = [dict(type='mmwsss.SeedMetric', output_dir='seeds'), dict(type='mmwsss.AffinityLabelMetric', chain='a')]
    cfg = Config(dict(test_evaluator=labels))
    set_output_dir(cfg, '/out')
    assert [evaluator.get('output_dir') for evaluator in cfg.test_evaluator] == ['/out', None]
    labels[1]['output_dir'] = '/somewhere/affinity_labels/'
    cfg = Config(dict(test_evaluator=labels))
    set_output_dir(cfg, '/out')
    assert [evaluator.output_dir for evaluator in cfg.test_evaluator] == ['/out/seeds', '/out/affinity_labels']
    masks = dict(type='mmwsss.PseudoMaskMetric', chain='a', output_dir='masks', weight_dir='weights/')
    cfg = Config(dict(test_evaluator=masks))
    set_output_dir(cfg, '/out')
    assert (cfg.test_evaluator[0].output_dir, cfg.test_evaluator[0].weight_dir) == ('/out/masks', '/out/weights')
    with pytest.raises(DataError, match='--out'):
        set_output_dir(Config(dict(test_evaluator=[])), 'out')
    with pytest.raises(DataError, match='NoSuchMetric'):
        set_output_dir(Config(dict(test_evaluator=dict(type='NoSuchMetric'))), 'out')


def test_showing_predictions_needs_nothing_in_the_config():
    cfg = Config(dict(value=1))
    show_predictions(cfg, False, 'shown', 2.0)
    assert cfg.default_hooks.visualization.draw and cfg.visualizer.save_dir == 'shown'
    show_predictions(cfg, True, None, 3.0)
    assert cfg.default_hooks.visualization.wait_time == 3.0


@pytest.mark.parametrize(
    'loop, expected',
    [
        (dict(type='TestLoop'), dict(type='mmwsss.SkipBadTestLoop')),
        (dict(), dict(type='mmwsss.SkipBadTestLoop')),
        (dict(type='mmwsss.LabelLoop'), dict(type='mmwsss.LabelLoop', skip_bad=True)),
    ],
)
def test_a_test_that_skips_takes_a_loop_that_can(loop, expected):
    cfg = Config(dict(test_dataloader=dict(), test_cfg=loop))
    set_skip_bad(cfg, training=False)
    assert cfg.test_cfg == expected


def test_another_loop_cannot_skip():
    with pytest.raises(DataError, match='must be TestLoop or mmwsss.LabelLoop, got Strange'):
        set_skip_bad(Config(dict(test_dataloader=dict(), test_cfg=dict(type='Strange'))), training=False)
