"""Tests by the tools, in one process and in two: same files, same figures, same list of what was skipped.

The five images cannot be shared evenly, and the sampler of these configs is MMEngine's by default, which would give
the first one to both processes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmseg.registry import MODELS

from mmwsss.engine import launch
from mmwsss.engine.config_loading import load_config
from mmwsss.engine.tool_options import set_output_dir, set_skip_bad

from .conftest import files_of

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run_both(tmp_path):
    """Runs a test in this process and in two; gives the folder of the first after comparing both."""

    def run(config, skip_bad=False):
        config.test_dataloader.sampler.pop('round_up')
        config.dump(tmp_path / 'stage.py')
        cfg = load_config(str(tmp_path / 'stage.py'))
        cfg.launcher, cfg.work_dir = 'none', str(tmp_path / 'one')
        set_output_dir(cfg, str(tmp_path / 'one/out'))
        if skip_bad:
            set_skip_bad(cfg, training=False)
        launch.test(cfg)
        run_two = 'source tools/dist_run.sh && dist_run 2 tools/test.py "$@" --launcher pytorch'
        command = [
            'bash',
            '-c',
            run_two,
            'bash',
            tmp_path / 'stage.py',
            *([config.load_from] if config.load_from else []),
        ]
        command += [
            '--work-dir',
            tmp_path / 'two',
            '--out',
            tmp_path / 'two/out',
            *(['--skip-bad'] if skip_bad else []),
        ]
        environment = {
            **os.environ,
            'OMP_NUM_THREADS': '1',
            'CUDA_VISIBLE_DEVICES': '',
            'PATH': os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']]),
        }
        result = subprocess.run(
            [str(part) for part in command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
        )
        assert result.returncode == 0, result.stderr
        one, two = (files_of(tmp_path / name, ('.png', '.npz', '.json')) for name in ('one', 'two'))
        one, two = ({name: data for name, data in files.items() if is_result(name)} for files in (one, two))
        assert one.keys() == two.keys()
        assert [name for name in one if one[name] != two[name]] == []
        return tmp_path / 'one'

    return run


def is_result(name):
    """Memory and times are of a process."""
    return name.startswith('out/') or name in (
        'metrics.json',
        'confusions.json',
        'skipped.json',
        'test_statistics.json',
    )


def test_label_loop(stages, run_both):
    (stages.data.root / 'images/p2.jpg').write_bytes(b'')
    (stages.data.root / 'masks/sub/p3.png').write_bytes(b'hello')
    folder = run_both(stages.cam, skip_bad=True)
    metrics = json.loads((folder / 'metrics.json').read_text())
    figures = {'cam/mIoU', 'cam/background_otsu', 'labels/coverage', 'cam_dcrf/mIoU', 'multi_label/mAP'}
    assert all(metrics[name] > 0 for name in figures)
    assert [one['image_id'] for one in json.loads((folder / 'skipped.json').read_text())] == ['p2', 'sub/p3']
    assert len(list(folder.rglob('out/**/*.npz'))) == 4


def test_stored_maps_have_nothing_to_learn(stages, run_both):
    stages.make_seeds()
    config = stages.affinity
    config.model, config.load_from = dict(type='mmwsss.StoredMaps'), None
    config.test_cfg.chains = dict(masks=dict(labeler=dict(type='mmwsss.ArgmaxLabeler')))
    config.test_evaluator = [dict(type='mmwsss.PseudoMaskMetric', chain='masks', output_dir='pseudo_masks')]
    assert len(list(run_both(config).rglob('out/**/*.png'))) == 5


def test_segmentor(tmp_path, stages, run_both, cam_config):
    parts, config = cam_config(), stages.cam
    head = dict(
        type='FCNHead', in_channels=64, in_index=3, channels=8, num_convs=1, num_classes=4, norm_cfg=dict(type='BN')
    )
    config.model = dict(
        type='EncoderDecoder',
        backbone=parts['backbone'],
        decode_head=head,
        data_preprocessor=dict(parts['data_preprocessor'], test_cfg=dict(size_divisor=8)),
        test_cfg=dict(mode='whole'),
    )
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(config.model).state_dict()), config.load_from)
    pipeline = [dict(type='mmwsss.LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]
    config.test_dataloader.dataset.pipeline = pipeline
    config.test_evaluator = [dict(type='mmwsss.SegmentorMetric', iou_metrics=['mIoU'])]
    config.test_cfg = dict(type='TestLoop')
    folder = run_both(config)
    assert len(list((folder / 'out').rglob('*.png'))) == 5
    assert json.loads((folder / 'metrics.json').read_text())['mIoU'] > 0
