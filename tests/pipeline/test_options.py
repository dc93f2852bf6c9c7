import pytest

from mmwsss.fileio import DataError
from mmwsss.pipeline.options import options_by_stage, parse_options

STAGES = ['cam', 'affinity']


def test_options_are_sorted_by_stage():
    found = options_by_stage(['cam.a.b=1', 'affinity.x=[1,2]', 'cam.c="y=z"'], STAGES)
    assert found == dict(cam=['a.b=1', 'c="y=z"'], affinity=['x=[1,2]'])


@pytest.mark.parametrize(
    'option, message',
    [
        ('train_cfg.max_iters=6', 'train_cfg.max_iters=6 names no stage, expected one of cam.train_cfg.max_iters, affinity.train_cfg.max_iters'),
        ('seed=1', 'seed=1 names no stage, expected one of cam.seed, affinity.seed'),
        ('segmentor.x=1', 'segmentor.x=1 names no stage'),
        ('data_root=/d', 'data_root is part of paths already, expected --data-root DIR'),
        ('cam.data_root=/d', 'cam.data_root is part of paths already, expected --data-root DIR'),
        ('cam.work_dir=/w', 'cam.work_dir is part of paths already, expected --run-dir DIR'),
        ('cam.x', "expected STAGE.key=value, got 'cam.x'"),
        ('cam=1', 'cam=1 names no stage'),
    ],
)  # fmt: skip
def test_an_option_without_a_stage_is_refused(option, message):
    with pytest.raises(DataError, match=message):
        options_by_stage([option], STAGES)


def test_values_are_those_of_the_other_tools():
    assert parse_options(['a.b=1', 'c=[1,2]', 'd=(x,y)', 'e=None', 'f=text']) == {
        'a.b': 1,
        'c': [1, 2],
        'd': ('x', 'y'),
        'e': None,
        'f': 'text',
    }
    assert parse_options([]) == {}
