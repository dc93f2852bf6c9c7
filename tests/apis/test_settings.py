import os

import pytest

from mmwsss.apis.settings import choose_networks, load_settings, write_settings
from mmwsss.fileio import DataError

SETTINGS = """
data_root = 'data/voc'
image_labels = f'{data_root}/labels.json'
classes = ('background', 'cat', 'dog')
num_classes = 99
num_labels = 99
work_dir = 'work'
seed_dir = 'somewhere'
schedule = dict(iters=10, lr=0.1)
"""


@pytest.fixture
def settings_file(tmp_path):
    path = tmp_path / 'settings.py'
    path.write_text(SETTINGS)
    return path


def test_numbers_and_folders_are_derived(settings_file):
    settings = load_settings(settings_file)
    assert (settings['num_classes'], settings['num_labels']) == (3, 2)
    assert settings['seed_dir'] == 'work/seeds'
    assert settings['pseudo_mask_dir'] == 'work/pseudo_masks'


def test_overrides_reach_what_is_derived(settings_file):
    settings = load_settings(
        settings_file,
        {
            'data_root': '/other',
            'classes': ['background', 'cat'],
            'work_dir': 'new',
            'schedule.iters': 3,
            'affinity_label_dir': 'labels',
        },
    )
    assert settings['image_labels'] == '/other/labels.json'
    assert settings['classes'] == ('background', 'cat') and settings['num_labels'] == 1
    assert settings['seed_dir'] == 'new/seeds' and settings['affinity_label_dir'] == 'labels'
    assert settings['schedule'] == dict(iters=3, lr=0.1)


def test_without_background_every_class_has_a_label(tmp_path):
    path = tmp_path / 'settings.py'
    path.write_text("classes = ['sky', 'road']\nwith_background = False\n")
    assert load_settings(path)['num_labels'] == 2


def test_written_settings_read_the_same(settings_file, tmp_path):
    settings = load_settings(settings_file)
    write_settings(tmp_path / 'written.py', settings)
    assert load_settings(tmp_path / 'written.py') == settings


@pytest.mark.parametrize('name', ['clases', 'schedule.rate', 'nothing.iters'])
def test_override_of_no_setting_is_refused(settings_file, name):
    with pytest.raises(DataError, match=name.split('.')[0]):
        load_settings(settings_file, {name: 1})


@pytest.mark.parametrize(
    'text, message',
    [
        ('value = object()', 'value must be a plain value'),
        ('value = 1 / 0', 'ZeroDivisionError'),
        ("_base_ = 'other.py'", r'other\.py: the settings cannot be read'),
        ("_base_ = ['a.py', 'b.py']", '_base_ must be one settings file'),
    ],
)
def test_unusable_settings_are_refused(tmp_path, text, message):
    path = tmp_path / 'settings.py'
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        load_settings(path)


def test_missing_settings_are_named(tmp_path):
    with pytest.raises(DataError, match=r'absent\.py'):
        load_settings(tmp_path / 'absent.py')


def test_settings_inherit_others_and_overrides_reach_both(settings_file, tmp_path):
    (tmp_path / 'set').mkdir()
    path = tmp_path / 'set' / 'settings.py'
    path.write_text("_base_ = '../settings.py'\nschedule = dict(iters=20)\nlists = 'lists'\n")
    settings = load_settings(path)
    assert settings['image_labels'] == 'data/voc/labels.json' and settings['num_labels'] == 2
    assert settings['schedule'] == dict(iters=20) and settings['lists'] == 'lists' and '_base_' not in settings
    settings = load_settings(path, dict(data_root='/other', lists='mine'))
    assert settings['image_labels'] == '/other/labels.json' and settings['lists'] == 'mine'


def test_networks_are_chosen_in_the_environment(monkeypatch):
    monkeypatch.setenv('MMWSSS_SEGMENTOR', 'of_a_run_before')
    choose_networks(dict(network='vgg16'))
    assert os.environ['MMWSSS_NETWORK'] == 'vgg16' and 'MMWSSS_SEGMENTOR' not in os.environ
