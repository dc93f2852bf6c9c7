"""Files that try to run code are refused by everything that reads them, and the code does not run."""

import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint
from PIL import Image

from mmwsss.apis.inference import TrainedNetwork
from mmwsss.converters.weights.readers import read_tensors
from mmwsss.engine import find_resumable_checkpoint, launch, load_from_local
from mmwsss.fileio import DataError, checkpoints, packaged_weights, read_image, read_mask, read_seeds
from mmwsss.fileio.affinities import read_affinity
from mmwsss.fileio.feature_tables import read_feature_table
from mmwsss.fileio.features import read_features
from mmwsss.fileio.npy_seeds import read_npy_seeds
from mmwsss.fileio.pixel_weights import read_pixel_weights

# Of the arrays of seeds, features and affinities.
NAMES = ('class_ids', 'cams', 'size', 'features', 'affinity', 'edge', 'radius', 'displacement', 'stride')
READERS = (
    *(read_seeds, read_features, read_feature_table, read_affinity, read_npy_seeds, read_pixel_weights),
    *(read_mask, read_image, read_tensors),
)


class Payload:
    """Makes a folder while it is unpickled."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


@pytest.fixture
def marker(tmp_path):
    """The folder that a payload would make; it must not be there at the end."""
    yield tmp_path / 'executed'
    assert not (tmp_path / 'executed').exists()


@pytest.fixture
def crafted(tmp_path, marker):
    """``crafted(kind)`` writes a file with a payload."""

    def write(kind):
        path = tmp_path / f'crafted.{kind.partition(" ")[0]}'
        payload = np.array([Payload(marker)], dtype=object)
        if kind == 'npy':
            np.save(path, payload, allow_pickle=True)
        elif kind == 'npz':
            np.savez(path, **{name: payload for name in NAMES})
        elif kind == 'npz pickled':
            path.write_bytes(pickle.dumps(Payload(marker)))
        else:
            state = dict(state_dict=dict(weight=Payload(marker)), meta={}, message_hub={})
            torch.save(state, path, _use_new_zipfile_serialization=kind != 'pth old')
        return str(path)

    return write


def test_payload_works(crafted, tmp_path):
    """Where code is let in, it runs: otherwise these tests would prove nothing."""
    path = crafted('npy')
    np.load(path, allow_pickle=True)
    (tmp_path / 'executed').rmdir()


@pytest.mark.parametrize('read', READERS)
@pytest.mark.parametrize('kind', ['npy', 'npz', 'npz pickled', 'pth'])
def test_files_of_the_stages_and_of_others(crafted, kind, read):
    path = crafted(kind)
    with pytest.raises(DataError, match=r'crafted\.'):
        read(path)


def by_init_cfg(path, tmp_path):
    class Layer(BaseModule):
        def __init__(self):
            super().__init__(dict(type='Pretrained', checkpoint=path))
            self.layer = torch.nn.Linear(2, 2)

    Layer().init_weights()


def by_prefix(path, tmp_path):
    from mmengine.runner.checkpoint import _load_checkpoint_with_prefix

    _load_checkpoint_with_prefix('backbone.', path)


def by_inference(path, tmp_path):
    pipeline = [dict(type='PackSegInputs')]
    TrainedNetwork(Config(dict(model=dict(type='mmwsss_test_layer'), test_pipeline=pipeline)), path)


LOADERS = {
    'load_from_local': lambda path, _: load_from_local(path),
    'CheckpointLoader': lambda path, _: CheckpointLoader.load_checkpoint(path),
    'load_checkpoint': lambda path, _: load_checkpoint(torch.nn.Linear(2, 2), path),
    'init_cfg Pretrained': by_init_cfg,
    'init_cfg Pretrained with prefix': by_prefix,
    'inference': by_inference,
}


@pytest.fixture(scope='module', autouse=True)
def layer():
    from mmseg.registry import MODELS

    @MODELS.register_module(name='mmwsss_test_layer')
    class Layer(BaseModule):
        def __init__(self, data_preprocessor=None):
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)

    yield
    MODELS.module_dict.pop('mmwsss_test_layer')


@pytest.mark.parametrize('kind', ['pth', 'pth old'])
@pytest.mark.parametrize('load', LOADERS.values(), ids=LOADERS)
def test_checkpoints(crafted, tmp_path, kind, load):
    path = crafted(kind)
    with pytest.raises(DataError, match=r'crafted\.pth: .*nothing else is unpickled'):
        load(path, tmp_path)


def test_resume_passes_over_it(crafted, tmp_path):
    os.rename(crafted('pth'), tmp_path / 'iter_9.pth')
    assert find_resumable_checkpoint(str(tmp_path)) is None


@pytest.mark.parametrize('key', ['load_from', 'resume'])
def test_runner(crafted, tmp_path, monkeypatch, key):
    monkeypatch.syspath_prepend(str(launch.Path(__file__).parents[1] / 'tools'))
    config = launch.Path(__file__).parents[1] / 'tools/toy_config.py'
    cfg = launch.load_config(str(config), options=dict(load_from=crafted('pth'), resume=key == 'resume'))
    cfg.work_dir, cfg.launcher = str(tmp_path / 'work'), 'none'
    with pytest.raises(DataError, match=r'crafted\.pth: .*nothing else is unpickled'):
        launch.train(cfg)


def test_weights_that_pip_installed(crafted, monkeypatch):
    path = crafted('pth')
    monkeypatch.setattr(checkpoints, 'find_packaged_weights', lambda address: packaged_weights.Path(path))
    with pytest.raises(DataError, match=r'crafted\.pth: .*nothing else is unpickled'):
        CheckpointLoader.load_checkpoint('registry://efficientnet-lite1')


NAMED = ['https://host/crafted.pth', 'http://host/crafted.pth', 'torchvision://resnet18', 'open-mmlab://resnet50_v1c',
         'mmcls://vgg11']  # fmt: skip


@pytest.mark.parametrize('address', NAMED)
def test_downloads(crafted, tmp_path, monkeypatch, address):
    """The download itself is replaced; the file lies under a name of its address."""
    content, asked = open(crafted('pth'), 'rb').read(), []

    def download(url, target):
        asked.append(url)
        with open(target, 'wb') as file:
            file.write(content)

    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    monkeypatch.setattr(checkpoints, 'get_torchvision_models', lambda: dict(resnet18='https://host/r18.pth'))
    for _ in range(2):
        with pytest.raises(DataError, match='nothing else is unpickled'):
            CheckpointLoader.load_checkpoint(address)
    assert len(asked) == 1 and asked[0].startswith('http')


@pytest.mark.parametrize(
    'address',
    ['s3://bucket/a.pth', 'petrel://a.pth', 'main:s3://a.pth', 'pavi://a', 'mmcls://none', 'openmmlab://none'],
)
def test_other_addresses_are_refused(address):
    with pytest.raises(DataError, match=address.split(':')[0]):
        CheckpointLoader.load_checkpoint(address)


def test_files_of_one_name_at_two_addresses_are_two(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(torch.hub, 'download_url_to_file', lambda url, target: torch.save(dict(url=url), target))
    for url in ('https://a/model.pth', 'https://b/model.pth'):
        assert CheckpointLoader.load_checkpoint(url) == dict(url=url)


def test_download_that_fails(tmp_path, monkeypatch):
    def download(url, target):
        raise OSError('no route')

    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    with pytest.raises(DataError, match=r'https://a/model\.pth: the checkpoint cannot be downloaded \(no route\)'):
        CheckpointLoader.load_checkpoint('https://a/model.pth')


def test_mask_is_opened_by_no_program(tmp_path, monkeypatch):
    """Pillow hands PostScript to Ghostscript."""
    Image.new('L', (9, 9)).save(tmp_path / 'm.eps')
    monkeypatch.setattr('PIL.EpsImagePlugin.Ghostscript', lambda *_, **__: pytest.fail('Ghostscript was called'))
    with pytest.raises(DataError, match=r'm\.eps: expected a PNG mask'):
        read_mask(tmp_path / 'm.eps')
    with pytest.raises(DataError, match=r'm\.eps: expected an image'):
        read_image(str(tmp_path / 'm.eps'))
