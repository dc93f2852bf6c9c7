import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from mmwsss.report.stages import Stage, read_losses, read_megabytes


@pytest.fixture
def stage(tmp_path):
    """``stage(*evaluators)``: one whose folder is empty."""
    return lambda *evaluators: Stage('cam', tmp_path, Config(dict(test_evaluator=list(evaluators))))


@pytest.mark.parametrize(
    'evaluator, expected',
    [
        (dict(type='mmwsss.SeedMetric', output_dir='s'), ('cam', 'CAM', 'seeds', 's', True)),
        (dict(type='mmwsss.SeedMetric', output_dir='/s', prefix=None), ('seeds', 'seeds', 'seeds', '/s', True)),
        (dict(type='AffinityLabelMetric', chain='c', output_dir='l'), ('', 'affinity labels', 'mask', 'l', True)),
        (dict(type='PseudoMaskMetric', chain='my_chain'), ('my_chain', 'my chain', 'mask', 'recorded/my_chain', False)),
        (dict(type='PseudoMaskMetric', chain='c', output_dir='m'), ('c', 'pseudo mask', 'mask', 'm', True)),
        (dict(type='SegmentorMetric'), ('segmentor', 'segmentor', 'mask', 'recorded/segmentor', False)),
    ],
)
def test_folders_of_an_evaluator(stage, tmp_path, evaluator, expected):
    name, title, kind, folder, is_output = expected
    assert stage(evaluator).sources == [(name, title, kind, tmp_path / folder, is_output)]


@pytest.mark.parametrize('evaluator', [dict(type='SeedMetric'), dict(type='IoUMetric', output_dir='masks')])
def test_evaluators_without_files_to_show(stage, evaluator):
    assert stage(evaluator).sources == []


def test_a_single_evaluator_and_none(tmp_path):
    single = Stage('s', tmp_path, Config(dict(test_evaluator=dict(type='SegmentorMetric'))))
    assert [source.name for source in single.sources] == ['segmentor']
    assert Stage('s', tmp_path, Config()).sources == []


def test_records_come_in_the_order_of_the_evaluators(run):
    assert list(Stage(*run.stages[1]).records) == ['random_walk', 'random_walk_dcrf']


def test_confusion_matrices(run):
    ((name, classes, counts),) = Stage(*run.stages[0]).confusions
    assert (name, classes) == ('cam', list(run.data.classes))
    np.testing.assert_array_equal(counts, np.eye(4, 5) * 8 + 1)


def test_nothing_is_there_of_a_stage_that_has_not_run(stage):
    empty = stage()
    assert not empty.records and not list(empty.confusions) and not empty.skipped and not empty.memory
    assert read_megabytes(Path(empty.work_dir, 'gone')) is None


def test_memory_is_the_largest_of_the_phases(stage, tmp_path):
    noted = dict(train=dict(process=5, gpu=9), test=dict(process=7, worker=3))
    (tmp_path / 'memory.json').write_text(json.dumps(noted))
    assert stage().memory == dict(process=7, gpu=9, worker=3)


def test_losses_of_a_resumed_training(tmp_path):
    for name, logged in (('1', [(10, 3.0), (20, 2.0)]), ('2', [(20, 1.5), (30, 1.0)])):
        folder = tmp_path / name / 'vis_data'
        folder.mkdir(parents=True)
        lines = [json.dumps(dict(step=step, loss=value, **{'decode.loss_ce': value}, lr=0.1)) for step, value in logged]
        (folder / 'scalars.json').write_text('\n'.join([*lines, '{"step": 3']))
    assert read_losses(tmp_path) == {'decode.loss_ce': ([10, 20, 30], [3.0, 1.5, 1.0])}
