import json

import numpy as np
import pytest

from mmwsss.evaluation import records
from mmwsss.evaluation.records import Record, RecordedImages, choose_evenly, image_id_of, picture_size, shrink_mask

RIGHT, HALF = np.array([[4, 0, 0], [0, 4, 0]]), np.array([[2, 2, 0], [0, 0, 0]])


class Images:
    """A data set that says which images it has."""

    data_prefix = dict(img_path='set/images')

    def __init__(self, number):
        self.number = number

    def __len__(self):
        return self.number

    def get_data_info(self, index):
        return dict(img_path=f'set/images/sub/{index}.jpg')


@pytest.fixture
def record(tmp_path):
    return Record(tmp_path / 'recorded', 'walk', RecordedImages(frozenset({'a'}), frozenset({'a', 'b'})))


@pytest.mark.parametrize(
    'total, number, expected', [(0, 3, []), (1, 3, [0]), (3, 3, [0, 1, 2]), (101, 3, [0, 50, 100])]
)
def test_images_are_evenly_spread(total, number, expected):
    assert choose_evenly(total, number) == expected


def test_choice_depends_on_the_list_alone():
    images = RecordedImages.of_dataset(Images(2000))
    assert (len(images.pictured), len(images.measured)) == (24, 1500)
    assert {'sub/0', 'sub/1999'} <= images.pictured & images.measured
    assert images == RecordedImages.of_dataset(Images(2000))


def test_nothing_is_kept_of_a_data_set_without_a_list():
    assert RecordedImages.of_dataset([1, 2]) == RecordedImages(frozenset(), frozenset())


@pytest.mark.parametrize(
    'sample, expected',
    [
        (dict(image_id='x/1', img_path='set/images/2.jpg'), 'x/1'),
        (dict(img_path='set/images/x/2.jpg'), 'x/2'),
        (dict(img_path='elsewhere/x/2.jpg'), '2'),
    ],
)
def test_name_of_an_image(sample, expected):
    assert image_id_of(sample, 'set/images') == expected


def test_pictures_are_small():
    assert picture_size((600, 450)) == (300, 225)
    assert picture_size((40, 56)) == (40, 56)
    assert shrink_mask(np.ones((600, 450), np.uint8)).shape == (300, 225)


def test_files_of_pictures(record, tmp_path):
    assert record.picture(dict(image_id='a')) == str(tmp_path / 'recorded/walk/a.png')
    assert record.picture(dict(image_id='b')) is None


def test_images_of_all_processes_are_in_one_file(record, tmp_path, monkeypatch):
    monkeypatch.setattr(records, 'all_gather_object', lambda part: [part, {'b': 12.5}])
    record.measure(dict(image_id='a'), RIGHT)
    record.note(curve=[1, 2])
    record.write()
    written = json.loads((tmp_path / 'recorded/walk.json').read_text())
    assert written == dict(curve=[1, 2], mIoU_of_images=dict(a=100.0, b=12.5))


def test_mean_iou_of_an_image_is_over_its_classes(record, tmp_path):
    record.measure(dict(image_id='a'), HALF)
    record.measure(dict(image_id='b'), np.zeros((2, 3), int))
    record.write()
    assert json.loads((tmp_path / 'recorded/walk.json').read_text()) == dict(mIoU_of_images=dict(a=25.0))


def test_no_file_of_nothing(record, tmp_path):
    record.write()
    assert not (tmp_path / 'recorded').exists()
