"""The logic of a pipeline, on stages whose commands are replaced by a function that writes their files."""

import json
from pathlib import Path

import pytest

from mmwsss.fileio import DataError, is_whole
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.lock import locked
from mmwsss.pipeline.results import format_table
from mmwsss.pipeline.runner import LOOK_AT_FILE, RESULTS_FILE, LabelsRefused, Pipeline, StageFailed

RUN = Path('work/run')
ALL = ['train cam', 'test cam', 'train affinity', 'test affinity', 'train segmentor', 'test segmentor']


def test_runs_all_stages_and_collects_results(tools):
    results = tools.run()
    assert tools.commands == ALL
    assert results['ladder'] == {'cam': 50.0, 'cam_best': 52.0, 'random_walk': 60.0, 'segmentor': 70.0}
    assert results['picked_with_masks'] == ['cam_best']
    assert set(results['seconds']) == {'cam', 'affinity', 'segmentor', 'total'}
    assert results['settings']['leaves']['cam'].endswith('cam.py') and results['settings']['options'] == {}
    assert results['counts']['images'] == 3
    assert results['metrics']['segmentor'] == {'val/mIoU': 1.0, 'mIoU': 70.0}
    assert json.loads((RUN / RESULTS_FILE).read_text())['ladder'] == results['ladder']
    assert 'segmentor' in format_table(results)
    assert tools.lines[0].startswith('[1/3] cam: ') and 'cam 50.00, cam_best 52.00' in tools.lines[0]


def test_finished_stages_are_skipped(tools):
    first = tools.run()
    assert tools.run()['ladder'] == first['ladder']
    assert tools.commands == [] and tools.lines == [
        f'[{number}/3] {name}: done, nothing has changed'
        for number, name in enumerate(('cam', 'affinity', 'segmentor'), 1)
    ]


def test_a_changed_option_reruns_the_phases_that_use_it(tools):
    tools.run()
    tools.run('segmentor.train_cfg.max_iters=8')
    assert tools.commands == ALL[4:]
    tools.changing = {'cam', 'cam test', 'affinity test'}
    tools.run('segmentor.train_cfg.max_iters=8', 'cam.train_cfg.max_iters=6')
    assert tools.commands == ALL


def test_the_same_results_made_again_outdate_nothing(tools):
    tools.run()
    tools.run('cam.optim_wrapper.lr=0.2')
    assert tools.commands == ALL[:2]


@pytest.mark.parametrize('changes, commands', [((), ALL[1:2]), (('cam test', 'affinity test'), ['test cam', *ALL[3:]])])
def test_where_only_a_chain_changed_only_the_test_runs_again(tools, changes, commands):
    tools.run()
    tools.changing = set(changes)
    tools.run('cam.test_cfg.chains.dcrf.refiners.0.score=0.3')
    assert tools.commands == commands


@pytest.mark.parametrize(
    'option', ['cam.train_dataloader.num_workers=0', 'cam.log_level=ERROR', 'cam.test_cfg.num_workers=3']
)
def test_what_changes_no_result_runs_nothing(tools, option):
    tools.run()
    tools.run(option)
    assert tools.commands == []


def test_a_changed_list_reruns_the_stages(tools, tmp_path):
    tools.run()
    (tmp_path / 'data/train.txt').write_text('a\nc\n')
    tools.run()
    assert tools.commands == ALL


def test_a_missing_output_reruns_its_test_and_what_reads_it(tools):
    tools.run()
    tools.changing = {'cam test', 'affinity test'}
    (RUN / 'cam/seeds/folder/b.npz').unlink()
    tools.run()
    # The affinity model trains on nothing of the test of cam here, and is tested on it.
    assert tools.commands == ['test cam', *ALL[3:]]


SUFFIXES = ('.json', '.npz', '.pth', '.py')


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    'name, commands',
    [
        ('cam/final.pth', ['train cam --resume']),
        ('cam/training.json', ['train cam --resume']),
        ('cam/stage.json', ALL[:2]),
        ('cam/metrics.json', ['test cam']),
        ('cam/seeds/folder/b.npz', ['test cam']),
        ('segmentor/final.pth', ['train segmentor --resume']),
        ('segmentor/metrics.json', ['test segmentor']),
        ('segmentor/memory.json', ['test segmentor']),
        ('segmentor/recorded/images.json', ['test segmentor']),
        ('results.json', []),
    ],
)
def test_what_a_loss_of_power_cut_off_is_made_again(tools, name, commands):
    first = tools.run()
    (RUN / 'segmentor/memory.json').write_text('{"train": {}}')
    (RUN / 'segmentor/recorded').mkdir()
    (RUN / 'segmentor/recorded/images.json').write_text('{"mIoU": {}}')
    cut(RUN / name)
    assert tools.run()['ladder'] == first['ladder']
    assert tools.commands == commands
    tools.run()
    assert tools.commands == []
    assert all(is_whole(path) for path in RUN.rglob('*') if path.suffix in SUFFIXES)


@pytest.mark.parametrize('cut_off', ['final.pth', 'training.json'])
def test_a_training_cut_off_after_its_end_is_resumed(tools, cut_off):
    tools.failing = 'segmentor'
    tools.failing_tool = 'test'
    with pytest.raises(StageFailed):
        tools.run()
    cut(RUN / 'segmentor' / cut_off)
    tools.failing = None
    tools.run()
    assert tools.commands == ['train segmentor --resume', 'test segmentor']
    assert tools.pipeline().folders['segmentor'].is_finished()


@pytest.mark.parametrize('remains', [[], ['.stage.json.x1.part'], ['stage.json', 'iter_1.pth']])
def test_killed_while_a_stage_is_cleared_or_begun(tools, remains):
    tools.run()
    folder = RUN / 'cam'
    for path in folder.iterdir():
        if path.name not in remains and path.is_file():
            path.unlink()
    if not remains or remains[0].startswith('.'):
        for path in sorted(folder.rglob('*'), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    for name in remains:
        (folder / name).touch()
    if (folder / 'seeds').is_dir():
        (folder / 'seeds/folder/.b.npz.x1.part').touch()
    tools.changing = {'cam', 'cam test', 'affinity test'}
    tools.run('cam.train_cfg.max_iters=6')
    assert tools.commands == ALL
    assert not list(RUN.rglob('*.part'))


def test_half_written_outputs_are_removed_before_a_test(tools):
    tools.run()
    (RUN / 'cam/seeds/folder/.b.npz.x1.part').touch()
    tools.run('cam.test_cfg.chains.dcrf.refiners.0.score=0.3')
    assert not list(RUN.rglob('*.part'))


def test_a_stage_that_failed_is_resumed(tools):
    tools.failing = 'segmentor'
    with pytest.raises(StageFailed, match='what went wrong') as failure:
        tools.run()
    assert failure.value.code == 3
    tools.failing = None
    tools.run()
    assert tools.commands == ['train segmentor --resume', 'test segmentor']


def test_a_test_that_failed_is_run_again_without_the_training(tools):
    tools.failing, tools.failing_tool = 'cam', 'test'
    with pytest.raises(StageFailed):
        tools.run()
    tools.failing = None
    tools.run()
    assert tools.commands == ALL[1:]


def test_a_changed_stage_that_was_cut_off_begins_afresh(tools):
    tools.failing = 'segmentor'
    with pytest.raises(StageFailed):
        tools.run()
    tools.failing = None
    tools.run('segmentor.train_cfg.max_iters=9')
    assert tools.commands == ALL[4:]


def test_stale_outputs_are_removed_and_strangers_kept(tools):
    tools.run()
    stranger = RUN / 'cam/seeds/stranger.npz'
    stranger.write_bytes(b'')
    tools.lazy = True
    with pytest.raises(StageFailed, match='without writing 3 of its files'):
        tools.run('cam.test_cfg.chains.dcrf.refiners.0.score=0.3')
    assert stranger.exists() and not (RUN / 'cam/seeds/a.npz').exists()


def test_outputs_elsewhere_are_removed_where_the_training_changes(tools, tmp_path):
    elsewhere = tmp_path / 'elsewhere'
    option = f'cam.test_evaluator.0.output_dir={elsewhere}'
    with pytest.raises(DataError, match='affinity: reads work/run/cam/seeds, which cam does not write'):
        tools.pipeline(options=[option])
    tools.leaves = tools.leaves[:1]
    with pytest.raises(StageFailed, match='without writing 3 of its files'):
        tools.run(option)
    for name in ('a', 'stranger'):
        elsewhere.mkdir(exist_ok=True)
        (elsewhere / f'{name}.npz').touch()
    with pytest.raises(StageFailed):
        tools.run(option, 'cam.train_cfg.max_iters=6')
    assert [path.name for path in elsewhere.iterdir()] == ['stranger.npz']


def test_folder_of_something_else_is_left_alone(tools):
    (RUN / 'cam').mkdir(parents=True)
    (RUN / 'cam/notes.txt').write_text('mine')
    with pytest.raises(DataError, match='run/cam: expected a folder that a pipeline made.*--run-dir'):
        tools.run()
    assert (RUN / 'cam/notes.txt').read_text() == 'mine'


def test_from_reruns_the_rest(tools):
    tools.run()
    tools.run(first='affinity')
    assert tools.commands == ALL[2:]


def test_only_reruns_one_stage_and_outdates_those_that_read_it(tools):
    tools.run()
    tools.changing = {'affinity', 'affinity test'}
    results = tools.run(only='affinity')
    assert tools.commands == ALL[2:4]
    assert results['ladder'] == {'cam': 50.0, 'cam_best': 52.0, 'random_walk': 60.0}
    tools.run()
    assert tools.commands == ALL[4:]


def test_from_asks_for_the_stages_before(tools):
    with pytest.raises(DataError, match='stage affinity: stage cam before it is not done'):
        tools.run(first='affinity')
    with pytest.raises(DataError, match='stage segmentor: stage affinity before it is not done'):
        tools.run(only='segmentor')
    with pytest.raises(DataError, match="--only: 'nothing' is no stage"):
        tools.run(only='nothing')


def test_weights_are_asked_for_by_the_stages_that_run(tools, write_leaf):
    weights = "model = dict(type='Model', backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='absent.pth')))"
    write_leaf('segmentor', "model = dict(type='Model')", weights)
    tools.run(only='cam')
    assert tools.commands == ALL[:2]
    with pytest.raises(DataError, match=r'absent\.pth: expected the weights that segmentor starts from'):
        tools.run()
    assert tools.commands == []


def test_describe_prints_commands_and_writes_nothing(tools):
    text = tools.pipeline(options=['cam.train_cfg.max_iters=6', 'cam.x=[1,2]'][:1]).describe()
    assert text.count('to run') == 3
    assert f'  python tools/train.py {"cam.py"} --cfg-options train_cfg.max_iters=6\n' in text
    assert '  python tools/test.py affinity.py work/run/affinity/final.pth\n' in text
    assert not Path('work').exists()
    tools.run()
    assert tools.pipeline().describe() == 'cam: done\naffinity: done\nsegmentor: done'


def test_describe_shows_what_depends_on_what_runs_again(tools):
    tools.run()
    text = tools.pipeline(options=['cam.test_cfg.chains.dcrf.refiners.0.score=0.3']).describe()
    assert [line.split()[:2] for line in text.splitlines() if line.startswith(' ')] == [
        ['python', 'tools/test.py'],
        ['python', 'tools/test.py'],
        ['python', 'tools/train.py'],
        ['python', 'tools/test.py'],
    ]


def test_folders_are_moved_in_every_command(tools, tmp_path):
    tools.run_dir = str(tmp_path / 'other')
    tools.data_root = str(tmp_path / 'data')
    tools.run()
    assert tools.commands == ALL and (tmp_path / 'other' / RESULTS_FILE).is_file() and not Path('work').exists()
    flags = ['--data-root', tools.data_root, '--run-dir', tools.run_dir]
    assert all(command[-4:] == flags for command in tools.flags)


def test_results_of_combined_methods_lie_with_the_last_stage(tools, write_leaf):
    write_leaf('cam', "work_dir = 'work/run/cam'", "work_dir = 'work/other/cam'")
    pipeline = tools.pipeline()
    assert pipeline.run_folder == Path('work').resolve() and pipeline.results_folder.resolve() == RUN.resolve()


def test_a_run_that_was_moved_is_still_done(tools):
    tools.run()
    Path('work').rename('moved')
    tools.run_dir = 'moved/run'
    tools.run()
    assert tools.commands == []


def test_one_run_at_a_time(tools, monkeypatch):
    monkeypatch.setattr('mmwsss.pipeline.lock.LOCK_SECONDS', 0)
    with locked(RUN), pytest.raises(DataError, match='another run'):
        tools.run()


def test_several_processes_are_started_by_torch(tools):
    launcher = Launcher(Path('tools'), gpus=2)
    pipeline = Pipeline(tools.leaves, launcher)
    command = pipeline.phase_command(pipeline.stages[0], 'train')
    assert command[1:3] == ['-m', 'torch.distributed.run']
    assert command[-2:] == ['--launcher', 'pytorch']
    with pytest.raises(DataError, match='--gpus'):
        Launcher(Path('tools'), gpus=0)


def test_options_are_passed_on_as_they_were_given(tools):
    pipeline = tools.pipeline(options=['cam.train_cfg.milestones=[1,2]', "cam.model.head.name='a b'"])
    command = pipeline.phase_command(pipeline.stages[0], 'train')
    assert command[-3:] == ['--cfg-options', 'train_cfg.milestones=[1,2]', "model.head.name='a b'"]


def test_a_stage_that_trains_nothing_is_tested_with_what_its_config_says(tools, write_leaf):
    write_leaf('affinity', "train_cfg = dict(type='IterBasedTrainLoop', max_iters=4)", 'train_cfg = None')
    pipeline = tools.pipeline()
    assert pipeline.stages[1].phases == ('test',)
    assert pipeline.phase_command(pipeline.stages[1], 'test')[-1] == tools.leaves[1]


def test_without_masks_the_segmentor_only_trains(tools, write_leaf):
    write_leaf('segmentor', "test_cfg = dict(type='TestLoop')", 'test_cfg = None')
    results = tools.run()
    assert tools.commands == ALL[:-1] and 'segmentor' not in results['ladder']
    tools.run()
    assert tools.commands == []


def test_what_a_stage_skipped_is_counted_and_not_asked_for(tools):
    tools.skipped = ['c']
    with pytest.raises(StageFailed, match=r'without writing 1 of its files, such as .*c\.npz'):
        tools.run()
    tools.skip_bad = True
    with pytest.raises(StageFailed, match=r'stage affinity ended without writing 1 of its files'):
        # The affinity model does not list what it leaves out here.
        tools.run()
    assert tools.commands == ALL[1:4]
    assert tools.pipeline().summarize()['skipped'] == {'cam': 1}


def test_without_the_flag_a_skipped_image_is_not_forgotten(tools):
    tools.leaves = tools.leaves[:1]
    tools.skipped, tools.skip_bad = ['c'], True
    tools.run()
    tools.run()
    assert tools.commands == []
    tools.skipped, tools.skip_bad = [], False
    tools.run()
    assert tools.commands == ALL[1:2]


def test_a_list_of_skipped_images_that_is_cut_off_is_made_again(tools):
    tools.leaves = tools.leaves[:1]
    tools.skipped, tools.skip_bad = ['c'], True
    tools.run()
    cut(RUN / 'cam/skipped.json')
    assert tools.run()['skipped'] == {'cam': 1}
    assert tools.commands == ALL[1:2]


def test_results_say_what_made_them(tools, monkeypatch):
    state = dict(version='0.1.0', commit='abc', changed=True)
    monkeypatch.setattr('mmwsss.pipeline.runner.code_state', lambda: state)
    tools.failing, tools.failing_tool = 'segmentor', 'train'
    with pytest.raises(StageFailed):
        tools.run()
    (RUN / 'cam/memory.json').write_text('{"train": {"process": 9, "worker": 0, "gpu": 0}}')
    monkeypatch.setattr('mmwsss.pipeline.runner.code_state', lambda: {**state, 'commit': 'def'})
    tools.failing = None
    results = tools.run()
    commits = {
        stage: {phase: [maker['commit'] for maker in makers] for phase, makers in phases.items()}
        for stage, phases in results['made_by'].items()
    }
    # The training of the segmentor went on with other code.
    assert commits == dict(
        cam=dict(train=['abc'], test=['abc']),
        affinity=dict(train=['abc'], test=['abc']),
        segmentor=dict(train=['abc', 'def'], test=['def']),
    )
    assert set(results['made_by']['cam']['train'][0]) == {'version', 'commit', 'changed', 'device', 'cores', 'threads'}
    assert results['memory_mb'] == dict(cam=dict(train=dict(process=9, worker=0, gpu=0)), affinity={}, segmentor={})
    assert results['measured_on']['cam'] == dict(list='data/train.txt', images=0)


def test_results_have_the_command(tools):
    pipeline = tools.pipeline(options=['cam.optim_wrapper.lr=0.2'])
    here = f'{Path.cwd()}/'
    leaves = ' '.join(leaf.removeprefix(here) for leaf in tools.leaves)
    assert pipeline.command() == f'python tools/pipeline.py {leaves} --cfg-options cam.optim_wrapper.lr=0.2'
    tools.leaves, tools.run_dir, tools.data_root, tools.skip_bad = tools.leaves[:1], 'runs/a b', 'data', True
    pipeline = tools.pipeline()
    pipeline.launcher = Launcher(Path('tools'), 'slurm', 2)
    assert pipeline.command() == (
        "python tools/pipeline.py cam.py --data-root data --run-dir 'runs/a b' --launcher slurm --gpus 2 --skip-bad"
    )


def labels(empty, written='masks', named=None):
    classes = dict(cat=dict(share=1.0, tagged=3, found=3 - empty, both=3 - empty))
    counts = dict(images=3, labeled=3, empty=empty, full=0, background=90.0, confident=100.0)
    return dict(kind='labels', written=written, classes=classes, named=named or {}, agreement={}, **counts)


def test_labels_that_are_all_background_stop_the_pipeline(tools):
    tools.statistics = dict(affinity=dict(walk=labels(empty=3)))
    with pytest.raises(LabelsRefused) as refused:
        tools.run()
    assert tools.commands == ALL[:4] and refused.value.code == 1
    message = str(refused.value)
    assert message.startswith('stopped before segmentor: 3 of 3 are empty in work/run/affinity/masks')
    assert 'lower the background score' in message and message.endswith('--go-on') and '\n' not in message
    written = json.loads((RUN / RESULTS_FILE).read_text())
    assert written == json.loads(json.dumps(refused.value.results))
    assert written['verdict']['line'].startswith('the masks are nearly all background: 3 of 3 are empty')
    with pytest.raises(LabelsRefused):
        tools.run()
    assert tools.commands == []


def test_with_the_flag_the_pipeline_goes_on(tools):
    tools.statistics = dict(affinity=dict(walk=labels(empty=3)))
    tools.go_on = True
    assert tools.run()['verdict']['usable'] is False and tools.commands == ALL
    # What was trained on them once is not asked again.
    tools.go_on = False
    tools.run()
    assert tools.commands == []


@pytest.mark.parametrize('record', [labels(empty=2), labels(empty=3, written='others'), labels(empty=3, written=None)])
def test_labels_that_teach_something_or_are_not_read_stop_nothing(tools, record):
    tools.statistics = dict(affinity=dict(walk=record))
    tools.run()
    assert tools.commands == ALL


def test_the_cure_names_a_classifier_that_learnt_nothing(tools):
    classifier = dict(kind='classifier', images=9, mAP=31.0, guessed=30.0, classes={})
    tools.statistics = dict(cam=dict(multi_label=classifier), affinity=dict(walk=labels(empty=3)))
    with pytest.raises(LabelsRefused, match='the classifier of cam learnt nothing: lower its learning rate'):
        tools.run()


def test_images_to_look_at_are_listed_as_long_as_there_are_some(tools):
    tools.statistics = dict(affinity=dict(walk=labels(empty=1, named={'empty': ['folder/b']})))
    assert tools.run()['verdict']['line'] == 'look at 1 of 3 images'
    assert (RUN / LOOK_AT_FILE).read_text() == 'folder/b\tpseudo mask: empty\n'
    tools.statistics = {}
    tools.run(only='affinity')
    assert not (RUN / LOOK_AT_FILE).exists()


def test_a_test_that_begins_anew_forgets_what_it_noted(tools):
    tools.statistics = dict(affinity=dict(walk=labels(empty=3)))
    tools.go_on = True
    tools.run()
    tools.failing, tools.failing_tool = 'affinity', 'test'
    with pytest.raises(StageFailed):
        tools.run(only='affinity')
    assert not (RUN / 'affinity/test_statistics.json').exists()
