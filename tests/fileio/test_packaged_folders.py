from pathlib import Path

import pytest

import mmwsss
from mmwsss.fileio import DataError
from mmwsss.fileio.packaged_folders import find_folder

ROOT = Path(__file__).parents[2]


def test_a_clone_has_them_beside_the_package():
    assert find_folder('configs') == ROOT / 'configs' and find_folder('tools') == ROOT / 'tools'


def test_an_installed_package_brings_them(tmp_path, monkeypatch):
    monkeypatch.setattr(mmwsss, '__file__', str(tmp_path / 'mmwsss' / '__init__.py'))
    with pytest.raises(DataError, match=r'expected its tools in \.mim'):
        find_folder('tools')
    (tmp_path / 'mmwsss' / '.mim' / 'tools').mkdir(parents=True)
    (tmp_path / 'tools').mkdir()
    assert find_folder('tools') == tmp_path / 'mmwsss' / '.mim' / 'tools', 'a folder of somebody else is no clone'
