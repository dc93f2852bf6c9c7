"""Every op on a CUDA device against the CPU."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch

from mmwsss.ops import (
    add_background,
    affinity_loss,
    background_score,
    crop_to_covered,
    dense_crf,
    edge_to_affinity,
    fuse_cams,
    grad_cam,
    grad_cam_plus_plus,
    label_of_scores,
    layer_cam,
    pair_labels,
    pairwise_affinity,
    pamr,
    par,
    pool_label_map,
    pool_to_cells,
    random_walk,
    resize_maps,
    unsure_pixels,
    xgrad_cam,
)
from mmwsss.ops.random_walk import resolve_method

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')
NEEDS_TRITON = pytest.mark.skipif(find_spec('triton') is None, reason='triton is not installed')
METHODS = ['auto', 'chebyshev', 'stencil', 'dense', pytest.param('triton', marks=NEEDS_TRITON)]


@pytest.mark.parametrize('border', ['full', 'reference'])
def test_affinity_and_its_gradient(border):
    features = torch.randn(3, 40, 17, 23)
    labels = pair_labels(torch.randint(0, 3, (3, 17, 23)), border=border)
    results = []
    for device in ('cpu', 'cuda'):
        values = features.to(device).requires_grad_()
        field = pairwise_affinity(values, border=border)
        losses = affinity_loss(field, labels.to(device))
        sum(losses.values()).backward()
        results.append([field.detach().cpu(), values.grad.cpu(), *(loss.detach().cpu() for loss in losses.values())])
    for expected, result in zip(*results, strict=True):
        torch.testing.assert_close(result, expected)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_affinity(dtype):
    features = torch.randn(2, 16, 9, 10).to(dtype)
    torch.testing.assert_close(pairwise_affinity(features.cuda()).cpu(), pairwise_affinity(features))


def test_labels():
    label_map = torch.randint(0, 4, (2, 45, 61)).to(torch.uint8)
    label_map[label_map == 3] = 255
    for op in (pool_label_map, pair_labels):
        assert op(label_map.cuda()).cpu().equal(op(label_map))


def test_cam_ops():
    cams = [torch.rand(3, 12, 15), torch.rand(3, 24, 30)]
    fused = fuse_cams(cams, (96, 120), [False, True])
    fused_there = fuse_cams([cam.cuda() for cam in cams], (96, 120), [False, True])
    torch.testing.assert_close(fused_there.cpu(), fused)
    torch.testing.assert_close(background_score(fused_there, 16).cpu(), background_score(fused, 16))
    edge = torch.rand(2, 1, 13, 17)
    assert edge_to_affinity(edge.cuda()).cpu().equal(edge_to_affinity(edge))


def test_maps():
    maps = torch.rand(2, 3, 12, 15)
    for op in (
        lambda value: resize_maps(value, (50, 61)),
        lambda value: crop_to_covered(value, (90, 113), 8),
        lambda value: pool_to_cells(value, (4, 5), 3),
        lambda value: add_background(value, alpha=4.0),
        lambda value: add_background(value, score=0.2),
    ):
        torch.testing.assert_close(op(maps.cuda()).cpu(), op(maps))
    class_ids = torch.tensor([[0, 4, 9], [0, 7, -1]])
    assert label_of_scores(maps.cuda(), class_ids.cuda()).cpu().equal(label_of_scores(maps, class_ids))
    assert unsure_pixels(maps.cuda(), 0.2).cpu().float().sub(unsure_pixels(maps, 0.2).float()).abs().mean() < 0.01


@pytest.mark.parametrize('op', [grad_cam, grad_cam_plus_plus, layer_cam, xgrad_cam])
def test_gradient_cams(op):
    activation, gradient = torch.rand(2, 16, 9, 11), torch.randn(2, 16, 9, 11)
    torch.testing.assert_close(op(activation.cuda(), gradient.cuda()).cpu(), op(activation, gradient))


@pytest.mark.parametrize('op', [par, pamr])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_refinement_by_colors(op, dtype):
    maps, images = torch.rand(2, 3, 20, 24, dtype=dtype), torch.randint(0, 256, (2, 3, 41, 50), dtype=torch.uint8)
    torch.testing.assert_close(op(maps.cuda(), images.cuda()).cpu(), op(maps, images))


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('dtype, tolerance', [(torch.float64, 1e-9), (torch.float32, 2e-5)])
@pytest.mark.parametrize('size, maps, radius', [((47, 63), 3, 5), ((1, 9), 1, 4), ((33, 1), 6, 5), ((3, 2), 2, 7)])
def test_walk(method, dtype, tolerance, size, maps, radius):
    field = edge_to_affinity(torch.rand(3, 1, *size, dtype=torch.float64) ** 3, radius)
    scores = torch.rand(3, maps, *size, dtype=torch.float64)
    for num_steps in (1, 33, 256):
        expected = random_walk(scores, field, 8.0, num_steps, 'chebyshev')
        result = random_walk(scores.to('cuda', dtype), field.to('cuda', dtype), 8.0, num_steps, method)
        assert result.dtype == dtype and result.is_cuda
        torch.testing.assert_close(result.cpu().double(), expected, atol=tolerance, rtol=0)


@NEEDS_TRITON
def test_auto_is_the_compiled_walk():
    assert resolve_method('auto', torch.device('cuda')) == 'triton'
    with pytest.raises(ValueError, match='numba'):
        resolve_method('numba', torch.device('cuda'))


@pytest.mark.parametrize('method', ['auto', 'chebyshev'])
def test_walk_allocates_no_matrix(method):
    field, scores = torch.rand(1, 34, 96, 96, device='cuda'), torch.rand(1, 3, 96, 96, device='cuda')
    random_walk(scores, field, method=method)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    random_walk(scores, field, method=method)
    assert torch.cuda.max_memory_allocated() - before < 4 * (96 * 96) ** 2 / 20


@pytest.mark.parametrize('kind', ['half', 'strided'])
def test_walk_of_unusual_inputs(kind):
    field, scores = torch.rand(2, 34, 9, 12), torch.rand(2, 3, 9, 12)
    if kind == 'half':
        result = random_walk(scores.cuda().half(), field.cuda().half(), num_steps=50)
        assert result.dtype == torch.float16
        torch.testing.assert_close(result.cpu().float(), random_walk(scores, field, num_steps=50), atol=5e-3, rtol=0)
    else:
        turned = random_walk(scores.cuda().transpose(2, 3).contiguous().transpose(2, 3), field.cuda(), num_steps=50)
        torch.testing.assert_close(turned.cpu(), random_walk(scores, field, num_steps=50), atol=1e-4, rtol=0)


def test_dense_crf():
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    scores = torch.rand(3, 40, 50)
    expected = dense_crf(image, scores, backend='torch')
    np.testing.assert_allclose(dense_crf(image, scores.cuda()), expected, atol=1e-3)
