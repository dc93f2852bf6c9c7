import shutil
from pathlib import Path

import pytest

from mmwsss.evaluation import AffinityLabelMetric, PseudoMaskMetric, SeedMetric
from mmwsss.fileio import DataError
from mmwsss.pipeline.stages import build_stages, check_order, common_folder, find_leaves, is_below


def names(stages):
    return [stage.name for stage in stages]


@pytest.fixture
def leaves(tools):
    return tools.leaves


def test_a_folder_is_sorted_by_what_stages_read(leaves, tmp_path):
    folder = tmp_path / 'folder'
    folder.mkdir()
    for leaf, name in zip(leaves, ('z_cam', 'b_affinity', 'a_segmentor')):
        shutil.copy(leaf, folder / f'{name}.py')
    (folder / 'data.py').write_text("data_root = 'data'\n")
    stages = build_stages([str(folder)])
    assert names(stages) == ['z_cam', 'b_affinity', 'a_segmentor']


def test_a_given_order_is_kept_or_refused(leaves):
    cam, affinity, segmentor = leaves
    assert names(build_stages([cam, affinity, segmentor])) == ['cam', 'affinity', 'segmentor']
    with pytest.raises(DataError, match=r'^affinity: reads work/run/cam/.*, expected cam before it$'):
        build_stages([affinity, cam])


def test_what_a_stage_reads_is_known_by_phase(leaves):
    cam, affinity, segmentor = build_stages(leaves)
    assert cam.reads == dict(train=(), test=()) and cam.inputs == []
    assert [read.result for read in affinity.reads['train']] == ['work/run/cam/final.pth']
    assert {read.result for read in affinity.reads['test']} == {'work/run/cam/final.pth', 'work/run/cam/seeds'}
    assert [read.path for read in segmentor.reads['train']] == ['work/run/affinity/masks']
    assert segmentor.reads['test'] == () and segmentor.inputs == ['affinity']


def test_what_a_stage_writes(leaves):
    options = ['cam.test_cfg.affinity_dir=affinities', 'segmentor.test_evaluator.0.output_dir=elsewhere']
    cam, affinity, segmentor = build_stages(leaves, options)
    assert cam.outputs == {'work/run/cam/seeds': '.npz', 'work/run/cam/affinities': '.npz'}
    weighing = build_stages(leaves, ['affinity.test_evaluator.0.weight_dir=weights'])[1]
    assert weighing.outputs == {'work/run/affinity/masks': '.npz', 'work/run/affinity/weights': '.npz'}
    # Of a metric that is none of ours, a relative folder is one of the current folder, of files of no known name.
    assert segmentor.outputs == {'elsewhere': None}
    assert cam.checkpoint == 'work/run/cam/final.pth'


def test_metrics_of_ours_say_what_they_write():
    assert (SeedMetric.file_suffix, AffinityLabelMetric.file_suffix, PseudoMaskMetric.file_suffix) == (
        '.npz',
        '.png',
        '.png',
    )


@pytest.mark.parametrize(
    'name, before, after, message',
    [
        ('affinity', 'work/run/cam/seeds', 'work/run/cam/sedes', 'affinity: reads work/run/cam/sedes, which cam does not write; it writes work/run/cam/final.pth, work/run/cam/seeds'),
        ('affinity', 'work/run/cam/final.pth', 'work/run/cam/iter_4.pth', 'affinity: reads work/run/cam/iter_4.pth'),
        ('affinity', "work_dir = 'work/run/affinity'", "work_dir = 'work/run/cam'", 'expected a work_dir of its own, work/run/cam is that of'),
        ('segmentor', "work_dir = 'work/run/segmentor'", "work_dir = 'work/run/affinity/segmentor'", 'expected a work_dir of its own'),
        ('segmentor', "work_dir = 'work/run/segmentor'", 'x = 1', r'segmentor\.py: expected a stage, with model and work_dir'),
        ('segmentor', "test_cfg = dict(type='TestLoop')", 'train_cfg = None', r'segmentor\.py: expected a train_cfg, or test_cfg'),
        ('cam', "data_root = 'data'", 'default_hooks = dict()', r'cam\.py: cam would leave no final\.pth, expected .*mmwsss\.FinalCheckpointHook'),
    ],
)  # fmt: skip
def test_stages_that_do_not_fit_are_refused(leaves, write_leaf, name, before, after, message):
    write_leaf(name, before, after)
    with pytest.raises(DataError, match=message):
        build_stages(leaves)


def test_stages_that_read_each_other_are_refused(leaves, write_leaf, tmp_path):
    write_leaf('cam', "model = dict(type='Model'", "model = dict(type='Model', x='work/run/affinity/final.pth'")
    with pytest.raises(DataError, match='cam and affinity and segmentor: each reads|affinity and cam'):
        build_stages([str(tmp_path)])


def test_two_stages_of_one_name_are_refused(leaves, tmp_path):
    (tmp_path / 'other').mkdir()
    shutil.copy(leaves[0], tmp_path / 'other/cam.py')
    with pytest.raises(
        DataError, match=r'other/cam\.py: expected stages of different names, .*cam\.py is called cam too'
    ):
        build_stages([leaves[0], str(tmp_path / 'other/cam.py')])


def test_stages_of_several_folders_cannot_be_moved_into_one(leaves, write_leaf):
    write_leaf('segmentor', 'work/run/segmentor', 'work/other/segmentor')
    stages = build_stages(leaves)
    assert common_folder(stages) == Path('work').resolve()
    with pytest.raises(
        DataError, match='--run-dir: expected stages with work_dir in one folder, .*work/run and .*work/other'
    ):
        build_stages(leaves, run_dir='elsewhere')


def test_folders_are_moved_with_what_reads_them(leaves):
    stages = build_stages(leaves, data_root='/d', run_dir='/r')
    assert common_folder(stages) == Path('/r')
    assert stages[1].reads['train'][0].path == '/r/cam/final.pth'
    assert stages[0].cfg.train_dataloader.dataset.ann_file == '/d/train.txt'


def test_a_folder_without_stages_is_refused(tmp_path):
    with pytest.raises(DataError, match='expected configs of stages'):
        find_leaves([str(tmp_path)])
    with pytest.raises(DataError, match=r'absent\.py: expected a config'):
        build_stages(['absent.py'])


def test_a_further_choice_for_a_stage_has_to_be_named(leaves, tmp_path):
    shutil.copy(leaves[0], tmp_path / 'cam_other.py')
    assert str(tmp_path / 'cam_other.py') not in find_leaves([str(tmp_path)])
    assert find_leaves([str(tmp_path / 'cam_other.py')]) == [str(tmp_path / 'cam_other.py')]


def test_a_path_below_a_folder():
    assert is_below('a/b/c', 'a/b') and is_below('./a/b', 'a/b/') and is_below('s3://x/y', 's3://x')
    assert not is_below('a/bc', 'a/b') and not is_below('s3://xy', 's3://x')


def test_order_of_independent_stages_is_free(leaves):
    stages = build_stages(leaves[:1])
    assert check_order(stages) == stages
