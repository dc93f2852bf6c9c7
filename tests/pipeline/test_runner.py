"""The logic of a pipeline, on steps whose commands are replaced by a function that writes their files."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mmwsss.fileio import DataError, is_whole
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.results import format_table
from mmwsss.pipeline.runner import RESULTS_FILE, Pipeline, StepFailed

IDS = ['a', 'folder/b', 'c']
PIPELINE = """
settings = 'settings.py'
steps = [
    dict(name='seed_train', config='seed_train.py', run='train'),
    dict(name='seed_infer', config='seed_infer.py', run='test', checkpoint='seed_train',
         outputs=dict(seeds='{seed_dir}/{id}.npz')),
    dict(name='segmentor', config='segmentor.py', run='train+test'),
]
results = dict(cam=('seed_infer', 'cam/mIoU'), segmentor=('segmentor', 'mIoU'))
"""
SETTINGS = """
work_dir = {work_dir!r}
data_root = {root!r}
train_list = 'train.txt'
classes = ['background', 'cat']
seed_dir = f'{{work_dir}}/elsewhere'
seed_iters = 5
segmentor_iters = 7
"""
STEP = "_base_ = ['{{{{$MMWSSS_SETTINGS:./settings.py}}}}']\nvalue = {value}\nann_file = 'train.txt'\n"


class FakeTools:
    """Does what tools/train.py and tools/test.py would, and keeps the commands."""

    def __init__(self, pipeline_file):
        self.pipeline_file = pipeline_file
        self.commands = []
        self.failing, self.failing_tool = None, None
        self.lazy = False
        self.skipped = []
        self.skip_bad = False

    def __call__(self, command, log_file, on_line, keep_open=()):
        tool, work_dir = Path(command[1]).stem, Path(command[command.index('--work-dir') + 1])
        step = work_dir.name
        self.commands.append(f'{tool} {step}' + (' --resume' if '--resume' in command else ''))
        log_file.write_text('line of the log\n')
        on_line('Iter(train) [1/4]  eta: 0:00:03')
        if tool == 'train':
            torch.save({}, work_dir / 'iter_1.pth')
            (work_dir / 'training.json').write_text('{}')
        if step == 'seed_infer' and '--skip-bad' in command:
            listed = [dict(image_id=image_id, reason='damaged') for image_id in self.skipped]
            (work_dir / 'skipped.json').write_text(json.dumps(listed))
        if self.failing == step and self.failing_tool in (None, tool):
            log_file.write_text('what went wrong\n')
            return 3
        if tool == 'test':
            assert Path(command[3]).is_file()
            (work_dir / 'metrics.json').write_text(json.dumps({'mIoU': 70.0, 'cam/mIoU': 50.0}))
        if step == 'seed_infer' and not self.lazy:
            for image_id in sorted({*IDS}.difference(self.skipped)):
                seed = work_dir.parent / 'seeds' / f'{image_id}.npz'
                seed.parent.mkdir(parents=True, exist_ok=True)
                np.savez_compressed(seed, size=[1, 1])
        return 0

    def pipeline(self, **overrides):
        return Pipeline(
            str(self.pipeline_file), Launcher(Path('tools')), overrides, runner=self, skip_bad=self.skip_bad
        )

    def run(self, first=None, only=None, **overrides):
        self.commands.clear()
        return self.pipeline(**overrides).run(first, only, output=lambda line: None)


@pytest.fixture
def tools(tmp_path):
    (tmp_path / 'pipeline.py').write_text(PIPELINE)
    settings = SETTINGS.format(work_dir=str(tmp_path / 'work'), root=str(tmp_path))
    (tmp_path / 'settings.py').write_text(settings)
    (tmp_path / 'train.txt').write_text('\n'.join(IDS) + '\n')
    for name, value in [
        ('seed_train', '{{_base_.seed_iters}}'),
        ('seed_infer', '1'),
        ('segmentor', '{{_base_.segmentor_iters}}'),
    ]:
        (tmp_path / f'{name}.py').write_text(STEP.format(value=value))
    return FakeTools(tmp_path / 'pipeline.py')


ALL = ['train seed_train', 'test seed_infer', 'train segmentor', 'test segmentor']


def test_runs_all_steps_and_collects_results(tools, tmp_path):
    results = tools.run()
    assert tools.commands == ALL
    assert results['ladder'] == {'cam': 50.0, 'segmentor': 70.0}
    assert set(results['seconds']) == {'seed_train', 'seed_infer', 'segmentor', 'total'}
    assert results['settings']['num_labels'] == 1
    assert json.loads((tmp_path / 'work' / RESULTS_FILE).read_text())['ladder'] == results['ladder']
    assert 'segmentor' in format_table(results, tools.pipeline().results)


def test_finished_steps_are_skipped(tools):
    first = tools.run()
    assert tools.run()['ladder'] == first['ladder']
    assert tools.commands == []


def test_a_changed_setting_reruns_the_steps_that_use_it(tools):
    tools.run()
    tools.run(segmentor_iters=8)
    assert tools.commands == ['train segmentor', 'test segmentor']
    tools.run(segmentor_iters=8, seed_iters=6)
    assert tools.commands == ALL


def test_a_changed_list_reruns_the_steps(tools, tmp_path):
    tools.run()
    (tmp_path / 'train.txt').write_text('a\nc\n')
    tools.run()
    assert tools.commands == ALL


def test_a_missing_output_reruns_its_step_and_those_after_it(tools, tmp_path):
    tools.run()
    (tmp_path / 'work' / 'seeds' / 'folder' / 'b.npz').unlink()
    tools.run()
    assert tools.commands == ALL[1:]


SUFFIXES = ('.json', '.npz', '.pth', '.py')


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    'name, commands',
    [
        ('seed_train/iter_1.pth', ['train seed_train --resume', *ALL[1:]]),
        ('seed_train/training.json', ['train seed_train --resume', *ALL[1:]]),
        ('seed_train/step.json', ALL),
        ('seed_infer/step.json', ALL[1:]),
        ('seed_infer/metrics.json', ALL[1:]),
        ('seeds/folder/b.npz', ALL[1:]),
        ('segmentor/iter_1.pth', ['train segmentor --resume', 'test segmentor']),
        ('segmentor/metrics.json', ['test segmentor']),
        ('segmentor/memory.json', ['test segmentor']),
        ('results.json', []),
        ('settings.py', []),
    ],
)
def test_what_a_loss_of_power_cut_off_is_made_again(tools, tmp_path, name, commands):
    first = tools.run()
    (tmp_path / 'work/segmentor/memory.json').write_text('{"train": {}}')
    cut(tmp_path / 'work' / name)
    assert tools.run()['ladder'] == first['ladder']
    assert tools.commands == commands
    tools.run()
    assert tools.commands == []
    assert all(is_whole(path) for path in (tmp_path / 'work').rglob('*') if path.suffix in SUFFIXES)


@pytest.mark.parametrize('cut_off', ['iter_1.pth', 'training.json'])
def test_a_training_cut_off_after_its_end_is_resumed(tools, tmp_path, cut_off):
    tools.failing = 'segmentor'
    tools.failing_tool = 'test'
    with pytest.raises(StepFailed):
        tools.run()
    cut(tmp_path / 'work/segmentor' / cut_off)
    tools.failing = None
    tools.run()
    assert tools.commands == ['train segmentor --resume', 'test segmentor']
    assert tools.pipeline().folders['segmentor'].record()['finished'] == ['train', 'test']


@pytest.mark.parametrize('remains', [[], ['.step.json.x1.part'], ['step.json', 'iter_1.pth']])
def test_killed_while_a_step_is_cleared_or_begun(tools, tmp_path, remains):
    tools.run()
    folder = tmp_path / 'work/seed_train'
    for path in folder.iterdir():
        if path.name not in remains:
            path.unlink()
    for name in remains:
        (folder / name).touch()
    (tmp_path / 'work/seeds/folder/.b.npz.x1.part').touch()
    tools.run(seed_iters=6)
    assert tools.commands == ALL
    assert not list((tmp_path / 'work').rglob('*.part'))


def test_a_step_that_failed_is_resumed(tools):
    tools.failing = 'segmentor'
    with pytest.raises(StepFailed, match='what went wrong') as failure:
        tools.run()
    assert failure.value.code == 3
    tools.failing = None
    tools.run()
    assert tools.commands == ['train segmentor --resume', 'test segmentor']


def test_a_finished_training_is_not_repeated_for_its_test(tools, monkeypatch):
    tools.run()
    folder = tools.pipeline().folders['segmentor']
    (folder.path / 'metrics.json').unlink()
    tools.run()
    assert tools.commands == ['test segmentor']


def test_a_changed_step_that_was_cut_off_begins_afresh(tools, tmp_path):
    tools.failing = 'segmentor'
    with pytest.raises(StepFailed):
        tools.run()
    tools.failing = None
    tools.run(segmentor_iters=9)
    assert tools.commands == ['train segmentor', 'test segmentor']


def test_stale_outputs_are_removed_and_strangers_kept(tools, tmp_path):
    tools.run()
    stranger = tmp_path / 'work' / 'seeds' / 'stranger.npz'
    stranger.write_bytes(b'')
    tools.failing = 'seed_train'
    with pytest.raises(StepFailed):
        tools.run(seed_iters=6)
    tools.failing, tools.lazy = None, True
    with pytest.raises(StepFailed, match='without writing 3 of its files'):
        tools.run(seed_iters=6)
    assert stranger.exists()


def test_folder_of_something_else_is_left_alone(tools, tmp_path):
    (tmp_path / 'work' / 'seed_train').mkdir(parents=True)
    (tmp_path / 'work' / 'seed_train' / 'notes.txt').write_text('mine')
    with pytest.raises(DataError, match='seed_train'):
        tools.run()


def test_from_reruns_the_rest(tools):
    tools.run()
    tools.run(first='seed_infer')
    assert tools.commands == ALL[1:]


def test_only_reruns_one_step_and_outdates_those_after_it(tools):
    tools.run()
    results = tools.run(only='seed_infer')
    assert tools.commands == ['test seed_infer']
    assert results['ladder'] == {'cam': 50.0, 'segmentor': None}
    tools.run()
    assert tools.commands == ['train segmentor', 'test segmentor']


def test_from_asks_for_the_steps_before(tools):
    with pytest.raises(DataError, match='seed_train before it is not done'):
        tools.run(first='seed_infer')
    with pytest.raises(DataError, match="--only: 'nothing' is no step"):
        tools.run(only='nothing')


def test_describe_prints_commands_and_writes_nothing(tools, tmp_path):
    text = tools.pipeline().describe()
    assert text.count('to run') == 3
    assert f'--work-dir {tmp_path}/work/seed_infer' in text and 'tools/test.py' in text
    assert not (tmp_path / 'work').exists()
    tools.run()
    assert tools.pipeline().describe() == 'seed_train: done\nseed_infer: done\nsegmentor: done'


def test_one_run_at_a_time(tools, tmp_path, monkeypatch):
    monkeypatch.setattr('mmwsss.pipeline.runner.LOCK_SECONDS', 0)
    pipeline = tools.pipeline()
    with pipeline._locked(), pytest.raises(DataError, match='another run'):
        tools.run()


def test_several_processes_are_started_by_torch(tools):
    launcher = Launcher(Path('tools'), gpus=2)
    command = Pipeline(str(tools.pipeline_file), launcher).phase_command(tools.pipeline().steps[0], 'train')
    assert command[1:3] == ['-m', 'torch.distributed.run']
    assert command[-2:] == ['--launcher', 'pytorch']
    with pytest.raises(DataError, match='--gpus'):
        Launcher(Path('tools'), gpus=0)


@pytest.mark.parametrize(
    'before, after, message',
    [
        ("run='train')", "run='fly')", 'run must be one of'),
        ("checkpoint='seed_train'", "checkpoint='segmentor'", "expected a step before it, got 'segmentor'"),
        (", checkpoint='seed_train'", '', 'checkpoint must name a step'),
        ("name='segmentor', config", "name='seed_train', config", 'the name is there twice'),
        ("name='seed_train', config", "name='seed_train', colour=1, config", 'colour'),
        ('{seed_dir}/{id}', '{nowhere}/{id}', 'nowhere'),
        ('{seed_dir}/{id}', '{seed_dir}/all', 'must hold {id}'),
        ("('segmentor', 'mIoU')", "('nothing', 'mIoU')", "results.segmentor: 'nothing' is no step"),
        ("settings = 'settings.py'", '', "must have 'settings'"),
        ("settings = 'settings.py'", "settings = 'absent.py'", 'absent.py'),
    ],
)
def test_wrong_pipeline_configs_are_refused(tools, before, after, message):
    assert before in PIPELINE
    tools.pipeline_file.write_text(PIPELINE.replace(before, after))
    with pytest.raises(DataError, match=message):
        tools.pipeline()


@pytest.mark.parametrize('content, message', [('', 'got none'), ('a\na\n', 'twice: a')])
def test_wrong_lists_are_refused(tools, tmp_path, content, message):
    (tmp_path / 'train.txt').write_text(content)
    with pytest.raises(DataError, match=message):
        tools.pipeline()
    (tmp_path / 'train.txt').unlink()
    with pytest.raises(DataError, match=r'train\.txt.*no such file'):
        tools.pipeline()


def test_what_a_step_skipped_is_counted_and_not_asked_for(tools, tmp_path):
    tools.skipped = ['c']
    with pytest.raises(StepFailed, match=r'without writing 1 of its files, such as .*c\.npz'):
        tools.run()
    tools.skip_bad = True
    results = tools.run()
    assert tools.commands == ALL[1:]
    assert results['skipped'] == {'seed_infer': 1}
    tools.run()
    assert tools.commands == []


def test_without_the_flag_a_skipped_photograph_is_not_forgotten(tools):
    tools.skipped, tools.skip_bad = ['c'], True
    tools.run()
    tools.skipped, tools.skip_bad = [], False
    tools.run()
    assert tools.commands == ALL[1:]


def test_a_list_of_skipped_photographs_that_is_cut_off_is_made_again(tools, tmp_path):
    tools.skipped, tools.skip_bad = ['c'], True
    tools.run()
    cut(tmp_path / 'work/seed_infer/skipped.json')
    assert tools.run()['skipped'] == {'seed_infer': 1}
    assert tools.commands == ALL[1:]
