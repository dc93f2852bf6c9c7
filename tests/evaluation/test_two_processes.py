"""Seed inference by the tools, in one process and in two."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmwsss.apis import launch

pytestmark = pytest.mark.usefixtures('mmseg_scope')

ROOT = Path(__file__).parents[2]


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def config_file(tmp_path, photo_set, cam_config):
    """Seed inference on five photographs, which two processes cannot share evenly."""
    data = photo_set([['disc'], ['stripe', 'box'], [], ['disc', 'stripe', 'box'], ['box']], ((40, 56), (31, 45)))
    pipeline = [dict(type='LoadPhoto'), dict(type='PackWeakInputs')]
    dataset = dict(
        type='ImageLabelDataset', dataset=data.photos, image_labels=data.labels, pipeline=pipeline, test_mode=True
    )
    crf = dict(num_iters=2)
    config = dict(
        default_scope='mmseg',
        custom_imports=dict(
            imports=['mmwsss.models', 'mmwsss.datasets', 'mmwsss.evaluation', 'mmwsss.engine'],
            allow_failed_imports=False,
        ),
        model=cam_config(3, scales=(1.0, 0.5), flip=True, seed_stride=4),
        test_dataloader=dict(
            batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False, round_up=False), dataset=dataset
        ),
        test_evaluator=[
            dict(type='SeedMetric'),
            dict(type='AffinityLabelMetric', generator=dict(type='AffinityLabelGenerator', **crf)),
            dict(type='PseudoMaskMetric', dense_crf=dict(type='DenseCRF', **crf), background_score=0.3, prefix='cam_dcrf'),
        ],
        test_cfg=dict(type='TestLoop'),
        custom_hooks=[dict(type='ChannelsLastHook')],
    )
    Config(config).dump(tmp_path / 'seed_infer.py')
    torch.manual_seed(0)
    model = MODELS.build(config['model'])
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'model.pth')
    return tmp_path / 'seed_infer.py'


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*.*') if path.is_file()}


def test_two_processes_write_and_measure_what_one_does(tmp_path, config_file, one_thread):
    checkpoint = str(tmp_path / 'model.pth')
    cfg = launch.load_config(str(config_file))
    cfg.launcher, cfg.work_dir = 'none', str(tmp_path / 'one')
    launch.set_test_checkpoint(cfg, checkpoint)
    launch.set_output_dir(cfg, str(tmp_path / 'one_out'))
    metrics = launch.test(cfg)

    environment = {
        **os.environ,
        'OMP_NUM_THREADS': '1',
        'CUDA_VISIBLE_DEVICES': '',
        'PATH': os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']]),
    }
    command = ['bash', 'tools/dist_test.sh', config_file, checkpoint, '2']
    command += ['--work-dir', tmp_path / 'two', '--out', tmp_path / 'two_out']
    result = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
    )
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / 'two' / 'metrics.json').read_text()) == metrics
    assert metrics['cam/mIoU'] > 0 and metrics['labels/coverage'] > 0 and metrics['cam_dcrf/mIoU'] > 0
    one, two = files_of(tmp_path / 'one_out'), files_of(tmp_path / 'two_out')
    assert len(one) == 15 and sum(name.endswith('.npz') for name in one) == 5
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
