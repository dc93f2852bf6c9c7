import pytest

from mmwsss.apis.settings import load_settings, write_settings
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
    settings = load_settings(settings_file, {
        'data_root': '/other', 'classes': ['background', 'cat'], 'work_dir': 'new', 'schedule.iters': 3,
        'affinity_label_dir': 'labels'})
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


@pytest.mark.parametrize('text, message', [
    ('value = object()', 'value must be a plain value'),
    ('value = 1 / 0', 'ZeroDivisionError'),
    ("_base_ = 'other.py'", '_base_'),
])
def test_unusable_settings_are_refused(tmp_path, text, message):
    path = tmp_path / 'settings.py'
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        load_settings(path)


def test_missing_settings_are_named(tmp_path):
    with pytest.raises(DataError, match=r'absent\.py'):
        load_settings(tmp_path / 'absent.py')
