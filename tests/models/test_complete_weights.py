"""A localizer and an affinity model take a checkpoint of another network from nobody, and a part of one in training."""

import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.runner.checkpoint import load_checkpoint
from mmseg.registry import MODELS

from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture(params=['cam', 'affinity'])
def config(request, cam_config, affinity_config):
    return cam_config() if request.param == 'cam' else affinity_config()


@pytest.fixture
def save(tmp_path):
    def save_weights(state_dict):
        path = tmp_path / 'weights.pth'
        torch.save(dict(state_dict=state_dict, meta={}), path)
        return str(path)

    return save_weights


def without_head(model):
    return {name: value for name, value in model.state_dict().items() if name.startswith('backbone.')}


def test_all_parameters_are_asked_for_where_none_was_initialized(config, save):
    model, other = MODELS.build(config), MODELS.build(config)
    load_checkpoint(model, save(other.state_dict()))
    for name, value in other.state_dict().items():
        assert torch.equal(model.state_dict()[name], value)
    with pytest.raises(DataError, match=rf'checkpoint of {type(model).__name__} as configured, but it lacks head\.'):
        load_checkpoint(model, save(without_head(other)))


def test_parameters_of_another_shape_are_refused(config, save):
    model = MODELS.build(config)
    state_dict = {**model.state_dict(), 'backbone.layer1.0.conv1.weight': torch.ones(1)}
    with pytest.raises(DataError, match=r'has backbone\.layer1\.0\.conv1\.weight \(1,\) instead of'):
        load_checkpoint(model, save(state_dict))


def test_a_part_of_a_larger_model_is_asked_for_all_its_parameters_too(config, save):
    larger, other = (torch.nn.ModuleDict(dict(part=MODELS.build(config))) for _ in range(2))
    load_checkpoint(larger, save(other.state_dict()))
    with pytest.raises(DataError, match=r'lacks head\.'):
        load_checkpoint(larger, save({f'part.{name}': value for name, value in without_head(other['part']).items()}))


def test_an_initialized_model_starts_from_a_part(config, save):
    model, other = MODELS.build(config), MODELS.build(config)
    model.init_weights()
    load_checkpoint(model, save(without_head(other)))
    assert all(torch.equal(model.state_dict()[name], value) for name, value in without_head(other).items())


def test_an_init_cfg_of_the_whole_model_may_name_a_part(config, save):
    other = MODELS.build(config)
    model = MODELS.build(dict(config, init_cfg=dict(type='Pretrained', checkpoint=save(without_head(other)))))
    model.init_weights()
    assert all(torch.equal(model.state_dict()[name], value) for name, value in without_head(other).items())


def test_a_part_can_be_loaded_by_torch(config):
    model = MODELS.build(config)
    missing, _ = model.load_state_dict(without_head(model), strict=False)
    assert all(name.startswith('head.') for name in missing)


def test_the_average_of_a_training_that_starts_from_a_part_may_too(config, save):
    from types import SimpleNamespace

    model, other = MODELS.build(config), MODELS.build(config)
    runner, hook = SimpleNamespace(model=model, _resume=False), EMAHook()
    hook.before_run(runner)
    hook.after_load_checkpoint(runner, dict(state_dict=without_head(other)))
    averaged = hook.ema_model.module.state_dict()
    assert all(torch.equal(averaged[name], value) for name, value in without_head(other).items())
