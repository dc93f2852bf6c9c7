"""The scope ``mmwsss``: what a config can name."""

import importlib
import inspect
import subprocess
import sys
from collections import OrderedDict

import pytest
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer

from mmwsss import registry

# Registry: packages in whose ``__init__`` its components are public.
ROOMS = dict(
    DATASETS=('datasets',),
    DATA_SAMPLERS=('datasets',),
    HOOKS=('engine', 'engine.hooks'),
    LOOPS=('engine', 'engine.loops'),
    METRICS=('evaluation', 'evaluation.metrics'),
    MODELS=('models',),
    OPTIM_WRAPPERS=('engine',),
    PARAM_SCHEDULERS=(),
    TRANSFORMS=('datasets', 'datasets.transforms'),
    VISBACKENDS=('visualization',),
)


def components(name):
    ours = getattr(registry, name)
    ours.import_from_location()
    return sorted(one for one in ours.module_dict.items() if one[1].__module__.startswith('mmwsss.'))


COMPONENTS = [pytest.param(name, *one, id=f'{name}-{one[0]}') for name in ROOMS for one in components(name)]


@pytest.fixture(autouse=True)
def no_scope(monkeypatch):
    """Without the scopes that runners of other tests left."""
    monkeypatch.setattr(DefaultScope, '_instance_dict', OrderedDict())


def test_every_registry_is_swept():
    found = {name for name, value in vars(registry).items() if isinstance(value, registry.Registry)}
    assert found == set(ROOMS)
    assert all(getattr(registry, name).scope == 'mmwsss' for name in found)
    assert len(COMPONENTS) > 30 and all(
        any(name == case.values[0] for case in COMPONENTS) for name in ROOMS if ROOMS[name]
    )


@pytest.mark.parametrize('name, kind, component', COMPONENTS)
def test_component_is_public_and_documented(name, kind, component):
    for room in ROOMS[name]:
        package = importlib.import_module(f'mmwsss.{room}')
        assert getattr(package, kind) is component and kind in package.__all__
    assert kind == component.__name__
    assert component.__doc__ and len(component.__doc__.strip().partition('\n')[0].split()) > 2
    own = component.__dict__.get('__init__')
    if own is not None and len(inspect.signature(own).parameters) > 1:
        assert 'Args' in component.__doc__ or 'kwargs' in inspect.signature(own).parameters


@pytest.mark.parametrize('name, kind, component', COMPONENTS)
def test_component_is_found_under_its_scope(name, kind, component):
    ours = getattr(registry, name)
    with DefaultScope.overwrite_default_scope('mmseg'):
        assert ours.parent.get(f'mmwsss.{kind}') is component
    assert ours.get(f'mmwsss.{kind}') is component and ours.get(kind) is component


# What components are built with here, where they have no default. Networks, data sets and loops have tests of their own.
ARGUMENTS = dict(
    AffinityLabelMetric=dict(chain='labels'),
    Background=dict(score=0.2),
    InstanceMetric=dict(chain='instances'),
    LinearHead=dict(in_channels=4, num_classes=3),
    LoadLabelMap=dict(source='pseudo_mask'),
    PseudoMaskMetric=dict(chain='masks'),
    RandomCropOrPad=dict(crop_size=(8, 8)),
    VOCSubmissionMetric=dict(output_dir='out'),
    AffinityHead=dict(in_channels=(4, 4, 4)),
    CAMHead=dict(in_channels=4, num_classes=3),
    DeepLabV2Head=dict(in_channels=4, num_classes=3),
)
BUILT = [
    case for case in COMPONENTS if case.values[1] in ARGUMENTS or case.values[0] in ('HOOKS', 'METRICS', 'TRANSFORMS')
]


@pytest.mark.parametrize('name, kind, component', BUILT)
def test_component_is_built_with_the_scope_of_mmseg_and_without_any(name, kind, component):
    Visualizer.get_instance('visualizer')  # as a runner has one
    ours, cfg = getattr(registry, name), dict(type=f'mmwsss.{kind}', **ARGUMENTS.get(kind, {}))
    assert type(ours.build(dict(cfg))) is type(ours.parent.build(dict(cfg))) is component
    with DefaultScope.overwrite_default_scope('mmseg'):
        assert type(ours.build(dict(cfg))) is type(ours.parent.build(dict(cfg))) is component


def test_our_registries_need_no_scope_and_know_those_of_mmseg():
    assert type(registry.MODELS.build(dict(type='ResNet38d'))).__name__ == 'ResNet38d'
    head = registry.MODELS.build(dict(type='FCNHead', in_channels=4, channels=4, num_classes=2))
    assert type(head).__module__.startswith('mmseg.')


FRESH = """
import os, sys
import mmengine.runner, mmseg.models, mmseg.datasets, torch
for code in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            exec(code)
        except BaseException as error:
            print(f'{code}: {error!r}', file=sys.stderr)
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(1)
"""


def run_fresh(*codes):
    """Runs each code in a process that has imported nothing of this package."""
    command = [sys.executable, '-c', FRESH, *codes]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr


def test_each_package_can_be_imported_first_and_the_registry_is_all_that_a_config_needs():
    names = ['registry', 'structures', 'fileio', 'visualization', 'models', 'datasets', 'evaluation', 'engine', 'apis']
    needed = (
        'import mmwsss.registry; from mmengine.registry import DefaultScope; from mmseg.registry import MODELS; '
        'DefaultScope.get_instance("test", scope_name="mmseg"); '
        'assert "beta=8" in repr(MODELS.build(dict(type="mmwsss.RandomWalk")))'
    )
    run_fresh(*[f'import mmwsss.{name}' for name in names], 'import mmwsss.models.label_chain', needed)
