"""Inference that goes on without what cannot be used, in one process with workers and in two processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import DATASETS, MODELS

from mmwsss.engine import launch
from mmwsss.engine.skip_bad import Skipped, collate_kept
from mmwsss.engine.tool_options import set_skip_bad
from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')

ROOT = Path(__file__).parents[2]
LABELS = [['disc'], ['stripe', 'box'], [], ['disc', 'stripe', 'box'], ['box'], ['disc']]


@pytest.fixture
def data(image_set):
    """Six images: the first is cut off, the fourth is missing, the mask of the fifth is no image."""
    data = image_set(LABELS)
    (data.root / 'images/p0.jpg').write_bytes((data.root / 'images/p0.jpg').read_bytes()[:300])
    (data.root / 'images/sub/p3.jpg').unlink()
    (data.root / 'masks/p4.png').write_bytes(b'hello')
    return data


@pytest.fixture
def run_test(tmp_path, data, cam_config):
    """``run_test(...)`` infers seeds in this process and gives the metrics."""
    pipeline = [dict(type='LoadPhoto'), dict(type='PackWeakInputs')]
    dataset = dict(
        type='ImageLabelDataset', dataset=data.dataset, image_labels=data.labels, pipeline=pipeline, test_mode=True
    )
    config = dict(
        default_scope='mmseg',
        custom_imports=dict(imports=['mmwsss.models', 'mmwsss.datasets', 'mmwsss.evaluation', 'mmwsss.engine']),
        model=cam_config(3, scales=(1.0,), flip=False, seed_stride=4),
        test_dataloader=dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
            dataset=dataset,
        ),
        test_evaluator=[dict(type='SeedMetric', output_dir=str(tmp_path / 'seeds'))],
        test_cfg=dict(type='TestLoop'),
    )
    torch.save(dict(state_dict=MODELS.build(config['model']).state_dict()), tmp_path / 'model.pth')
    Config(config).dump(tmp_path / 'infer.py')

    def run(work_dir, skip_bad=True, **options):
        cfg = launch.load_config(
            str(tmp_path / 'infer.py'), options={key.replace('__', '.'): value for key, value in options.items()}
        )
        cfg.launcher, cfg.work_dir = 'none', str(tmp_path / work_dir)
        if skip_bad:
            set_skip_bad(cfg, training=False)
        return launch.test(cfg, str(tmp_path / 'model.pth'))

    return run


def skipped_ids(work_dir):
    return [one['image_id'] for one in json.loads((work_dir / 'skipped.json').read_text())]


def written(tmp_path):
    return sorted(path.relative_to(tmp_path / 'seeds').as_posix() for path in (tmp_path / 'seeds').rglob('*.npz'))


@pytest.mark.parametrize('loading, metric', [(0, 0), (2, 1)])
def test_what_was_skipped_is_listed_and_the_rest_is_done(tmp_path, run_test, loading, metric):
    workers = dict(test_dataloader__num_workers=loading)
    metrics = run_test(
        'run',
        **workers,
        test_evaluator=[dict(type='SeedMetric', output_dir=str(tmp_path / 'seeds'), num_workers=metric)],
    )
    assert metrics['cam/mIoU'] >= 0
    skipped = json.loads((tmp_path / 'run/skipped.json').read_text())
    assert [one['image_id'] for one in skipped] == ['p0', 'p4', 'sub/p3']
    for one, file in zip(skipped, ('images/p0.jpg', 'masks/p4.png', 'images/sub/p3.jpg')):
        assert file in one['reason']
    # The seeds of p4 are whole: only measuring them failed.
    assert written(tmp_path) == ['p2.npz', 'p4.npz', 'sub/p1.npz', 'sub/p5.npz']
    log = next((tmp_path / 'run').rglob('*.log')).read_text()
    assert 'Skipped 3 of 6 images' in log and 'skipped.json' in log


def test_without_the_flag_the_first_one_ends_the_test(tmp_path, run_test):
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run/skipped.json').write_text('[]')
    with pytest.raises(DataError, match=r'p0\.jpg: expected an image'):
        run_test('run', skip_bad=False)
    assert not (tmp_path / 'run/skipped.json').exists()


def test_nothing_left_is_an_error(tmp_path, data, run_test):
    for path in (data.root / 'images').rglob('*.jpg'):
        path.write_bytes(b'')
    with pytest.raises(DataError, match=r'none of the 6 images can be used; .*skipped\.json'):
        run_test('run')
    assert len(skipped_ids(tmp_path / 'run')) == 6


def test_two_processes(tmp_path, run_test):
    environment = {
        **os.environ,
        'OMP_NUM_THREADS': '1',
        'CUDA_VISIBLE_DEVICES': '',
        'PATH': os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']]),
    }
    command = ['bash', 'tools/dist_test.sh', tmp_path / 'infer.py', tmp_path / 'model.pth', '2', '--skip-bad']
    result = subprocess.run(
        [str(part) for part in (*command, '--work-dir', tmp_path / 'two')],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert result.returncode == 0, result.stderr
    assert 'Skipped 3 of 6 images' in result.stdout + result.stderr
    assert skipped_ids(tmp_path / 'two') == ['p0', 'p4', 'sub/p3']
    assert written(tmp_path) == ['p2.npz', 'p4.npz', 'sub/p1.npz', 'sub/p5.npz']
    alone = run_test('one')
    assert json.loads((tmp_path / 'two/metrics.json').read_text()) == pytest.approx(alone)


def test_training_takes_another_image(data):
    dataset = dict(type='ImageLabelDataset', dataset=data.dataset, pipeline=[dict(type='LoadPhoto')])
    dataset = DATASETS.build(dict(type='mmwsss.SkipBadDataset', dataset=dataset))
    dataset.full_init()
    assert len(dataset) == 6 and dataset.metainfo['classes'] == data.classes
    assert {dataset[0]['image_id'] for _ in range(30)} <= {'sub/p1', 'p2', 'p4', 'sub/p5'}
    for path in (data.root / 'images').rglob('*.jpg'):
        path.unlink()
    with pytest.raises(DataError, match=r'in a row cannot be used, the last one: .*\.jpg'):
        dataset[1]


def test_batch_of_what_is_left():
    bad = Skipped('a', 'why')
    assert collate_kept([1, bad, 2], list) == ([1, 2], [bad])
    assert collate_kept([bad, bad]) == (None, [bad, bad])


def test_other_loops_are_refused():
    with pytest.raises(DataError, match='--skip-bad.*TestLoop.*OtherLoop'):
        set_skip_bad(Config(dict(test_dataloader={'x': 1}, test_cfg=dict(type='OtherLoop'))), training=False)
