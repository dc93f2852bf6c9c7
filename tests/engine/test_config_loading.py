import pytest

from mmwsss.engine import config_loading
from mmwsss.engine.config_loading import load_config
from mmwsss.fileio import DataError

LEAF = """
data_root = 'data/voc/'
work_dir = 'work_dirs/voc/affinity'
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='work_dirs/voc/cam/final.pth')))
train_dataloader = dict(dataset=dict(
    data_root=data_root, image_labels='data/voc/labels.json', affinity_label_dir='work_dirs/voc/cam/affinity_labels',
    pipeline=[dict(type='Mixed', folders=('data/voc/a', 'data/vocals', 'work_dirs/vocal'))], scale=(512, 512)))
"""


@pytest.fixture
def leaf(tmp_path):
    path = tmp_path / 'affinity.py'
    path.write_text(LEAF)
    return str(path)


def test_both_prefixes_are_moved_and_nothing_else(leaf):
    cfg = load_config(leaf, data_root='/d', run_dir='s3://r')
    dataset = cfg.train_dataloader.dataset
    assert cfg.data_root == '/d' and dataset.data_root == '/d' and dataset.image_labels == '/d/labels.json'
    assert dataset.pipeline[0].folders == ('/d/a', 'data/vocals', 'work_dirs/vocal')
    assert cfg.work_dir == 's3://r/affinity'
    assert cfg.model.backbone.init_cfg.checkpoint == 's3://r/cam/final.pth'
    assert dataset.affinity_label_dir == 's3://r/cam/affinity_labels'
    assert dataset.scale == (512, 512)


def test_options_come_last_and_stay_as_they_are_given(leaf):
    cfg = load_config(leaf, {'train_dataloader.dataset.image_labels': 'data/voc/other.json'}, data_root='/d')
    assert cfg.train_dataloader.dataset.image_labels == 'data/voc/other.json'


def test_a_moved_config_is_dumped_and_read_again(leaf, tmp_path):
    cfg = load_config(leaf, data_root='/d', run_dir='/r')
    cfg.dump(str(tmp_path / 'dumped.py'))
    assert load_config(str(tmp_path / 'dumped.py')).to_dict() == cfg.to_dict()


@pytest.mark.parametrize(
    'text, flags, message',
    [
        ('value = 1\n', dict(data_root='/d'), r'c\.py: expected data_root, .*got None'),
        ("data_root = './'\n", dict(data_root='/d'), r"c\.py: expected data_root, .*got './'"),
        ('value = 1\n', dict(run_dir='/r'), r'c\.py: expected a work_dir .*got None'),
        ("work_dir = 'cam'\n", dict(run_dir='/r'), r"c\.py: expected a work_dir .*got 'cam'"),
        ("data_root = 'd'\n", dict(options=dict(data_root='/d')), 'expected --data-root DIR'),
        ('model = dict(a=1)\n', dict(options={'model.a.b': 1}), '--cfg-options: .* does not fit the config'),
    ],
)
def test_what_cannot_be_moved_or_set_is_refused(tmp_path, text, flags, message):
    (tmp_path / 'c.py').write_text(text)
    with pytest.raises(DataError, match=message):
        load_config(str(tmp_path / 'c.py'), **flags)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r'absent\.py: expected a config'):
        load_config(str(tmp_path / 'absent.py'))


def test_an_option_that_changes_nothing_is_refused(leaf, monkeypatch):
    def refuse(path, options):
        raise DataError(f'{path}: {list(options)}')

    monkeypatch.setattr(config_loading, 'check_not_filled', refuse)
    with pytest.raises(DataError, match='model.backbone.depth'):
        load_config(leaf, {'model.backbone.depth': 18})


@pytest.mark.parametrize('suffix', ['json', 'yaml'])
def test_a_config_that_loses_tuples_is_refused_with_the_way_out(leaf, tmp_path, suffix):
    path = tmp_path / f'dumped.{suffix}'
    path.write_text('{"scale": [512, 512]}')
    message = rf"dumped\.{suffix}: expected a config as \.py: JSON turns .*; cfg\.dump\('config\.py'\) writes one"
    with pytest.raises(DataError, match=message):
        load_config(str(path))
    child = tmp_path / 'child.py'
    child.write_text(f"_base_ = './dumped.{suffix}'\n")
    with pytest.raises(DataError, match=message):
        load_config(str(child))
