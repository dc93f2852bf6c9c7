"""The inference steps by the tools, in one process and in two: same files, same figures.

The five images cannot be shared evenly, and the sampler of these configs is MMEngine's by default, which would
give the first one to both processes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmwsss.engine import launch
from mmwsss.fileio import Seeds, write_seeds

pytestmark = pytest.mark.usefixtures('mmseg_scope')

ROOT = Path(__file__).parents[2]
LABELS = [['disc'], ['stripe', 'box'], [], ['disc', 'stripe', 'box'], ['box']]
SIZES = ((40, 56), (31, 45))
CRF = dict(num_iters=2)


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def write_config(tmp_path):
    """``write_config(model, dataset, evaluators)`` writes config and weights of a test."""

    def write(model, dataset, evaluators):
        config = dict(
            default_scope='mmseg',
            custom_imports=dict(
                imports=['mmwsss.models', 'mmwsss.datasets', 'mmwsss.evaluation', 'mmwsss.engine'],
                allow_failed_imports=False,
            ),
            model=model,
            test_dataloader=dict(
                batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dataset
            ),
            test_evaluator=evaluators,
            test_cfg=dict(type='TestLoop'),
            custom_hooks=[dict(type='ChannelsLastHook')],
        )
        Config(config).dump(tmp_path / 'infer.py')
        torch.manual_seed(0)
        torch.save(dict(state_dict=MODELS.build(model).state_dict()), tmp_path / 'model.pth')

    return write


@pytest.fixture
def run_both(tmp_path, one_thread):
    """Runs the test in this process and in two; gives figures and files of the first after comparing them."""

    def run():
        metrics = run_one()
        environment = {
            **os.environ,
            'OMP_NUM_THREADS': '1',
            'CUDA_VISIBLE_DEVICES': '',
            'PATH': os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']]),
        }
        command = ['bash', 'tools/dist_test.sh', tmp_path / 'infer.py', tmp_path / 'model.pth', '2']
        command += ['--work-dir', tmp_path / 'two', '--out', tmp_path / 'two_out']
        result = subprocess.run(
            [str(part) for part in command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
        )
        assert result.returncode == 0, result.stderr
        assert json.loads((tmp_path / 'two/metrics.json').read_text()) == metrics
        pixels = [(tmp_path / name / 'confusions.json').read_text() for name in ('one', 'two')]
        assert pixels[0] == pixels[1]
        one, two = files_of(tmp_path / 'one_out'), files_of(tmp_path / 'two_out')
        assert one.keys() == two.keys()
        assert [name for name in one if one[name] != two[name]] == []
        return metrics, one

    def run_one():
        cfg = launch.load_config(str(tmp_path / 'infer.py'))
        cfg.launcher, cfg.work_dir = 'none', str(tmp_path / 'one')
        launch.set_test_checkpoint(cfg, str(tmp_path / 'model.pth'))
        launch.set_output_dir(cfg, str(tmp_path / 'one_out'))
        return json.loads(json.dumps(launch.test(cfg)))

    return run


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*.*') if path.is_file()}


def dataset_of(data, *transforms, **folders):
    pipeline = [dict(type='LoadPhoto'), *transforms]
    return dict(
        type='ImageLabelDataset',
        dataset=data.dataset,
        image_labels=data.labels,
        pipeline=pipeline,
        test_mode=True,
        **folders,
    )


def test_seeds_and_affinity_labels(write_config, run_both, image_set, cam_config):
    data = image_set(LABELS, SIZES)
    write_config(
        cam_config(3, scales=(1.0, 0.5), flip=True, seed_stride=4),
        dataset_of(data, dict(type='PackWeakInputs')),
        [
            dict(type='SeedMetric'),
            dict(type='AffinityLabelMetric', generator=dict(type='AffinityLabelGenerator', **CRF)),
            dict(
                type='PseudoMaskMetric', dense_crf=dict(type='DenseCRF', **CRF), background_score=0.3, prefix='cam_dcrf'
            ),
            dict(type='MultiLabelMetric'),
        ],
    )
    metrics, files = run_both()
    assert len(files) == 15 and sum(name.endswith('.npz') for name in files) == 5
    figures = {'cam/mIoU', 'cam/background_otsu', 'labels/coverage', 'cam_dcrf/mIoU', 'multi_label/mAP'}
    assert all(metrics[name] > 0 for name in figures)


def test_pseudo_masks(tmp_path, write_config, run_both, image_set, affinity_config):
    data, rng = image_set(LABELS, SIZES), np.random.default_rng(0)
    for index, (image_id, names) in enumerate(zip(data.ids, LABELS, strict=True)):
        height, width = size = SIZES[index % 2]
        cams = rng.random((len(names), -(-height // 4), -(-width // 4))).astype(np.float16)
        class_ids = np.array(sorted(data.classes.index(name) for name in names), np.uint8)
        write_seeds(tmp_path / f'seeds/{image_id}.npz', Seeds(class_ids, cams, size))
    crf = dict(type='DenseCRF', **CRF)
    write_config(
        affinity_config(),
        dataset_of(data, dict(type='LoadSeeds'), dict(type='PackWeakInputs'), seed_dir=str(tmp_path / 'seeds')),
        [dict(type='PseudoMaskMetric', dense_crf=crf, margin=0.1, num_workers=1)],
    )
    metrics, files = run_both()
    assert sorted(files) == sorted(f'{image_id}.png' for image_id in data.ids)
    assert metrics['random_walk/mIoU'] > 0


def test_segmentor(write_config, run_both, image_set, cam_config):
    data = image_set(LABELS, SIZES)
    parts = cam_config()
    head = dict(
        type='FCNHead', in_channels=64, in_index=3, channels=8, num_convs=1, num_classes=4, norm_cfg=dict(type='BN')
    )
    write_config(
        dict(
            type='EncoderDecoder',
            backbone=parts['backbone'],
            decode_head=head,
            data_preprocessor=dict(parts['data_preprocessor'], test_cfg=dict(size_divisor=8)),
            test_cfg=dict(mode='whole'),
        ),
        dataset_of(data, dict(type='LoadAnnotations'), dict(type='PackSegInputs')),
        [dict(type='SegmentorMetric', iou_metrics=['mIoU'])],
    )
    metrics, files = run_both()
    assert len(files) == 5 and metrics['mIoU'] > 0
