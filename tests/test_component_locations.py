"""Importing the package is cheap, and enough for configs and code that name its components."""

import subprocess
import sys

import pytest

IMPORTED = """
import sys
import mmwsss
heavy = {'torch', 'numpy', 'mmengine', 'mmcv', 'mmseg', 'cv2'} & set(sys.modules)
assert not heavy, heavy
assert not [name for name in sys.modules if name.startswith('mmwsss.') and name.count('.') > 1]
"""
BUILT = """
from mmseg.registry import DATASETS, HOOKS, METRICS, MODELS, TRANSFORMS
assert type(MODELS.build(dict(type='ResNet38d'))).__module__.startswith('mmwsss.')
assert MODELS.get('CrossEntropyLoss').__module__.startswith('mmseg.'), 'names of others stay their own'
assert TRANSFORMS.get('LoadImageFromFile').__module__.startswith('mmcv.')
assert TRANSFORMS.get('mmwsss.LoadImageFromFile').__module__.startswith('mmwsss.')
for registry, name in ((DATASETS, 'ImageLabelDataset'), (HOOKS, 'FinalCheckpointHook'), (METRICS, 'SeedMetric')):
    assert registry.get(name).__module__.startswith('mmwsss.') and registry.get(f'mmwsss.{name}') is registry.get(name)
"""
LATE = """
from mmseg.registry import MODELS
MODELS.get('FCNHead')
import mmwsss
assert MODELS.get('CAMClassifier').__module__.startswith('mmwsss.')
"""
BY_CONFIG = """
from mmengine.config import Config
from mmseg.registry import MODELS
Config.fromfile(sys.argv[1])
assert type(MODELS.build(dict(type='PAR'))).__module__.startswith('mmwsss.')
"""


@pytest.mark.parametrize('code', [IMPORTED + BUILT, LATE, 'import sys' + BY_CONFIG], ids=['first', 'late', 'config'])
def test_importing_the_package_is_cheap_and_enough(tmp_path, code):
    config = tmp_path / 'mine.py'
    config.write_text("custom_imports = dict(imports=['mmwsss'], allow_failed_imports=False)\n")
    finished = subprocess.run([sys.executable, '-W', 'ignore', '-c', code, config], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == '', 'nothing is printed that is not ours to say'
