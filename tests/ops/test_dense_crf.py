from importlib.util import find_spec

import numpy as np
import pytest
import torch

from mmwsss.ops import background_score, dense_crf, dense_crf_stack

compiled = pytest.mark.skipif(find_spec('pydensecrf') is None, reason='the extra crf is not installed')


def dense_crf_twin(image, scores, num_iters, gaussian, bilateral):
    """Mean field with the N x N kernels written out."""
    height, width = image.shape[:2]
    ys, xs = np.mgrid[:height, :width].reshape(2, -1).astype(np.float64)
    colors = image.reshape(-1, 3).astype(np.float64)
    sxy, weight = gaussian
    kernels = [(weight, np.stack([xs / sxy, ys / sxy], 1))]
    sxy, srgb, weight = bilateral
    kernels.append((weight, np.column_stack([xs / sxy, ys / sxy, colors / srgb])))
    message = 0
    for weight, features in kernels:
        squared = ((features[:, None] - features[None]) ** 2).sum(-1)
        kernel = np.exp(-squared / 2)
        norm = 1 / np.sqrt(kernel.sum(1) + 1e-20)
        message = message + weight * norm[:, None] * kernel * norm
    unary = -np.log(np.clip(scores, 1e-5, 1)).reshape(len(scores), -1)

    def softmax(logits):
        powers = np.exp(logits - logits.max(0))
        return powers / powers.sum(0)

    probabilities = softmax(-unary)
    for _ in range(num_iters):
        probabilities = softmax(-unary + probabilities @ message)
    return probabilities.reshape(scores.shape)


@pytest.fixture
def example():
    generator = np.random.default_rng(0)
    image = np.zeros((30, 40, 3), np.uint8)
    image[5:22, 8:30] = (200, 120, 40)
    image = (image + generator.integers(0, 30, image.shape)).astype(np.uint8)
    foreground = np.full((30, 40), 0.2)
    foreground[8:18, 12:24] = 0.9
    return image, np.stack([1 - foreground, foreground]).astype(np.float32)


@compiled
@pytest.mark.parametrize('alpha', [4, 32])
def test_dense_crf_equals_the_recorded_one(recorded, alpha):
    group = recorded('crf')
    cams = torch.as_tensor(group['cams'])
    result = dense_crf(group['image_rgb'], torch.cat([background_score(cams, alpha), cams]), backend='pydensecrf')
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, group[f'alpha{alpha}'], atol=1e-3)


@pytest.mark.parametrize('backend', [pytest.param('pydensecrf', marks=compiled), 'torch'])
def test_dense_crf_is_close_to_its_twin(example, backend):
    image, scores = example
    expected = dense_crf_twin(image, scores, 3, (3, 3), (80, 13, 10))
    result = dense_crf(image, scores, num_iters=3, backend=backend)
    assert np.mean(result.argmax(0) == expected.argmax(0)) > 0.97
    assert np.abs(result - expected).mean() < 0.03


@pytest.mark.parametrize('backend', [pytest.param('pydensecrf', marks=compiled), 'torch'])
@pytest.mark.parametrize('size', [(1, 1), (1, 17), (23, 1), (13, 9)])
def test_dense_crf_of_odd_sizes_is_a_distribution(backend, size):
    generator = np.random.default_rng(1)
    image = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
    result = dense_crf(image, generator.random((3, *size)), num_iters=2, backend=backend)
    assert result.shape == (3, *size)
    np.testing.assert_allclose(result.sum(0), 1, atol=1e-4)


@pytest.mark.parametrize('backend', [pytest.param('pydensecrf', marks=compiled), 'torch'])
def test_no_iteration_is_the_softmax_of_the_unary(example, backend):
    image, scores = example
    np.testing.assert_allclose(dense_crf(image, scores, num_iters=0, backend=backend), scores, atol=1e-5)


@pytest.mark.parametrize('backend', [pytest.param('pydensecrf', marks=compiled), 'torch'])
def test_a_single_class_has_probability_one(example, backend):
    assert np.all(dense_crf(example[0], example[1][:1], backend=backend) == 1)


@pytest.mark.parametrize('backend', [pytest.param('pydensecrf', marks=compiled), 'torch'])
@pytest.mark.parametrize('count', [2, 3])
def test_a_stack_equals_its_parts(example, backend, count):
    image, scores = example
    parts = [scores, scores[::-1] ** 2, scores * [[[0.3]], [[0.9]]]][:count]
    results = dense_crf_stack(image, parts, num_iters=2, backend=backend)
    for result, part in zip(results, parts, strict=True):
        np.testing.assert_allclose(result, dense_crf(image, part, num_iters=2, backend=backend), atol=1e-5)


def test_the_kernels_are_the_published_ones_by_default():
    """On noise, iterations end near no fixed point."""
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (20, 30, 3), np.uint8)
    scores = generator.uniform(0.3, 0.7, (2, 20, 30))
    published = (10, (3, 3), (80, 13, 10))
    np.testing.assert_array_equal(dense_crf(image, scores), dense_crf(image, scores, *published))
    np.testing.assert_array_equal(dense_crf_stack(image, [scores])[0], dense_crf_stack(image, [scores], *published)[0])
    assert (dense_crf(image, scores) != dense_crf(image, scores, 9, *published[1:])).any()


@compiled
@pytest.mark.parametrize('num_iters', [1, 4])
@pytest.mark.parametrize('kernels', [{}, dict(gaussian=(2, 1.5), bilateral=(20, 30, 0.5))])
def test_the_backends_agree(example, num_iters, kernels):
    image, scores = example
    scores = np.concatenate([scores, scores[:1] * 0.5])
    results = [dense_crf(image, scores, num_iters, backend=name, **kernels) for name in ('pydensecrf', 'torch')]
    np.testing.assert_allclose(*results, atol=1e-3)


@pytest.mark.parametrize('backend', [pytest.param('pydensecrf', marks=compiled), 'torch'])
def test_scores_are_clipped_from_below(example, backend):
    image, scores = example
    zero = dense_crf(image, np.stack([np.zeros_like(scores[0]), np.ones_like(scores[0])]), 0, backend=backend)
    np.testing.assert_allclose(zero[0], 1e-5 / (1 + 1e-5), rtol=1e-3)
    over = dense_crf(image, np.stack([np.full_like(scores[0], 3.0), np.ones_like(scores[0])]), 0, backend=backend)
    np.testing.assert_allclose(over, 0.5, rtol=1e-5)


@compiled
def test_a_stack_holds_maps_of_one_number_of_classes(example):
    image, scores = example
    for wrong in ([], [scores, scores[:1]]):
        with pytest.raises(ValueError, match='score_list'):
            dense_crf_stack(image, wrong)


@pytest.mark.parametrize('backend', [pytest.param('pydensecrf', marks=compiled), 'torch'])
def test_the_crf_does_not_touch_its_inputs(example, backend):
    image, scores = example
    before = image.copy(), scores.copy()
    tensor = torch.as_tensor(scores)
    np.testing.assert_array_equal(
        dense_crf(image, tensor, backend=backend), dense_crf(image[..., ::1], scores, backend=backend)
    )
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(scores, before[1])


@pytest.mark.parametrize(
    'changes, name',
    [
        (dict(image=np.zeros((30, 40), np.uint8)), 'image'),
        (dict(image=np.zeros((30, 40, 3))), 'image'),
        (dict(image=np.zeros((0, 40, 3), np.uint8), scores=np.zeros((2, 0, 40))), 'image'),
        (dict(scores=np.zeros((30, 40))), 'scores'),
        (dict(scores=np.zeros((1, 2, 30, 40))), 'scores'),
        (dict(scores=np.zeros((2, 40, 30))), 'scores'),
        (dict(scores=np.zeros((0, 30, 40))), 'scores'),
        (dict(scores=np.full((2, 30, 40), np.nan)), 'scores'),
        (dict(scores=[[0.5]]), 'scores .* got list'),
        (dict(num_iters=1.5), 'num_iters'),
        (dict(num_iters=-1), 'num_iters'),
        (dict(num_iters=True), 'num_iters'),
        (dict(image=np.zeros((30, 40, 4), np.uint8)), 'image'),
        (dict(gaussian=(0, 3)), 'gaussian'),
        (dict(gaussian=(3, 3, 3)), 'gaussian'),
        (dict(gaussian=(3,)), 'gaussian'),
        (dict(bilateral=(80, 0, 10)), 'bilateral'),
        (dict(bilateral=(80, 13)), 'bilateral'),
        (dict(backend='opencv'), 'backend'),
    ],
)
def test_dense_crf_rejects_bad_arguments(example, changes, name):
    with pytest.raises(ValueError, match=name):
        dense_crf(**{**dict(image=example[0], scores=example[1]), **changes})


@compiled
def test_auto_is_pydensecrf_on_the_cpu(example):
    results = {name: dense_crf(*example, backend=name) for name in ('auto', 'pydensecrf', 'torch')}
    np.testing.assert_array_equal(results['auto'], results['pydensecrf'])
    assert (results['auto'] != results['torch']).any()


def test_auto_falls_back_to_torch(example, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'pydensecrf.densecrf', None)
    image, scores = example
    np.testing.assert_array_equal(dense_crf(image, scores), dense_crf(image, scores, backend='torch'))
    with pytest.raises(ImportError, match='pydensecrf2'):
        dense_crf(image, scores, backend='pydensecrf')
