import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmwsss.fileio import DataError
from mmwsss.ops import neighbor_offsets
from mmwsss.report import write_report
from mmwsss.report.photographs import load_photographs, step_configs
from mmwsss.report.predictions import predict_photographs
from mmwsss.visualization import affinity_boundaries

PIPELINE = [dict(type='LoadPhoto'), dict(type='LoadSeeds'), dict(type='PackWeakInputs')]
SEGMENTOR = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', size_divisor=8, test_cfg=dict(size_divisor=8)),
    backbone=dict(type='MobileNetV2', widen_factor=0.25, out_indices=(1, 2)),
    decode_head=dict(
        type='FCNHead',
        in_channels=8,
        in_index=1,
        channels=4,
        num_convs=1,
        num_classes=4,
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
    test_cfg=dict(mode='whole'),
)


def slow_boundaries(affinity, offsets):
    pairs, (height, width) = {}, affinity.shape[1:]
    for field, (dy, dx) in zip(affinity, offsets, strict=True):
        for y in range(height):
            for x in range(width):
                if max(abs(dy), abs(dx)) < 2 and 0 <= y + dy < height and 0 <= x + dx < width:
                    pairs.setdefault((y, x), []).append(field[y, x])
                    pairs.setdefault((y + dy, x + dx), []).append(field[y, x])
    return np.array([[1 - np.mean(pairs[y, x]) for x in range(width)] for y in range(height)])


def test_boundaries_match_a_slow_twin():
    offsets = neighbor_offsets(3).numpy()
    affinity = np.random.default_rng(0).random((len(offsets), 4, 5)).astype(np.float32)
    expected = slow_boundaries(affinity, offsets)
    np.testing.assert_allclose(affinity_boundaries(affinity, offsets), expected, atol=1e-6)


@pytest.fixture
def trained(run, affinity_config, write_config, mmseg_scope):
    """The run with an AffinityNet and a segmentor that have learned nothing."""
    dataset = dict(
        type='ImageLabelDataset',
        dataset=run.photos.dataset,
        image_labels=run.photos.labels,
        seed_dir=run.settings['seed_dir'],
        pipeline=PIPELINE,
    )
    transforms = [dict(type='LoadPhoto'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]
    held_out = dict(**run.photos.dataset, pipeline=transforms)
    steps = dict(affinity_infer=(affinity_config(), dataset), segmentor=(SEGMENTOR, held_out))
    for step, (model, data) in steps.items():
        checkpoint = run.work_dir / step / 'iter_1.pth'
        write_config(checkpoint.parent, model=model, load_from=str(checkpoint), test_dataloader=dict(dataset=data))
        meta = dict(dataset_meta=dict(classes=run.settings['classes']))
        torch.save(dict(state_dict=MODELS.build(model).state_dict(), meta=meta), checkpoint)
        run.results['metrics'][step] = {}
    return run


def test_what_networks_make_of_photographs(trained):
    configs = step_configs(trained.work_dir, trained.results['metrics'])
    photographs = load_photographs(configs['seed_infer'], trained.settings)[1:3]
    walked = dict(predict_photographs(configs['affinity_infer'], photographs))
    assert list(walked) == trained.photos.ids[1:3]
    drawn = walked[photographs[0].image_id]
    assert drawn['affinity'].shape == drawn['random walk'].shape == (56, 40)
    assert set(np.unique(drawn['random walk'])) <= {0, 3}
    segmented = dict(predict_photographs(configs['segmentor'], photographs))
    assert segmented[photographs[1].image_id]['segmentor'].shape == (40, 56)


def test_report_with_networks_and_held_out_photographs(trained):
    html = write_report(trained.work_dir, trained.settings, trained.results).read_text(encoding='utf-8')
    for name in ('affinity', 'random walk', 'segmentor'):
        assert f'<figcaption>{name}</figcaption>' in html
    assert '<option>held-out</option>' in html


def test_a_checkpoint_of_another_model(trained):
    path = trained.work_dir / 'segmentor' / 'iter_1.pth'
    torch.save(dict(state_dict={}), path)
    config = Config.fromfile(path.with_name('segmentor.py'))
    photographs = load_photographs(config, trained.settings)
    with pytest.raises(DataError, match='iter_1.pth: expected a checkpoint of EncoderDecoder'):
        list(predict_photographs(config, photographs))
