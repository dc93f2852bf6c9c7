import pytest
from mmseg.registry import DATASETS

from mmwsss.datasets.skip_bad_dataset import Skipped
from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')

LABELS = [['disc'], ['stripe', 'box'], [], ['box']]


@pytest.fixture
def data(image_set):
    """Four images: the first is cut off, the last is missing."""
    data = image_set(LABELS)
    (data.root / 'images/p0.jpg').write_bytes((data.root / 'images/p0.jpg').read_bytes()[:300])
    (data.root / 'images/sub/p3.jpg').unlink()
    return data


def build(data, **settings):
    dataset = dict(
        type='mmwsss.ImageLabelDataset', dataset=data.dataset, pipeline=[dict(type='mmwsss.LoadImageFromFile')]
    )
    dataset = DATASETS.build(dict(type='mmwsss.SkipBadDataset', dataset=dataset, **settings))
    dataset.full_init()
    return dataset


def test_training_takes_another_image(data):
    dataset = build(data)
    assert len(dataset) == 4 and dataset.metainfo['classes'] == data.classes
    assert dataset.metainfo['with_background'] is True
    assert {dataset[0]['image_id'] for _ in range(30)} <= {'sub/p1', 'p2'}
    for path in (data.root / 'images').rglob('*.jpg'):
        path.unlink()
    with pytest.raises(DataError, match=r'in a row cannot be used, the last one: .*\.jpg'):
        dataset[1]


def test_a_test_is_told_which_sample_is_bad(data):
    dataset = build(data, test_mode=True)
    assert dataset[2]['image_id'] == 'p2'
    assert isinstance(dataset[0], Skipped) and dataset[0].image_id == 'p0' and 'images/p0.jpg' in dataset[0].reason
    assert dataset[3].image_id == 'sub/p3'
