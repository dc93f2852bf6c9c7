import pytest
from mmengine.config import Config

from mmwsss.engine.run_config import prepare, set_test_time_augmentation
from mmwsss.fileio import DataError


def test_validation_and_test_repeat_no_image():
    sampler = dict(type='DefaultSampler', shuffle=False)
    cfg = Config(
        dict(
            train_dataloader=dict(sampler=dict(type='DefaultSampler', shuffle=True)),
            val_dataloader=dict(sampler=sampler),
            test_dataloader=dict(sampler=dict(sampler, round_up=True)),
        )
    )
    prepared = prepare(cfg)
    assert prepared.val_dataloader.sampler.round_up is False and prepared.test_dataloader.sampler.round_up is False
    assert 'round_up' not in prepared.train_dataloader.sampler
    assert 'round_up' not in cfg.val_dataloader.sampler, 'the config that was asked for is changed'
    prepare(Config(dict(val_dataloader=None, test_dataloader=dict(dataset=dict()))))


@pytest.mark.parametrize('number, kept', [(0, False), (2, True)])
def test_without_workers_their_options_are_dropped(number, kept):
    loader = dict(num_workers=number, persistent_workers=True, prefetch_factor=4, batch_size=1)
    prepared = prepare(Config(dict(train_dataloader=loader, test_dataloader=None)))
    assert ('persistent_workers' in prepared.train_dataloader) is kept
    assert ('prefetch_factor' in prepared.train_dataloader) is kept


def test_hooks_can_be_turned_off():
    hooks = dict(fuse_conv_bn=None, logger=None, progress=dict(type='mmwsss.ProgressHook'))
    prepared = prepare(Config(dict(default_hooks=hooks)))
    # The runner itself takes None for its own hooks.
    assert list(prepared.default_hooks) == ['logger', 'progress']


def test_tta_replaces_pipeline_and_model():
    cfg = Config(
        dict(
            model=dict(type='A'),
            tta_model=dict(type='B'),
            tta_pipeline=[1],
            test_dataloader=dict(dataset=dict(pipeline=[0])),
        )
    )
    prepared = prepare(cfg, set_test_time_augmentation)
    assert prepared.model.type == 'B' and prepared.model.module.type == 'A'
    assert prepared.test_dataloader.dataset.pipeline == [1]
    assert cfg.model.type == 'A'
    with pytest.raises(DataError, match='tta_pipeline and no tta_model'):
        prepare(Config(dict(model=dict(type='A'))), set_test_time_augmentation)
