"""A method of two tiny stages whose commands are replaced by a function that writes their files."""

import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset

from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.runner import Pipeline
from mmwsss.registry import DATASETS
from mmwsss.zoo.grid import GridRun

LEAF = """
data_root = 'data'
work_dir = 'work/{method}/{stage}'
default_scope = 'mmseg'
default_hooks = dict(final_checkpoint=dict(type='mmwsss.FinalCheckpointHook'))
randomness = dict(seed=0)
model = dict(type='Model')
train_cfg = dict(type='IterBasedTrainLoop', max_iters=4)
train_dataloader = dict(dataset=dict(type='mmwsss.ZooImages', ann_file='data/{stage}.txt'))
test_dataloader = train_dataloader
test_cfg = dict(type='TestLoop')
test_evaluator = [dict(type='IoUMetric')]
"""
GRID = """
grid = [
    dict(method='plain', network='net', data='cats', seeds=[0, 1], leaves='configs/{method}'),
    dict(
        method='plain', network='net', data='cats', leaves='configs/{method}', variant='longer training',
        options=['segmentor.train_cfg.max_iters=8'], ground_truth='Masks picked max_iters.',
    ),
    dict(method='other', network='net', data='dogs', leaves=['configs/plain/cam.py', 'configs/other/segmentor.py']),
]
peers = [dict(method='Them', network='Huge', data='cats', rung='masks', mIoU=84.35, images=2, source='their masks')]
"""


@DATASETS.register_module(force=True)
class ZooImages(BaseDataset):
    """Images of a list, with masks."""

    METAINFO = dict(classes=('background', 'cat'))

    def load_data_list(self):
        return [dict(img_path='data/a.png', seg_map_path='data/a.png') for _ in Path(self.ann_file).read_text().split()]


class FakeRunner:
    """Does what tools/train.py and tools/test.py would; figures follow the seed.

    Attributes:
        commands (list): Tool and folder of the stage of each command.
        failing (set): Folders of stages whose commands fail.
    """

    def __init__(self):
        self.commands, self.failing = [], set()

    def __call__(self, command, log_file, on_line, keep_open=()):
        tool, work_dir = Path(command[1]).stem, log_file.parent
        self.commands.append(f'{tool} {work_dir}')
        log_file.write_text('what went wrong\n')
        if str(work_dir) in self.failing:
            return 3
        seed = next((int(word[-1]) for word in command if word.startswith('randomness.seed=')), 0)
        (work_dir / 'memory.json').write_text(json.dumps(dict(train=dict(process=100 + seed, worker=9, gpu=0))))
        if tool == 'train':
            torch.save(dict(weight=torch.tensor(seed)), work_dir / 'final.pth')
            (work_dir / 'training.json').write_text('{}')
        else:
            figures = {'cam/mIoU': 50.0 + seed, 'cam/mIoU_best': 60.0 + seed}
            (work_dir / 'metrics.json').write_text(json.dumps(figures if work_dir.name == 'cam' else {'mIoU': 70.0}))
        return 0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder like a clone, with configs, a grid and data; it is the current one."""
    monkeypatch.chdir(tmp_path)
    for method, stages in (('plain', ('cam', 'segmentor')), ('other', ('segmentor',))):
        for stage in stages:
            path = tmp_path / 'configs' / method / f'{stage}.py'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(LEAF.format(method=method, stage=stage))
    (tmp_path / 'grid.py').write_text(GRID)
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data/cam.txt').write_text('a\na\n')
    (tmp_path / 'data/segmentor.txt').write_text('a\n')
    cv2.imwrite('data/a.png', np.zeros((4, 4, 3), np.uint8))
    monkeypatch.setattr('mmwsss.zoo.grid.write_report', lambda *arguments: None)
    return tmp_path


@pytest.fixture
def runner():
    return FakeRunner()


@pytest.fixture
def run_of(runner):
    """``run_of(grid)``: its run in `runs`, whose commands are fake."""
    make = partial(Pipeline, runner=runner)
    return lambda grid: GridRun(grid, 'runs', 'results.csv', Launcher(Path('tools')), make_pipeline=make)
