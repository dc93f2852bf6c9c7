import numpy as np
import pytest
import torch

from mmwsss.fileio import DataError, Seeds
from mmwsss.fileio.npy_seeds import LAYOUTS, read_npy_seeds, write_npy_seeds
from mmwsss.ops.maps import resize_maps

SIZE = (24, 36)


def smooth(count, size=SIZE, seed=0):
    coarse = np.random.default_rng(seed).random((1, count, 3, 4), np.float32)
    return resize_maps(torch.from_numpy(coarse), size)[0].numpy()


def save(path, value):
    np.save(path, value)
    return path


def test_psa(tmp_path):
    cams = smooth(2)
    seeds = read_npy_seeds(save(tmp_path / 'a.npy', {14: cams[0], 7: cams[1]}))
    assert seeds.class_ids.tolist() == [8, 15] and seeds.class_ids.dtype == np.uint8 and seeds.size == SIZE
    blocks = cams[::-1].reshape(2, 6, 4, 9, 4).mean((2, 4))
    np.testing.assert_allclose(seeds.cams, blocks, atol=1e-3)
    assert seeds.cams.dtype == np.float16


@pytest.mark.parametrize('array', [np.asarray, torch.as_tensor], ids=['arrays', 'tensors'])
def test_irn(tmp_path, array):
    cams, quarter = smooth(2), smooth(2, (6, 9), 1)
    value = {'keys': array(np.array([3, 0])), 'cam': array(quarter), 'high_res': array(cams)}
    path = save(tmp_path / 'a.npy', value)
    assert read_npy_seeds(path).class_ids.tolist() == [1, 4]
    np.testing.assert_allclose(read_npy_seeds(path, stride=1).cams, cams[::-1], atol=1e-3)
    strided = read_npy_seeds(path, size=SIZE, maps='cam')
    np.testing.assert_allclose(strided.cams, quarter[::-1], atol=1e-3)
    assert strided.size == SIZE
    with pytest.raises(DataError, match=r'a\.npy: .* that size must be given'):
        read_npy_seeds(path, maps='cam')


def test_clip_es(tmp_path):
    cams = smooth(1).astype(np.float16)
    seeds = read_npy_seeds(save(tmp_path / 'a.npy', {'keys': np.array([19]), 'attn_highres': cams}), stride=1)
    assert seeds.class_ids.tolist() == [20]
    np.testing.assert_allclose(seeds.cams, cams, atol=1e-3)


def test_data_set_without_background(tmp_path):
    path = save(tmp_path / 'a.npy', {0: smooth(1)[0]})
    assert read_npy_seeds(path, first_class=0).class_ids.tolist() == [0]


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('classes', [[2, 5], [9], []])
def test_there_and_back(tmp_path, layout, classes):
    seeds = Seeds(np.array(classes, np.uint8), smooth(len(classes), (6, 9)).astype(np.float16), SIZE)
    write_npy_seeds(tmp_path / 'a.npy', seeds, layout)
    if layout == 'psa' and not classes:
        with pytest.raises(DataError, match='got a dict of nothing'):
            read_npy_seeds(tmp_path / 'a.npy')
    back = read_npy_seeds(tmp_path / 'a.npy', SIZE if layout == 'psa' else None)
    assert back.class_ids.tolist() == classes and back.size == SIZE and back.cams.shape == seeds.cams.shape
    np.testing.assert_allclose(back.cams, seeds.cams, atol=0.1)


def test_written_as_other_code_reads_it(tmp_path):
    """The lines with which psa, irn and CLIP-ES make a prediction of a file."""
    seeds = Seeds(np.array([2, 5], np.uint8), smooth(2, (6, 9)).astype(np.float16), SIZE)
    for layout in LAYOUTS:
        write_npy_seeds(tmp_path / f'{layout}.npy', seeds, layout)
    psa, irn, clip_es = (np.load(tmp_path / f'{name}.npy', allow_pickle=True).item() for name in LAYOUTS)
    assert sorted(psa) == [1, 4] and all(cam.shape == SIZE and cam.dtype == np.float32 for cam in psa.values())
    assert np.pad(irn['keys'] + 1, (1, 0), mode='constant').tolist() == [0, 2, 5]
    assert irn['cam'].shape == (2, 6, 9) and isinstance(irn['cam'], torch.Tensor)
    assert irn['high_res'].shape == (2, *SIZE)
    assert np.pad(clip_es['keys'] + 1, (1, 0), mode='constant').tolist() == [0, 2, 5]
    assert clip_es['attn_highres'].shape == (2, *SIZE)


def test_activations_of_another_range(tmp_path):
    path = save(tmp_path / 'a.npy', {1: 7 * smooth(1)[0] - 1})
    with pytest.raises(DataError, match=r'a\.npy: expected activations in \[0, 1\], got .*; normalize them'):
        read_npy_seeds(path)
    cams = read_npy_seeds(path, normalize=True, stride=1).cams
    assert cams.min() == 0 and cams.max() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    'value, expected',
    [
        (np.zeros(3), 'expected a dict of activation maps, got ndarray'),
        ({'image': np.zeros((2, 2))}, 'got a dict of image'),
        (
            {'keys': np.array([1]), 'feature': np.zeros((1, 2, 2))},
            'expected maps under high_res or .*, got keys, feature',
        ),
        ({'keys': np.array([1, 2]), 'high_res': np.zeros((1, 2, 2))}, 'expected integer keys'),
        ({'keys': np.array([0.5]), 'high_res': np.zeros((1, 2, 2))}, 'expected integer keys'),
        ({'keys': np.array([1, 1]), 'high_res': np.zeros((2, 2, 2))}, 'each once'),
        ({'keys': np.array([-1]), 'high_res': np.zeros((1, 2, 2))}, 'expected keys from 0 to 253'),
        ({254: np.zeros((2, 2))}, 'expected keys from 0 to 253'),
        ({0: np.zeros((2, 2)), 1: np.zeros((2, 3))}, 'maps of one size'),
        ({0: np.full((2, 2), np.nan)}, 'finite'),
        ({0: np.zeros((0, 2))}, 'at least one cell'),
        ({0: np.zeros(4)}, 'expected integer keys'),
    ],
)
def test_what_is_no_seeds_is_named(tmp_path, value, expected):
    with pytest.raises(DataError, match=rf'a\.npy: .*{expected}'):
        read_npy_seeds(save(tmp_path / 'a.npy', value))


def test_maps_of_another_size_than_the_image(tmp_path):
    with pytest.raises(DataError, match=r'a\.npy: expected maps of the size of the image \(24, 37\)'):
        read_npy_seeds(save(tmp_path / 'a.npy', {0: smooth(1)[0]}), size=(24, 37))


def test_cut_off(tmp_path):
    path = save(tmp_path / 'a.npy', {0: smooth(1)[0]})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r'a\.npy'):
        read_npy_seeds(path)


def test_wrong_arguments_of_writing(tmp_path):
    seeds = Seeds(np.array([0], np.uint8), np.zeros((1, 2, 2), np.float16), (4, 4))
    with pytest.raises(ValueError, match='layout'):
        write_npy_seeds(tmp_path / 'a.npy', seeds, 'sea')
    with pytest.raises(ValueError, match='before the first'):
        write_npy_seeds(tmp_path / 'a.npy', seeds)
    assert list(tmp_path.iterdir()) == []
