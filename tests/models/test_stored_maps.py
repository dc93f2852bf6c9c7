import numpy as np
import pytest
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmwsss.fileio import AffinityField, DataError, Seeds, read_affinity, write_affinity

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def sample_of(image_id='sub/p1'):
    sample = SegDataSample(metainfo=dict(image_id=image_id, img_path='p.jpg'))
    sample.set_field(Seeds(np.array([1], np.uint8), np.ones((1, 2, 3), np.float16), (37, 46)), 'seeds')
    return sample


def test_it_gives_the_affinities_of_the_folder(tmp_path):
    field = AffinityField(np.random.default_rng(0).random((12, 5, 6), np.float32), (37, 46), 8)
    write_affinity(tmp_path / 'sub/p1.npz', field)
    model = MODELS.build(dict(type='mmwsss.StoredMaps', affinity_dir=str(tmp_path)))
    (sample,) = model.test_step(dict(inputs=[], data_samples=[sample_of()]))
    np.testing.assert_array_equal(sample.affinity.field[0], read_affinity(tmp_path / 'sub/p1.npz').affinity)
    assert (sample.affinity.covered_size, sample.affinity.stride) == ((37, 46), 8)
    assert sample.seeds.cams.shape == (1, 2, 3)
    assert not model.state_dict()


def test_without_a_folder_there_are_seeds_alone():
    (sample,) = MODELS.build(dict(type='mmwsss.StoredMaps')).test_step(dict(inputs=[], data_samples=[sample_of()]))
    assert 'seeds' in sample and 'affinity' not in sample


def test_missing_affinities_are_named(tmp_path):
    model = MODELS.build(dict(type='mmwsss.StoredMaps', affinity_dir=str(tmp_path)))
    with pytest.raises(DataError, match=r'p1\.npz: expected affinities'):
        model.test_step(dict(inputs=[], data_samples=[sample_of()]))
