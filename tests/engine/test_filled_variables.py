"""What was filled into other values cannot be changed by its own name; the keys that work are named."""

import pytest

from mmwsss.engine.filled_variables import check_not_filled, filled_variables
from mmwsss.fileio import DataError

DATA = "root = 'data'\nimages = dict(type='Images', root=root)\nlabels = f'{root}/labels.json'\nunused = 3\n"
LOADERS = """_base_ = './data.py'
pipeline = [dict(type='Load'), dict(type='Pack')]
train_dataloader = dict(dataset=dict(images={{_base_.images}}, pipeline=pipeline))
test_dataloader = dict(dataset=dict(images={{ _base_.images }}, labels=[{{_base_.labels}}], kind={{_base_.images.type}}))
"""


@pytest.fixture
def write(tmp_path):
    """``write(name=text)``: configs beside one another; gives the path of the last one."""

    def make(**texts):
        for name, text in texts.items():
            (tmp_path / f'{name}.py').write_text(text)
        return tmp_path / f'{name}.py'

    return make


def test_keys_of_what_bases_fill_in(write):
    leaf = write(data=DATA, loaders=LOADERS, leaf="_base_ = './loaders.py'\nwork_dir = 'run'\n")
    assert filled_variables(leaf) == dict(
        labels=['test_dataloader.dataset.labels.0'],
        images=[
            'train_dataloader.dataset.images',
            'test_dataloader.dataset.images',
            'test_dataloader.dataset.kind',
        ],
        pipeline=['train_dataloader.dataset.pipeline'],
        root=[
            'train_dataloader.dataset.images.root',
            'test_dataloader.dataset.images.root',
            'test_dataloader.dataset.labels.0',
        ],
    )


def test_values_under_names_that_are_read_are_no_variables(write):
    leaf = write(leaf="val_cfg = dict(type='ValLoop')\ntest_cfg = val_cfg\nvisualizer = dict(other=test_cfg)\n")
    assert filled_variables(leaf) == {}


def test_a_place_that_the_leaf_replaced_is_none(write):
    leaf = write(data=DATA, loaders=LOADERS, leaf="_base_ = ['loaders.py']\ntest_dataloader = None\n")
    assert filled_variables(leaf)['images'] == ['train_dataloader.dataset.images']


@pytest.mark.parametrize(
    'option, keys',
    [
        ('images.root', 'set train_dataloader.dataset.images.root, test_dataloader.dataset.images.root'),
        ('pipeline.0.type', 'set train_dataloader.dataset.pipeline.0.type'),
        ('labels', 'set test_dataloader.dataset.labels.0'),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(write, option, keys):
    leaf = write(data=DATA, loaders=LOADERS, leaf="_base_ = './loaders.py'\n")
    with pytest.raises(DataError, match=f'--cfg-options {option}: .* already filled in.*{keys}'):
        check_not_filled(leaf, ['work_dir', option])


def test_options_that_work_pass(write):
    leaf = write(data=DATA, loaders=LOADERS, leaf="_base_ = './loaders.py'\n")
    check_not_filled(leaf, ['train_dataloader.dataset.images.root', 'unused', 'work_dir'])


def test_an_assignment_that_would_change_nothing_is_refused(write):
    leaf = write(data=DATA, loaders=LOADERS, leaf="_base_ = './loaders.py'\nimages = dict(type='Others')\n")
    with pytest.raises(DataError, match=r'leaf.py: images is already filled in.*train_dataloader.dataset.images'):
        check_not_filled(leaf)


def test_a_leaf_that_fills_in_anew_passes(write):
    again = 'train_dataloader = dict(dataset=dict(pipeline=pipeline))\n'
    update = "test_dataloader = dict(dataset=dict())\ntest_dataloader['dataset'].update(pipeline=pipeline)\n"
    taken_up = "_base_ = './loaders.py'\npipeline = _base_.pipeline\npipeline[0].update(type='Read')\n"
    leaf = write(data=DATA, loaders=LOADERS, leaf=taken_up + again + update)
    check_not_filled(leaf)
    assert filled_variables(leaf)['pipeline'] == [
        'train_dataloader.dataset.pipeline',
        'test_dataloader.dataset.pipeline',
    ]


def test_the_data_root_has_a_flag(write):
    data = "data_root = 'data'\ntrain_dataloader = dict(dataset=dict(data_root=data_root))\n"
    with pytest.raises(DataError, match='--data-root moves the data; or set train_dataloader.dataset.data_root'):
        check_not_filled(write(leaf=data), ['data_root'])


def test_a_file_that_is_no_config_is_refused(write):
    with pytest.raises(DataError, match=r'leaf.py: expected a config'):
        filled_variables(write(leaf='model = dict('))
