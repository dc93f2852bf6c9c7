import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from mmwsss.engine import FINAL_CHECKPOINT, find_resumable_checkpoint, load_from_local
from mmwsss.fileio import DataError, read_feature_table
from mmwsss.ops import fit_linear_classifier

LABELS = [['disc'], ['stripe', 'box'], [], ['disc', 'stripe'], ['box']]
LBFGS = dict(type='LBFGS', max_iter=50, line_search_fn='strong_wolfe')


@pytest.fixture
def data(image_set):
    return image_set(LABELS, sizes=((40, 56), (33, 48)))


@pytest.fixture
def build(data, tmp_path, cam_config, mmseg_scope):
    """``build(name, optimizer, bias, labels, **train_cfg)``: a runner that trains the head of a tiny classifier."""

    def make(name='run', optimizer=LBFGS, bias=True, labels=data.labels, **train_cfg):
        model = cam_config()
        model['head'].update(bias=bias)
        dataset = dict(
            type='mmwsss.ImageLabelDataset',
            dataset=data.dataset,
            image_labels=labels,
            pipeline=[dict(type='mmwsss.LoadImageFromFile'), dict(type='mmwsss.PackWeakInputs')],
        )
        loader = dict(batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dataset)
        config = dict(
            model=model,
            work_dir=str(tmp_path / name),
            train_dataloader=loader,
            train_cfg=dict(type='mmwsss.LinearProbeLoop', **train_cfg),
            optim_wrapper=dict(type='OptimWrapper', optimizer=optimizer),
            val_dataloader=loader,
            val_cfg=dict(type='ValLoop'),
            val_evaluator=dict(type='mmwsss.MultiLabelMetric'),
            default_hooks=dict(
                checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1),
                final=dict(type='mmwsss.FinalCheckpointHook'),
            ),
            randomness=dict(seed=0),
            default_scope='mmseg',
            experiment_name=name,
            log_level='ERROR',
        )
        return Runner(**config, cfg=config)

    return make


def head_of(runner):
    return runner.model.head.classifier


def tables_of(runner):
    return list(Path(runner.train_loop.feature_dir).glob('*.npy'))


def test_the_head_is_the_fit_to_the_means_of_the_features(build, data):
    runner = build(weight_decay=0.1)
    runner.train()
    (table,) = tables_of(runner)
    image_ids, means = read_feature_table(table)
    assert image_ids == sorted(data.ids)
    truth = json.load(open(data.labels, encoding='utf-8'))
    names = [name for name in data.classes if name != 'background']
    labels = torch.tensor([[float(name in truth[image_id]) for name in names] for image_id in image_ids])
    expected = fit_linear_classifier(torch.from_numpy(np.array(means, np.float32)), labels, 0.1)
    torch.testing.assert_close(head_of(runner).weight[:, :, 0, 0].detach(), expected.weight, atol=1e-3, rtol=1e-2)
    torch.testing.assert_close(head_of(runner).bias.detach(), expected.bias, atol=1e-3, rtol=1e-2)


def test_nothing_but_the_head_changes(build):
    runner = build()
    runner.model.init_weights()
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.train()
    changed = {name for name, value in runner.model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {'head.classifier.weight', 'head.classifier.bias'}


def test_it_ends_with_weights_like_any_training(build, tmp_path):
    runner = build()
    runner.train()
    saved = load_from_local(str(tmp_path / 'run' / FINAL_CHECKPOINT))['state_dict']
    assert torch.equal(saved['head.classifier.weight'], head_of(runner).weight)
    assert find_resumable_checkpoint(str(tmp_path / 'run')) is None
    assert runner.message_hub.get_scalar('val/multi_label/mAP').current() > 0


def test_a_further_run_takes_the_stored_features(build, monkeypatch):
    first = build()
    first.train()
    again = build()
    monkeypatch.setattr(again.model, 'pooled_features', lambda _: pytest.fail('the backbone ran'))
    again.train()
    assert torch.equal(head_of(again).weight, head_of(first).weight)


def test_features_of_other_images_are_not_taken(build, data):
    build().train()
    path = data.root / 'images' / f'{data.ids[0]}.jpg'
    path.write_bytes((data.root / 'images' / f'{data.ids[2]}.jpg').read_bytes())
    runner = build()
    runner.train()
    assert len(tables_of(runner)) == 2


def test_nothing_is_stored_if_not_asked_for(build, tmp_path):
    build(feature_dir=None).train()
    assert not list((tmp_path / 'run').rglob('*.npy'))


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(bias=False), 'head has bias=True'),
        (dict(optimizer=dict(type='SGD', lr=0.1)), 'optim_wrapper.optimizer: a LinearProbeLoop takes LBFGS, got SGD'),
        (dict(labels=None), 'has no image-level labels'),
    ],
)
def test_what_cannot_be_trained_so(build, settings, message):
    with pytest.raises(DataError, match=message):
        build(**settings).train()


def test_negative_weight_decay(build):
    with pytest.raises(ValueError, match='weight_decay of LinearProbeLoop'):
        build(weight_decay=-1).train()
