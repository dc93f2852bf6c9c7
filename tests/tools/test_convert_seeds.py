"""Seeds of other code to ours and back, by the command line."""

import os

import cv2
import numpy as np
import pytest
import torch

from mmwsss.commands import parse
from mmwsss.commands.convert import seeds
from mmwsss.fileio import DataError, read_seeds


@pytest.fixture
def convert():
    return lambda *arguments: seeds.run(parse(seeds, [str(argument) for argument in arguments]))


@pytest.fixture
def irn_folder(tmp_path):
    folder, rng = tmp_path / 'irn', np.random.default_rng(0)
    for image_id, keys in (('a', [0, 4]), ('sub/b', [2])):
        (folder / image_id).parent.mkdir(parents=True, exist_ok=True)
        full = rng.random((len(keys), 16, 24), np.float32)
        cam = torch.from_numpy(full.reshape(-1, 4, 4, 6, 4).mean((2, 4)))
        np.save(folder / f'{image_id}.npy', {'keys': torch.tensor(keys), 'cam': cam, 'high_res': full})
    return folder


def test_import_and_export(tmp_path, irn_folder, convert, capsys):
    convert('import', irn_folder, tmp_path / 'seeds')
    assert 'seeds of 2 images, 3 maps' in capsys.readouterr().out
    assert read_seeds(tmp_path / 'seeds/a.npz').class_ids.tolist() == [1, 5]
    stored = read_seeds(tmp_path / 'seeds/sub/b.npz')
    original = np.load(irn_folder / 'sub/b.npy', allow_pickle=True).item()
    np.testing.assert_allclose(stored.cams, original['cam'], atol=1e-3)
    convert('export', tmp_path / 'seeds', tmp_path / 'back', '--layout', 'psa')
    assert sorted(np.load(tmp_path / 'back/a.npy', allow_pickle=True).item()) == [0, 4]


def test_sizes_of_images(tmp_path, irn_folder, convert):
    (tmp_path / 'images').mkdir()
    cv2.imwrite(str(tmp_path / 'images/a.jpg'), np.zeros((15, 23, 3), np.uint8))
    (tmp_path / 'list.txt').write_text('a\n')
    options = ('--list', tmp_path / 'list.txt', '--images', tmp_path / 'images', '--num-workers', 0)
    convert('import', irn_folder, tmp_path / 'seeds', *options, '--maps', 'cam')
    assert read_seeds(tmp_path / 'seeds/a.npz').size == (15, 23)
    with pytest.raises(DataError, match=r'a\.npy: expected maps of the size of the image \(15, 23\)'):
        convert('import', irn_folder, tmp_path / 'seeds', *options)
    os.remove(tmp_path / 'images/a.jpg')
    with pytest.raises(DataError, match='expected an image a.jpg or .png'):
        convert('import', irn_folder, tmp_path / 'seeds', *options)


def test_missing_files_are_named(tmp_path, irn_folder, convert):
    (tmp_path / 'list.txt').write_text('a\nc\n')
    with pytest.raises(DataError, match=r'1 are missing:\n.*c\.npy'):
        convert('import', irn_folder, tmp_path / 'seeds', '--list', tmp_path / 'list.txt')
    with pytest.raises(DataError, match=r'expected \.npz files, found none'):
        convert('export', irn_folder, tmp_path / 'back')


def test_a_file_that_runs_code_is_refused(tmp_path, irn_folder, convert):
    class Evil:
        def __reduce__(self):
            return os.system, (f'touch {tmp_path / "ran"}',)

    np.save(irn_folder / 'a.npy', {0: Evil()})
    with pytest.raises(DataError, match=r'a\.npy: expected a \.npy file of arrays, dicts and numbers, got .*system'):
        convert('import', irn_folder, tmp_path / 'seeds')
    assert not (tmp_path / 'ran').exists() and not (tmp_path / 'seeds/a.npz').exists()
