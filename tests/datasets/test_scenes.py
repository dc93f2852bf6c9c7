import json

import numpy as np
import pytest
from mmseg.registry import DATASETS

from mmwsss.datasets.scenes import CLASSES, PALETTE, make_scene, write_scenes
from mmwsss.fileio import DataError, read_mask


def files_of(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob('*') if path.is_file()}


def test_scene_has_image_mask_and_labels_that_agree():
    for index in range(4):
        scene = make_scene(index, size=64)
        assert scene.image.shape == (64, 64, 3) and scene.image.dtype == np.uint8
        assert scene.mask.shape == (64, 64) and scene.mask.dtype == np.uint8
        assert scene.labels == [CLASSES[c] for c in np.unique(scene.mask) if c]
        assert 1 <= len(scene.labels) <= 3


def test_each_creature_has_a_number_and_one_class():
    counts = set()
    for index in range(12):
        scene = make_scene(index, size=48)
        assert scene.instances.shape == (48, 48) and scene.instances.dtype == np.uint8
        np.testing.assert_array_equal(scene.instances > 0, scene.mask > 0)
        numbers = [number for number in np.unique(scene.instances) if number]
        assert all(len(np.unique(scene.mask[scene.instances == number])) == 1 for number in numbers)
        counts.add(len(numbers))
    assert counts == {1, 2, 3}


def test_scene_depends_on_its_arguments_alone():
    first = make_scene(3, 'train', seed=5, size=48)
    make_scene(4, 'train', seed=5, size=48)
    again = make_scene(3, 'train', seed=5, size=48)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.mask, again.mask)
    for other in (make_scene(4, 'train', 5, 48), make_scene(3, 'val', 5, 48), make_scene(3, 'train', 6, 48)):
        assert (first.image != other.image).any()


def test_every_class_occurs_and_background_is_largest():
    scenes = [make_scene(index, size=48) for index in range(40)]
    pixels = np.bincount(np.concatenate([scene.mask.ravel() for scene in scenes]), minlength=len(CLASSES))
    assert len(pixels) == len(CLASSES) and (pixels > 0).all()
    assert pixels.argmax() == 0 and 0.1 < 1 - pixels[0] / pixels.sum() < 0.5
    assert {len(scene.labels) for scene in scenes} >= {1, 2}


@pytest.mark.parametrize(
    'kwargs, name',
    [
        (dict(index=-1), 'index'),
        (dict(index=0, split='test'), 'split'),
        (dict(index=0, seed=-1), 'seed'),
        (dict(index=0, size=16), 'size'),
    ],
)
def test_scene_names_a_wrong_argument(kwargs, name):
    with pytest.raises(ValueError, match=name):
        make_scene(**kwargs)


def test_written_data_set_is_whole_and_loads(tmp_path):
    root = tmp_path / 'scenes'
    assert write_scenes(root, num_train=3, num_val=2, size=48)
    assert not write_scenes(root, num_train=3, num_val=2, size=48)
    assert [path.name for path in tmp_path.iterdir()] == ['scenes']
    labels = json.loads((root / 'image_labels.json').read_text())
    assert len(labels) == 5
    for split, count in (('train', 3), ('val', 2)):
        dataset = DATASETS.build(
            dict(
                type='mmwsss.ScenesDataset',
                data_root=str(root),
                ann_file=f'lists/{split}.txt',
                data_prefix=dict(img_path='images', seg_map_path='masks'),
            )
        )
        assert len(dataset) == count
        assert dataset.metainfo['classes'] == CLASSES and dataset.metainfo['palette'] == PALETTE
        for index, info in enumerate(dataset):
            scene = make_scene(index, split, size=48)
            np.testing.assert_array_equal(read_mask(info['seg_map_path']), scene.mask)
            instances = info['seg_map_path'].replace('/masks/', '/instances/')
            np.testing.assert_array_equal(read_mask(instances), scene.instances)
            assert labels[f'{split}_{index:05d}'] == scene.labels


def test_other_settings_or_a_missing_file_regenerate(tmp_path):
    root = tmp_path / 'scenes'
    write_scenes(root, num_train=2, num_val=1, size=48)
    before = files_of(root)
    for folder in ('masks', 'instances'):
        (root / folder / 'train_00001.png').unlink()
        assert write_scenes(root, num_train=2, num_val=1, size=48)
        assert files_of(root) == before
    assert write_scenes(root, seed=1, num_train=2, num_val=1, size=48)
    assert files_of(root).keys() == before.keys() and files_of(root) != before


def test_workers_write_the_same_files(tmp_path):
    write_scenes(tmp_path / 'one', num_train=3, num_val=1, size=32)
    write_scenes(tmp_path / 'two', num_train=3, num_val=1, size=32, workers=2)
    assert files_of(tmp_path / 'one') == files_of(tmp_path / 'two')


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / 'image.jpg').write_bytes(b'mine')
    with pytest.raises(DataError, match='holds other files'):
        write_scenes(tmp_path, num_train=1, num_val=1, size=32)
    assert files_of(tmp_path) == {'image.jpg': b'mine'}


@pytest.mark.parametrize('name', ['seed', 'num_train', 'num_val', 'size', 'workers'])
def test_write_names_a_wrong_argument(tmp_path, name):
    with pytest.raises(ValueError, match=name):
        write_scenes(tmp_path / 'scenes', **{name: -1})


def test_interrupted_generation_leaves_nothing(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr('mmwsss.datasets.scenes.dataset.make_scene', fail)
    with pytest.raises(KeyboardInterrupt):
        write_scenes(tmp_path / 'scenes', num_train=1, num_val=1, size=32)
    assert list(tmp_path.iterdir()) == []
