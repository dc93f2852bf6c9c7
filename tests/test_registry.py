"""Components of the package are found by their scope, without an import of their own."""

import json
import subprocess
import sys

import pytest

COMPONENTS = {
    'DATASETS': ['ImageLabelDataset', 'SkipBadDataset'],
    'DATA_SAMPLERS': ['RepeatFactorSampler'],
    'HOOKS': ['FinalCheckpointHook'],
    'LOOPS': ['LabelLoop'],
    'METRICS': ['SeedMetric'],
    'MODELS': ['CAMClassifier', 'AffinityNet', 'PAR', 'ArgmaxLabeler'],
    'OPTIM_WRAPPERS': ['BFloat16OptimWrapper'],
    'TRANSFORMS': ['LoadSeeds'],
    'VISBACKENDS': ['MLflowImageBackend'],
}
SCRIPT = """
import json, sys
from mmseg import registry as parents
import mmwsss.registry
found = {
    name: [getattr(parents, name).get(f'mmwsss.{component}') is not None for component in components]
    for name, components in json.loads(sys.argv[1]).items()
}
from mmengine.runner import checkpoint
loader = checkpoint.CheckpointLoader._schemes['']
print(json.dumps([found, loader.__module__]))
"""


@pytest.fixture(scope='module')
def fresh_process():
    command = [sys.executable, '-W', 'ignore', '-c', SCRIPT, json.dumps(COMPONENTS)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


@pytest.mark.parametrize('registry', COMPONENTS)
def test_components_are_found_without_an_import(fresh_process, registry):
    assert all(fresh_process[0][registry])


def test_the_registries_bring_the_strict_loader(fresh_process):
    assert fresh_process[1].startswith('mmwsss.')
