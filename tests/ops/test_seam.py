"""SEAM's formulas: recorded results of the released code, slow versions and known answers."""

import os
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmwsss.ops import (
    add_rest,
    correlation_input,
    cross_regularization_loss,
    equivariance_loss,
    keep_best_class,
    min_pooling_loss,
    seam,
    seam_losses,
    spread_by_correlation,
    spread_by_cosine,
    stretch_maps,
)

# The maps of the large view are rounded to 16 bits of mantissa, which keeps the archive small.
RECORDED = Path(os.environ.get('METHODS_ORACLES') or Path(__file__).parents[1] / 'data' / 'seam_reference.npz')
TERMS = ('cls1', 'cls2', 'min1', 'min2', 'er', 'ecr1', 'ecr2', 'total')


@pytest.fixture(scope='module')
def recorded():
    with np.load(RECORDED, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files if key.startswith('seam_')}

    def group(name):
        found = {key.removeprefix(f'{name}/'): value for key, value in arrays.items() if key.startswith(f'{name}/')}
        if not found:
            pytest.skip(f'{RECORDED} holds no group {name}')
        return {key: torch.from_numpy(value) if value.ndim else value for key, value in found.items()}

    return group


def random(*shape, seed=2):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def views(seed=1, classes=3):
    """Maps and spread maps of two views, and labels."""
    sizes = ((9, 11), (4, 5))
    maps = tuple(random(2, classes, *size, seed=seed + size[0]) for size in sizes)
    spread = tuple(random(2, classes + 1, *size, seed=seed + 20 + size[0]) for size in sizes)
    return maps, spread, torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])[:, :classes]


def close_to_largest(found, expected, share=1e-4):
    torch.testing.assert_close(found, expected.to(found.dtype), atol=share * expected.abs().max().item(), rtol=0)


def test_recorded_input_of_the_correlation(recorded):
    case = recorded('seam_pcm')
    close_to_largest(correlation_input(case['raw_cam'][:, 1:]), case['cam_in'])


def test_recorded_correlation(recorded_methods):
    case = recorded_methods('seam_pcm')
    weight = torch.randn(
        (192, 195, 1, 1), generator=torch.Generator().manual_seed(zlib.crc32(f'{case["salt"]}/f9.weight'.encode()))
    )
    features = F.conv2d(torch.from_numpy(case['features']), weight * (1 / 195) ** 0.5)
    found = spread_by_correlation(torch.from_numpy(case['cam_in']), features)
    close_to_largest(found, torch.from_numpy(case['cam_rv']))


@pytest.fixture
def losses_of(recorded):
    """Losses of the recorded maps, and these, which have gradients after a backward pass."""
    case = recorded('seam_loss')
    maps = [case[f'cam{view}'].clone().requires_grad_() for view in (1, 2)]
    spread = [case[f'cam_rv{view}'].clone().requires_grad_() for view in (1, 2)]
    losses = seam_losses(tuple(one[:, 1:] for one in maps), tuple(spread), case['label'])
    return case, losses, maps, spread


def test_recorded_losses(losses_of):
    case, losses, _, _ = losses_of
    terms = dict(zip(TERMS, case['cls1_cls2_min1_min2_er_ecr1_ecr2_total'].tolist(), strict=True))
    assert losses['loss_cls'].item() == pytest.approx((terms['cls1'] + terms['cls2']) / 2, rel=1e-4)
    assert losses['loss_min'].item() == pytest.approx((terms['min1'] + terms['min2']) / 2, rel=1e-4)
    assert losses['loss_er'].item() == pytest.approx(terms['er'], rel=1e-4)
    assert losses['loss_ecr'].item() == pytest.approx(terms['ecr1'] + terms['ecr2'], rel=1e-4)
    assert sum(losses.values()).item() == pytest.approx(terms['total'], rel=1e-4)


def test_recorded_gradients(losses_of):
    case, losses, maps, spread = losses_of
    sum(losses.values()).backward()
    for view in (1, 2):
        close_to_largest(maps[view - 1].grad, case[f'grad_cam{view}'])
        close_to_largest(spread[view - 1].grad, case[f'grad_cam_rv{view}'])


def test_recorded_fusion_but_for_what_it_makes_negative(recorded):
    case = recorded('seam_infer')
    total = case['maps_unflipped'].sum(0)[None]
    close_to_largest(stretch_maps(total)[0], case['norm_cam'].clamp(min=0))


def test_gradients_of_each_part():
    maps, spread, labels = views()
    leaves = [one.clone().requires_grad_() for one in (*maps, *spread)]
    losses = seam_losses(tuple(leaves[:2]), tuple(leaves[2:]), labels)
    for name, loss in losses.items():
        of_maps, of_spread = loss_gradients(loss, leaves)
        in_maps = name in ('loss_cls', 'loss_er')
        assert (of_maps, of_spread) == (in_maps, not in_maps), name


def loss_gradients(loss, leaves):
    """Whether a loss has gradients in the maps and in the spread maps."""
    grads = torch.autograd.grad(loss, leaves, allow_unused=True, retain_graph=True)
    used = [grad is not None and bool(grad.abs().sum() > 0) for grad in grads]
    return any(used[:2]), any(used[2:])


def test_numerical_gradients():
    maps, features = random(1, 2, 2, 3).abs().requires_grad_(), random(1, 4, 2, 3, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(spread_by_correlation, (maps, features))
    assert torch.autograd.gradcheck(stretch_maps, (random(1, 2, 3, 4).requires_grad_(),))


@pytest.mark.parametrize('block', [1, 7, 4096])
def test_correlation_in_blocks_is_the_cosine_affinity_of_power_1(monkeypatch, block):
    monkeypatch.setattr(seam, 'BLOCK', block)
    maps, features = random(2, 3, 4, 5), random(2, 6, 4, 5, seed=5)
    expected = spread_by_cosine(maps, features, power=1)
    torch.testing.assert_close(spread_by_correlation(maps, features), expected)


def test_correlation_cell_by_cell():
    maps, features = random(1, 2, 3, 4), random(1, 5, 3, 4, seed=4)
    flat, vectors = maps[0].flatten(1), features[0].flatten(1)
    expected = torch.zeros_like(flat)
    for target in range(12):
        weights = [
            max(torch.cosine_similarity(vectors[:, source], vectors[:, target], dim=0).item(), 0)
            for source in range(12)
        ]
        expected[:, target] = sum(w * flat[:, source] for source, w in enumerate(weights)) / sum(weights)
    torch.testing.assert_close(spread_by_correlation(maps, features)[0].flatten(1), expected, atol=1e-4, rtol=0)


def test_losses_pixel_by_pixel():
    target, output = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    kept = target.clone()
    for image in range(2):
        for y in range(4):
            for x in range(5):
                low = 1 if target[image, 1, y, x] < target[image, 2, y, x] else 2
                kept[image, low, y, x] = 0
    assert torch.equal(keep_best_class(target), kept)
    hardest = [sorted((kept - output)[image].abs().flatten().tolist())[-12:] for image in range(2)]
    assert cross_regularization_loss(target, output).item() == pytest.approx(np.mean(hardest), rel=1e-5)
    lowest = [sorted(output[image].amax(0).flatten().tolist())[:5] for image in range(2)]
    assert min_pooling_loss(output).item() == pytest.approx(np.mean(lowest), rel=1e-5)


def test_best_classes_that_tie_are_all_kept():
    maps = torch.tensor([0.3, 0.5, 0.5, 0.1]).view(1, 4, 1, 1)
    assert keep_best_class(maps).flatten().tolist() == pytest.approx([0.3, 0.5, 0.5, 0])


def test_constant_maps_become_zero():
    assert (stretch_maps(torch.full((1, 2, 3, 4), 5.0)) == 0).all()
    assert (stretch_maps(-torch.rand(1, 2, 3, 4)) == 0).all()


def test_views_that_agree_have_no_equivariance_loss():
    maps = torch.rand(1, 2, 3, 4)
    assert equivariance_loss(maps, maps).item() == 0


def test_the_background_is_what_the_best_class_leaves():
    maps = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(add_rest(maps)[:, 0], 1 - maps.amax(1))


def test_wrong_arguments_are_named():
    maps, spread, labels = views()
    with pytest.raises(ValueError, match=r'maps must be a floating-point tensor \(B, K, H, W\)'):
        stretch_maps(torch.zeros(3, 4))
    with pytest.raises(ValueError, match='same images and grid'):
        spread_by_correlation(torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 5))
    with pytest.raises(ValueError, match='must have one shape'):
        equivariance_loss(maps[0], maps[1])
    with pytest.raises(ValueError, match=r'labels must be \(B, K\) = \(2, 3\)'):
        seam_losses(maps, spread, labels[:, :2])
    with pytest.raises(ValueError, match='one channel more'):
        seam_losses(maps, maps, labels)


def test_recorded_on_a_small_grid_it_is_right_on_another():
    generator = torch.Generator().manual_seed(0)
    grids = [
        tuple(torch.rand(1, channels, *size, generator=generator) for channels in (2, 5)) for size in ((4, 6), (9, 3))
    ]
    recorded = torch.jit.trace(spread_by_correlation, grids[0], check_trace=False)
    for maps, features in grids:
        torch.testing.assert_close(recorded(maps, features), spread_by_correlation(maps, features))
