"""The networks and schedules of the released AffinityNet, as base configs."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS

import mmwsss.registry  # noqa: F401

pytestmark = pytest.mark.usefixtures('mmseg_scope')

BASE = Path(__file__).parents[2] / 'configs' / '_base_'
CASES = [
    ('cam_resnet38d', 'psa_cls', 0.1, 9915),
    ('cam_vgg16', 'psa_cls', 0.1, 9915),
    ('affinity_resnet38d', 'psa_aff_resnet38d', 0.01, 10576),
    ('affinity_vgg16', 'psa_aff_vgg16', 0.1, 10576),
]


@pytest.fixture(params=CASES, ids=[case[0] for case in CASES])
def case(request):
    """Model and optimizer of a base config, with few channels, and what is expected."""
    name, schedule, lr, max_iters = request.param
    config = Config.fromfile(BASE / 'models' / f'{name}.py').model
    if name.startswith('cam'):
        config.head.num_classes = 20
    config.backbone.base_channels = 4
    config.head.in_channels = (
        config.head.in_channels // 16 if name.startswith('cam') else [c // 16 for c in config.head.in_channels]
    )
    schedule = Config.fromfile(BASE / 'schedules' / f'{schedule}.py')
    return MODELS.build(config), schedule, lr, max_iters


def test_learning_rate_groups(case):
    """Weights 1, biases 2 and without decay, new weights 10; GroupNorms, though new, count with the backbone."""
    model, schedule, lr, max_iters = case
    optimizer = build_optim_wrapper(model, schedule.optim_wrapper).optimizer
    groups = {id(parameter): group for group in optimizer.param_groups for parameter in group['params']}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            assert id(parameter) not in groups and name.startswith('backbone.')
            continue
        group = groups[id(parameter)]
        new = name.startswith('head.') and parameter.ndim == 4
        bias = name.endswith('.bias')
        assert group['lr'] == pytest.approx(lr * (10 if new else 2 if bias else 1)), name
        assert group['weight_decay'] == (0 if bias else 5e-4), name
        assert group['momentum'] == 5e-4
    assert schedule.train_cfg.max_iters == max_iters


def test_poly_schedule(case):
    _, schedule, _, _ = case
    (poly,) = schedule.param_scheduler
    assert poly == dict(type='PolyLR', eta_min=0.0, power=0.9, by_epoch=False)


def test_one_step_and_frozen_stages(case):
    model, schedule, _, _ = case
    model.init_weights()
    model.train()
    optim_wrapper = build_optim_wrapper(model, schedule.optim_wrapper)
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    assert any(name.startswith('backbone.stage2.') for name in frozen)
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    feats = model.backbone(torch.rand(2, 3, 64, 72))
    if hasattr(model.head, 'classifier'):
        losses = model.head.loss(feats, torch.ones(2, 20))
    else:
        losses = model.head.loss(feats, torch.randint(0, 3, (2, 64, 72)))
    optim_wrapper.update_params(sum(losses.values()))
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    assert changed and not changed & frozen
    assert any(name.startswith('head.') for name in changed)
