"""Pictures of what a data set hands to a network."""

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmwsss.analysis.browse import browse
from mmwsss.fileio import DataError, Seeds, write_mask, write_seeds

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def config(tmp_path, image_set):
    """``config(stages)``: of a stage on two images with labels, seeds and affinity labels."""
    data = image_set([['disc'], ['stripe', 'box']])
    for image_id, mask in data.masks.items():
        write_mask(tmp_path / 'labels' / f'{image_id}.png', mask, [(0, 0, 0)])
    for image_id, class_ids in zip(data.ids, ([1], [2, 3])):
        cams = np.zeros((len(class_ids), 10, 14), np.float16)
        write_seeds(tmp_path / 'seeds' / f'{image_id}.npz', Seeds(np.array(class_ids, np.uint8), cams, (40, 56)))

    def make(*stages):
        dataset = dict(
            type='mmwsss.ImageLabelDataset',
            dataset=data.dataset,
            image_labels=data.labels,
            affinity_label_dir=str(tmp_path / 'labels'),
            seed_dir=str(tmp_path / 'seeds'),
            pipeline=[dict(type='mmwsss.LoadImageFromFile'), *stages, dict(type='mmwsss.PackWeakInputs')],
        )
        return Config(dict(default_scope='mmseg', train_dataloader=dict(dataset=dataset)))

    return make


def pictures(paths):
    return {path.name: cv2.imread(str(path)) for path in paths}


def test_crops_with_label_maps_over_them_and_the_names_of_the_labels(tmp_path, config):
    crop = dict(type='mmwsss.RandomCropOrPad', crop_size=(48, 32))
    plain = pictures(browse(config(crop), tmp_path / 'plain'))
    assert sorted(plain) == ['00000_p0.png', '00001_p1.png']
    assert plain['00000_p0.png'].shape == (48, 32, 3)
    both = pictures(browse(config(dict(type='mmwsss.LoadLabelMap', source='affinity_label'), crop), tmp_path / 'both'))
    assert both['00000_p0.png'].shape == (48, 64, 3)
    left, right = np.split(both['00001_p1.png'].astype(int), 2, axis=1)
    assert np.abs(left - right)[20:].max() > 30


def test_seeds_are_drawn(tmp_path, config):
    drawn = pictures(browse(config(dict(type='mmwsss.LoadSeeds')), tmp_path / 'seeds_drawn', number=1))
    picture = drawn['00000_p0.png'].astype(int)
    assert picture.shape == (40, 112, 3)
    # The activation is 0 everywhere, so that the right half is the image, darker.
    assert picture[30:, 56:].mean() < 0.5 * picture[30:, :56].mean()


def test_missing_loaders_are_named(tmp_path, config):
    with pytest.raises(DataError, match='expected val_dataloader'):
        list(browse(config(), tmp_path, 'val'))
    with pytest.raises(DataError, match='at least 1, got 0'):
        list(browse(config(), tmp_path, number=0))
