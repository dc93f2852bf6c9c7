"""Three tiny stages whose commands are replaced by a function that writes their files."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset

from mmwsss.evaluation.metrics.streaming_metric import StreamingMetric
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.runner import Pipeline
from mmwsss.registry import DATASETS, METRICS

IDS = ['a', 'folder/b', 'c']
HOOKS = "default_hooks = dict(final_checkpoint=dict(type='mmwsss.FinalCheckpointHook'))\ndefault_scope = 'mmseg'\n"
LEAVES = dict(
    cam="""
data_root = 'data'
work_dir = 'work/run/cam'
model = dict(type='Model', head=dict(width=1), test_cfg=dict(scales=(1.0,)))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=4)
optim_wrapper = dict(lr=0.1)
train_dataloader = dict(num_workers=2, dataset=dict(type='mmwsss.PipelineImages', ann_file='data/train.txt'))
test_dataloader = train_dataloader
test_cfg = dict(type='mmwsss.LabelLoop', num_workers=1, chains=dict(dcrf=dict(refiners=[dict(score=0.2)])))
test_evaluator = [dict(type='mmwsss.WritesSeeds', output_dir='seeds')]
""",
    affinity="""
data_root = 'data'
work_dir = 'work/run/affinity'
model = dict(type='Model', init_cfg=dict(type='Pretrained', checkpoint='work/run/cam/final.pth'))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=4)
train_dataloader = dict(dataset=dict(type='mmwsss.PipelineImages', ann_file='data/train.txt'))
test_dataloader = dict(
    dataset=dict(type='mmwsss.PipelineImages', ann_file='data/train.txt', seed_dir='work/run/cam/seeds'))
test_cfg = dict(type='mmwsss.LabelLoop')
test_evaluator = [dict(type='mmwsss.WritesSeeds', output_dir='masks')]
""",
    segmentor="""
data_root = 'data'
work_dir = 'work/run/segmentor'
model = dict(type='Model')
train_cfg = dict(type='IterBasedTrainLoop', max_iters=4)
train_dataloader = dict(
    dataset=dict(type='mmwsss.PipelineImages', ann_file='data/train.txt', mask_dir='work/run/affinity/masks'))
test_dataloader = dict(dataset=dict(type='mmwsss.PipelineImages', ann_file='data/train.txt'))
test_cfg = dict(type='TestLoop')
test_evaluator = [dict(type='SegmentorMetric')]
""",
)


@DATASETS.register_module(force=True)
class PipelineImages(BaseDataset):
    """Images of a list."""

    METAINFO = dict(classes=('background', 'cat'), palette=[[0, 0, 0], [1, 1, 1]])

    def __init__(self, *args, seed_dir=None, mask_dir=None, **kwargs):
        super().__init__(*args, **kwargs)

    def load_data_list(self):
        ids = Path(self.ann_file).read_text().split()
        return [dict(image_id=one, img_path=f'data/{one}.png') for one in ids]


@METRICS.register_module(force=True)
class WritesSeeds(StreamingMetric):
    file_suffix = '.npz'


METRICS_OF = dict(
    cam={'cam/mIoU': 50.0, 'cam/mIoU_best': 52.0}, affinity={'random_walk/mIoU': 60.0}, segmentor={'mIoU': 70.0}
)
OUTPUT_OF = dict(cam='seeds', affinity='masks')


class FakeTools:
    """Does what tools/train.py and tools/test.py would, and keeps the commands.

    Attributes:
        changing (set): Stages whose results differ each time, as `stage` (weights) or `stage test` (outputs).
    """

    def __init__(self, folder):
        self.leaves = [str(folder / f'{name}.py') for name in LEAVES]
        self.commands, self.lines, self.flags = [], [], []
        self.failing, self.failing_tool = None, None
        self.lazy, self.skip_bad = False, False
        self.skipped, self.changing, self.go_on = [], set(), False
        # What stages note without masks, by stage.
        self.statistics = {}
        self.runs = 0
        self.options, self.run_dir, self.data_root = [], None, None

    def __call__(self, command, log_file, on_line, keep_open=()):
        tool, leaf = Path(command[1]).stem, command[2]
        stage = Path(leaf).stem
        work_dir = Path(self.run_dir or 'work/run') / stage
        self.commands.append(f'{tool} {stage}' + (' --resume' if '--resume' in command else ''))
        self.flags.append(command)
        self.runs += 1
        log_file.write_text('line of the log\n')
        on_line('Iter(train) [1/4]')
        if tool == 'train':
            weights = dict(weight=torch.tensor(self.runs if stage in self.changing else 0))
            torch.save(weights, work_dir / 'iter_4.pth')
        if self.failing == stage and self.failing_tool in (None, tool):
            log_file.write_text('what went wrong\n')
            return 3
        if tool == 'train':
            torch.save(weights, work_dir / 'final.pth')
            (work_dir / 'training.json').write_text('{"val/mIoU": 1.0}')
            return 0
        assert Path(command[3]).is_file()
        if stage == 'cam' and '--skip-bad' in command:
            listed = [dict(image_id=image_id, reason='damaged') for image_id in self.skipped]
            (work_dir / 'skipped.json').write_text(json.dumps(listed))
        (work_dir / 'test_statistics.json').write_text(json.dumps(self.statistics.get(stage, {})))
        (work_dir / 'metrics.json').write_text(json.dumps(METRICS_OF[stage]))
        if stage in OUTPUT_OF and not self.lazy:
            for image_id in sorted({*IDS}.difference(self.skipped)):
                file = work_dir / OUTPUT_OF[stage] / f'{image_id}.npz'
                file.parent.mkdir(parents=True, exist_ok=True)
                np.savez_compressed(file, size=[self.runs if f'{stage} test' in self.changing else 0])
        return 0

    def pipeline(self, places=None, options=None):
        return Pipeline(
            places or self.leaves,
            Launcher(Path('tools')),
            self.options if options is None else options,
            self.data_root,
            self.run_dir,
            runner=self,
            skip_bad=self.skip_bad,
            go_on=self.go_on,
        )

    def run(self, *options, first=None, only=None):
        self.commands.clear()
        self.lines.clear()
        return self.pipeline(options=list(options)).run(first, only, output=self.lines.append)


@pytest.fixture
def write_leaf(tmp_path):
    """``write_leaf(name, before, after)`` writes a leaf with some text of it replaced."""

    def write(name, before='', after=''):
        text = LEAVES[name]
        assert before in text
        path = tmp_path / f'{name}.py'
        path.write_text(HOOKS + text.replace(before, after))
        return str(path)

    return write


@pytest.fixture
def tools(tmp_path, monkeypatch, write_leaf):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'data/folder').mkdir(parents=True)
    (tmp_path / 'data/train.txt').write_text('\n'.join(IDS) + '\n')
    for image_id in IDS:
        cv2.imwrite(str(tmp_path / f'data/{image_id}.png'), np.zeros((4, 4, 3), np.uint8))
    for name in LEAVES:
        write_leaf(name)
    return FakeTools(tmp_path)
