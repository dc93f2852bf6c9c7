"""Configs inherit those of MMSegmentation and of this package by name."""

import subprocess
import sys

SCRIPT = """
import sys
import mmwsss
assert 'mmengine' not in sys.modules
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE
print(MODULE2PACKAGE['mmwsss'], Config.fromfile(sys.argv[1]).model.type)
"""


def test_importing_the_package_teaches_the_names_of_configs(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text("_base_ = 'mmseg::_base_/models/fcn_r50-d8.py'\n")
    command = [sys.executable, '-W', 'ignore', '-c', SCRIPT, str(config)]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines()[-1] == 'mmwsss EncoderDecoder'
