"""Every op gives on each device what it gives on the CPU. ``pytest -m cuda`` runs what needs a GPU."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch

import mmwsss.ops as ops
from mmwsss.ops import random_walk
from mmwsss.ops.random_walk import resolve_method

NEEDS_TRITON = pytest.mark.skipif(find_spec('triton') is None, reason='triton is not installed')


def rand(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def randn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def randint(high, *shape):
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(2))


def with_gradient(function, *inputs):
    """What a differentiable op gives, and the gradients of the sum of its squares."""
    inputs = [value.clone().requires_grad_() for value in inputs]
    result = function(*inputs)
    parts = list(result.values()) if isinstance(result, dict) else [result]
    sum(part.square().sum() for part in parts).backward()
    return [*parts, *(value.grad for value in inputs)]


def affinity_and_loss(move, border):
    labels = ops.pair_labels(move(randint(3, 3, 17, 23)), border=border)

    def loss(features):
        return ops.affinity_loss(ops.pairwise_affinity(features, border=border), labels)

    return [labels, *with_gradient(loss, move(randn(3, 40, 17, 23)))]


def label_map(move):
    labels = randint(4, 2, 45, 61).to(torch.uint8)
    labels[labels == 3] = 255
    return move(labels)


def seam(move):
    maps, spread = [rand(2, 3, 12, 14), rand(2, 3, 6, 7)], [rand(2, 4, 12, 14), rand(2, 4, 6, 7)]
    labels = move(torch.tensor([[1.0, 0, 1], [0, 1, 0]]))
    return with_gradient(
        lambda *values: ops.seam_losses(values[:2], values[2:], labels), *(move(value) for value in [*maps, *spread])
    )


def linear_classifier(move):
    fitted = ops.fit_linear_classifier(move(randn(40, 8)), move((randn(40, 3) > 0).float()))
    return [fitted.weight, fitted.bias]


IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
GRID = (2, 3, 12, 15)
# What each op gives of inputs that ``move`` brings to the device.
CASES = {
    'add_background': lambda move: [
        ops.add_background(move(rand(*GRID)), alpha=4.0),
        ops.add_background(move(rand(*GRID)), score=0.2),
    ],
    'add_rest': lambda move: ops.add_rest(move(rand(*GRID))),
    'affinity_loss': lambda move: affinity_and_loss(move, 'full'),
    'background_score': lambda move: ops.background_score(move(rand(*GRID)), 16.0),
    'best_channel': lambda move: list(ops.best_channel(move(rand(3, 12, 15)))),
    'connected_parts': lambda move: list(ops.connected_parts(move(rand(3, 12, 15)), move(randint(4, 12, 15)))),
    'correlation_input': lambda move: ops.correlation_input(move(randn(*GRID))),
    'cosine_affinity': lambda move: with_gradient(ops.cosine_affinity, move(randn(2, 5, 6, 7))),
    'cosine_stencil': lambda move: ops.cosine_stencil(move(randn(2, 5, 6, 7)), radius=3),
    'crop_to_covered': lambda move: ops.crop_to_covered(move(rand(*GRID)), (90, 113), 8),
    'cross_regularization_loss': lambda move: ops.cross_regularization_loss(move(rand(*GRID)), move(randn(*GRID))),
    'dense_crf': lambda move: ops.dense_crf(IMAGE, move(rand(3, 40, 50)), backend='torch'),
    'dense_crf_stack': lambda move: ops.dense_crf_stack(
        IMAGE, [move(rand(3, 40, 50)), move(randn(3, 40, 50).sigmoid())], num_iters=3, backend='torch'
    ),
    'displacement_centroids': lambda move: ops.displacement_centroids(move(2 * randn(2, 2, 9, 10)), 20),
    'displacement_clusters': lambda move: ops.displacement_clusters(move(2 * randn(2, 2, 9, 10))),
    'displacement_loss': lambda move: with_gradient(
        lambda value: ops.displacement_loss(value, move(ops.pair_labels(randint(3, 2, 6, 7), 4))),
        move(randn(2, 2, 6, 7)),
    ),
    'edge_to_affinity': lambda move: ops.edge_to_affinity(move(rand(2, 1, 13, 17))),
    'equivariance_loss': lambda move: ops.equivariance_loss(move(rand(*GRID)), move(randn(*GRID).sigmoid())),
    'fit_linear_classifier': linear_classifier,
    'fuse_cams': lambda move: ops.fuse_cams([move(rand(3, 12, 15)), move(rand(3, 24, 30))], (96, 120), [False, True]),
    'fuse_layers': lambda move: ops.fuse_layers([move(rand(*GRID)), move(rand(2, 3, 6, 8))], gain=2.0),
    'keep_best_class': lambda move: ops.keep_best_class(move(rand(*GRID))),
    'label_of_scores': lambda move: ops.label_of_scores(move(rand(*GRID)), move(torch.tensor([[0, 4, 9], [0, 7, -1]]))),
    'label_of_peaks': lambda move: ops.label_of_peaks(move(rand(3, 12, 15)), [0, 4, 7]),
    'label_of_two_scores': lambda move: ops.label_of_two_scores(move(rand(2, 12, 15)), [4, 7], high=0.8, low=0.4),
    'min_pooling_loss': lambda move: ops.min_pooling_loss(move(randn(*GRID))),
    'pair_labels': lambda move: ops.pair_labels(label_map(move)),
    'pairwise_affinity': lambda move: affinity_and_loss(move, 'reference'),
    'pamr': lambda move: ops.pamr(move(rand(2, 3, 20, 24)), move(randint(256, 2, 3, 41, 50))),
    'pamr_kernel': lambda move: ops.pamr_kernel(move(randint(256, 2, 3, 21, 30)), (1, 3)),
    'par': lambda move: ops.par(move(rand(2, 3, 20, 24)), move(randint(256, 2, 3, 41, 50))),
    'par_kernel': lambda move: ops.par_kernel(move(randint(256, 2, 3, 21, 30)), (1, 3)),
    'path_affinity': lambda move: with_gradient(lambda edge: ops.path_affinity(edge, 4), move(rand(2, 1, 9, 10))),
    'pool_label_map': lambda move: ops.pool_label_map(label_map(move)),
    'pool_to_cells': lambda move: ops.pool_to_cells(move(rand(*GRID)), (4, 5), 3),
    'random_walk': lambda move: random_walk(move(rand(2, 3, 9, 12)), move(rand(2, 34, 9, 12)), num_steps=16),
    'resize_maps': lambda move: ops.resize_maps(move(rand(*GRID)), (50, 61)),
    'score_margin': lambda move: ops.score_margin(move(rand(*GRID))),
    'seam_losses': seam,
    'share_of_agreement': lambda move: ops.share_of_agreement([move(randint(3, 9, 10)), move(randint(2, 9, 10))]),
    'split_by_cluster': lambda move: ops.split_by_cluster(move(rand(3, 9, 10)), move(randint(4, 9, 10))),
    'spread_by_correlation': lambda move: ops.spread_by_correlation(move(rand(2, 3, 6, 7)), move(randn(2, 5, 6, 7))),
    'spread_by_cosine': lambda move: ops.spread_by_cosine(move(rand(2, 3, 6, 7)), move(randn(2, 5, 6, 7))),
    'stretch_maps': lambda move: with_gradient(ops.stretch_maps, move(randn(*GRID))),
    'surest_pixels': lambda move: ops.surest_pixels(move(rand(3, 12, 15))),
    'unsure_pixels': lambda move: ops.unsure_pixels(move(rand(*GRID)), 0.2),
    'weight_of_margin': lambda move: ops.weight_of_margin(move(rand(*GRID)), 0.5),
    'weight_of_votes': lambda move: ops.weight_of_votes(move(rand(3, 4, 9, 10) > 0.5)),
}
GRADIENT_CAMS = ('grad_cam', 'grad_cam_plus_plus', 'layer_cam', 'xgrad_cam')
CASES |= {
    name: lambda move, name=name: getattr(ops, name)(move(rand(2, 16, 9, 11)), move(randn(2, 16, 9, 11)))
    for name in GRADIENT_CAMS
}
# They take or give arrays of the CPU.
ON_THE_CPU = {
    'LinearClassifier',
    'affinity_label_map',
    'confident_label_map',
    'neighbor_offsets',
    'position_kernel',
} | {'threshold_label_map'}
# A solver's end, and kernels over sums of many terms.
TOLERANCE = {'fit_linear_classifier': 1e-3, 'dense_crf': 1e-3, 'dense_crf_stack': 1e-3}


def test_no_op_is_left_out():
    assert set(CASES) | ON_THE_CPU == set(ops.__all__)


def results(case, device):
    made = case(lambda value: value.to(device))
    return [torch.as_tensor(one).detach().cpu() for one in (made if isinstance(made, list) else [made])]


@pytest.mark.parametrize('name', sorted(CASES))
def test_every_device_computes_the_same(name, device):
    for expected, result in zip(results(CASES[name], 'cpu'), results(CASES[name], device), strict=True):
        if not result.is_floating_point():
            assert (result != expected).float().mean() < 0.01
            continue
        tolerance = TOLERANCE.get(name, 1e-5 * max(1.0, expected.abs().max().item()))
        torch.testing.assert_close(result, expected, atol=tolerance, rtol=1e-4)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_affinity(dtype, device):
    features = randn(2, 16, 9, 10).to(dtype)
    affinity = ops.pairwise_affinity(features.to(device))
    torch.testing.assert_close(affinity.cpu(), ops.pairwise_affinity(features))


@pytest.mark.parametrize('op', [ops.par, ops.pamr])
def test_refinement_by_colors_in_float64(op, device):
    maps, images = rand(2, 3, 20, 24).double(), randint(256, 2, 3, 41, 50)
    torch.testing.assert_close(op(maps.to(device), images.to(device)).cpu(), op(maps, images))


METHODS = ['auto', 'chebyshev', 'stencil', 'dense', pytest.param('triton', marks=NEEDS_TRITON)]


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('dtype, tolerance', [(torch.float64, 1e-9), (torch.float32, 2e-5)])
@pytest.mark.parametrize('size, maps, radius', [((23, 31), 3, 5), ((1, 9), 1, 4), ((33, 1), 6, 5), ((3, 2), 2, 7)])
def test_walk(method, dtype, tolerance, size, maps, radius, device):
    if method == 'triton' and device.type == 'cpu':
        pytest.skip('tests/ops/test_walk_triton.py interprets the kernel on the CPU')
    field = ops.edge_to_affinity(rand(3, 1, *size).double() ** 3, radius)
    scores = rand(3, maps, *size).double()
    for num_steps in (1, 33, 256):
        expected = random_walk(scores, field, 8.0, num_steps, 'chebyshev')
        result = random_walk(scores.to(device, dtype), field.to(device, dtype), 8.0, num_steps, method)
        assert result.dtype == dtype and result.device.type == device.type
        torch.testing.assert_close(result.cpu().double(), expected, atol=tolerance, rtol=0)


@pytest.mark.parametrize('method', ['auto', 'chebyshev', 'stencil'])
@pytest.mark.parametrize('num_steps', [256, 4096])
def test_walks_keep_constants(method, num_steps, device):
    field, scores = rand(1, 34, 9, 12).to(device), torch.full((1, 2, 9, 12), 0.3, device=device)
    assert random_walk(scores, field, num_steps=num_steps, method=method).equal(scores)


@pytest.mark.parametrize('kind', ['half', 'strided'])
def test_walk_of_unusual_inputs(kind, device):
    field, scores = rand(2, 34, 9, 12), rand(2, 3, 9, 12)
    expected = random_walk(scores, field, num_steps=50)
    if kind == 'half':
        result = random_walk(scores.to(device).half(), field.to(device).half(), num_steps=50)
        assert result.dtype == torch.float16
        torch.testing.assert_close(result.cpu().float(), expected, atol=5e-3, rtol=0)
    else:
        turned = random_walk(scores.to(device).mT.contiguous().mT, field.to(device), num_steps=50)
        torch.testing.assert_close(turned.cpu(), expected, atol=1e-4, rtol=0)


@pytest.fixture
def cuda():
    if not torch.cuda.is_available():
        pytest.skip('no CUDA device')


@pytest.mark.cuda
@NEEDS_TRITON
def test_auto_is_the_compiled_walk(cuda):
    assert resolve_method('auto', torch.device('cuda')) == 'triton'
    with pytest.raises(ValueError, match='numba'):
        resolve_method('numba', torch.device('cuda'))


@pytest.mark.cuda
@pytest.mark.parametrize('size', [(47, 63), (128, 256)])
def test_walk_of_a_batch_of_many_maps(cuda, size):
    field = ops.edge_to_affinity(rand(16, 1, *size) ** 3).cuda()
    scores = rand(16, 20, *size).cuda()
    exact = random_walk(scores[:2].double(), field[:2].double(), method='chebyshev')
    torch.testing.assert_close(random_walk(scores, field)[:2].double(), exact, atol=2e-5, rtol=0)


@pytest.mark.cuda
@pytest.mark.parametrize('method', ['auto', 'chebyshev'])
def test_walk_allocates_no_matrix(cuda, method):
    field, scores = torch.rand(1, 34, 96, 96, device='cuda'), torch.rand(1, 3, 96, 96, device='cuda')
    random_walk(scores, field, method=method)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    random_walk(scores, field, method=method)
    assert torch.cuda.max_memory_allocated() - before < 4 * (96 * 96) ** 2 / 20
