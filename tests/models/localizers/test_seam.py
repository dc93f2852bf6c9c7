"""SEAM is a localizer like any other; its correlation learns, and the backbone learns nothing from it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from role_testers import LocalizerTester, images_of, labeled, train_steps

from mmwsss.ops import correlation_input, spread_by_correlation, stretch_maps
from mmwsss.ops.maps import resize_maps
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')

SINGLE = dict(scales=(1,), flip=False, seed_stride=8)
LEAF = Path(__file__).parents[3] / 'configs/seam/scenes/r18/cam.py'


@pytest.fixture
def config(cam_config):
    def make(num_classes=3, correlation=None, view_scale=0.5, **test_cfg):
        correlation = dict(channels=(4, 8)) if correlation is None else correlation
        return dict(
            cam_config(num_classes, **test_cfg), type='mmwsss.SEAM', view_scale=view_scale, correlation=correlation
        )

    return make


class TestSEAM(LocalizerTester):
    @pytest.fixture
    def config(self, config):
        return config

    @pytest.mark.parametrize('size', [(40, 48), (37, 45)])
    def test_training_lowers_the_loss_of_a_fixed_batch(self, build, size):
        """That of the classifier; and of the correlation, whose goal moves as long as the classifier learns."""
        samples = [labeled([1, 0, 0], size), labeled([0, 1, 1], size)]
        data = dict(inputs=list(images_of(size, 2)), data_samples=samples)
        model = build()
        both = [one['loss_cls'] + one['loss_er'] for one in train_steps(model, data)]
        assert both[-1] < 0.98 * both[0]
        model = build()
        model.backbone.requires_grad_(False)
        model.head.requires_grad_(False)
        rest = [one['loss_min'] + one['loss_ecr'] for one in train_steps(model, data)]
        assert rest[-1] < 0.9 * rest[0]


def seam(config, *args, **kwargs):
    torch.manual_seed(0)
    model = MODELS.build(config(*args, **kwargs))
    model.init_weights()
    return model.eval()


@torch.no_grad()
def test_one_pass_is_the_formula(config):
    model, images = seam(config), images_of((33, 41), 2).float() / 255
    seen = model.localize(images, [])
    feats = model.backbone(images)
    raw = model.head.classifier(feats[-1])
    parts = [resize_maps(images, raw.shape[2:], align_corners=True)]
    parts += [projection(tap).relu() for projection, tap in zip(model.correlation.projections, feats[1:3], strict=True)]
    features = model.correlation.mix(
        torch.cat([resize_maps(one, raw.shape[2:], align_corners=True) for one in parts], 1)
    )
    spread = spread_by_correlation(correlation_input(raw), features)
    torch.testing.assert_close(seen.maps, resize_maps(spread[:, 1:], (33, 41), align_corners=True))
    logits = resize_maps(raw, (33, 41), align_corners=True).mean((2, 3))
    torch.testing.assert_close(seen.scores, logits.sigmoid())
    torch.testing.assert_close(model(images), logits)


def test_seeds_are_the_sum_stretched(config):
    model, size = seam(config, scales=(1, 2), scale_weights=(1, 3), flip=True, seed_stride=1), (40, 56)
    maps = [torch.rand(2, *(side * scale for side in size)) for scale in (1, 1, 2, 2)]
    flips = [False, True, False, True]
    seeds = model.make_seeds(labeled([1, 0, 1]), torch.tensor([0, 2]), maps, flips)
    parts = [resize_maps(one, size) for one in maps]
    total = parts[0] + parts[1].flip(-1) + 3 * (parts[2] + parts[3].flip(-1))
    np.testing.assert_allclose(seeds.cams, stretch_maps(total[None])[0].numpy(), atol=1e-3)


def gradients(model, names):
    """Names of the parameters that the sum of some losses moves."""
    model.train()
    losses = model.loss(images_of(batch=2).float() / 255, [labeled([1, 0, 1]), labeled([0, 1, 0])])
    model.zero_grad()
    sum(losses[name] for name in names).backward()
    return {name for name, value in model.named_parameters() if value.grad is not None and value.grad.abs().sum() > 0}


def test_which_losses_train_what(config):
    model = seam(config)
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    learned = {name for name in trained if name.startswith('correlation.')}
    assert len(learned) == 3
    assert gradients(model, ['loss_min', 'loss_ecr']) == learned
    of_classifier = gradients(model, ['loss_cls', 'loss_er'])
    assert 'head.classifier.weight' in of_classifier and not of_classifier & learned


def test_bfloat16_keeps_the_correlation_exact(config):
    model = seam(config)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(images_of(batch=2).float() / 255, [labeled([1, 0, 1])] * 2)
    assert all(loss.dtype == torch.float32 and loss.isfinite() for loss in losses.values())


@pytest.mark.parametrize(
    'correlation, index, channels',
    [
        ({}, (1, 2), (16, 32)),
        (dict(in_index=(0, 3)), (0, 3), (8, 64)),
        (dict(in_index=(-1,)), (-1,), (64,)),
    ],
)
def test_taps_are_those_of_the_backbone(config, correlation, index, channels):
    model = MODELS.build(config(correlation=correlation))
    assert (model.correlation.in_index, model.correlation.in_channels) == (index, channels)


def test_a_backbone_of_one_output(config):
    cfg = config(correlation={})
    cfg['backbone'].update(out_indices=(3,))
    assert MODELS.build(cfg).correlation.in_channels == (64,)


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(view_scale=1.0), r'view_scale of SEAM must be in \(0, 1\), got 1.0'),
        (dict(correlation=dict(in_index=(7,))), 'the backbone has 4 outputs, 7 is none of them'),
        (dict(correlation=dict(channels=(4,))), 'must be of one length'),
        (dict(SINGLE, peak_quantile=0.9), 'peak_quantile of test_cfg'),
    ],
)
def test_wrong_arguments_are_named(config, settings, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(config(**settings))


def test_labels_of_other_classes_are_refused(config):
    with pytest.raises(ValueError, match=r'\(B, num_classes\) = \(1, 3\), got \(1, 2\)'):
        seam(config).loss(images_of().float(), [labeled([1, 0])])


def test_two_iterations_of_the_leaf():
    cfg = Config.fromfile(LEAF)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.train()
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    data = dict(inputs=list(images_of((64, 64), 2)), data_samples=[labeled([1, 0, 1, 0, 0], (64, 64))] * 2)
    losses = [model.train_step(data, optim_wrapper) for _ in range(2)]
    assert all(value.isfinite() for one in losses for value in one.values())
    assert {'loss', 'loss_cls', 'loss_min', 'loss_er', 'loss_ecr'} <= set(losses[0])
