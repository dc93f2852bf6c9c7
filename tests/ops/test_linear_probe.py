import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from mmwsss.ops import fit_linear_classifier


def problem(count=40, dims=5, classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(count, dims, generator=generator) * torch.tensor([1.0, 10, 0.1, 3, 1][:dims]) + 2
    labels = (features @ torch.randn(dims, classes, generator=generator) > 4).float()
    return features, labels


def loss_twin(weights, features, labels, weight_decay):
    """Loss of the standardized problem, in numpy."""
    standardized = (features - features.mean(0)) / (features.std(0, ddof=1) + 1e-6)
    count = labels.shape[1]
    weight, bias = weights[:-count].reshape(count, -1), weights[-count:]
    scores = standardized @ weight.T + bias
    entropy = np.logaddexp(0, scores) - labels * scores
    return entropy.mean() + weight_decay / count * (weight**2).sum()


@pytest.mark.parametrize('weight_decay', [0.01, 0.3])
def test_it_is_the_minimum(weight_decay):
    features, labels = problem()
    fitted = fit_linear_classifier(features, labels, weight_decay)
    arrays = features.double().numpy(), labels.double().numpy(), weight_decay
    best = minimize(loss_twin, np.zeros(3 * 5 + 3), arrays, tol=1e-10)
    assert fitted.loss == pytest.approx(best.fun, rel=1e-4)
    # Its weights, standardized again, give the same loss.
    deviation = arrays[0].std(0, ddof=1) + 1e-6
    weight = fitted.weight.numpy() * deviation
    bias = fitted.bias.numpy() + fitted.weight.numpy() @ arrays[0].mean(0)
    assert loss_twin(np.concatenate([weight.ravel(), bias]), *arrays) == pytest.approx(best.fun, rel=1e-4)


def test_scale_and_offset_of_features_do_not_matter():
    features, labels = problem()
    scores = []
    for moved in (features, features * 7 - 3):
        fitted = fit_linear_classifier(moved, labels)
        scores.append(moved @ fitted.weight.T + fitted.bias)
    torch.testing.assert_close(*scores, atol=1e-2, rtol=1e-2)


def test_a_class_of_all_images_and_a_feature_that_is_constant():
    features, labels = problem()
    features[:, 1], labels[:, 0] = 4.0, 1.0
    fitted = fit_linear_classifier(features, labels)
    assert all(torch.isfinite(part).all() for part in fitted[:2])
    assert (features @ fitted.weight.T + fitted.bias)[:, 0].min() > 0


def test_one_image():
    fitted = fit_linear_classifier(torch.ones(1, 4), torch.tensor([[1, 0]]))
    assert torch.isfinite(fitted.weight).all() and fitted.bias[0] > 0 > fitted.bias[1]


def test_the_optimizer_can_be_another():
    features, labels = problem()
    steps = []

    def make(parameters):
        steps.append(len(parameters))
        return torch.optim.LBFGS(parameters, max_iter=1)

    short = fit_linear_classifier(features, labels, make_optimizer=make)
    assert steps == [2] and short.loss > fit_linear_classifier(features, labels).loss


def test_without_gradients_around():
    features, labels = problem()
    with torch.no_grad():
        assert fit_linear_classifier(features, labels).loss < 0.69


@pytest.mark.parametrize(
    'features, labels, weight_decay, message',
    [
        (torch.ones(3), torch.ones(3, 2), 0.1, 'features must be'),
        (torch.ones(3, 2), torch.ones(2, 2), 0.1, 'labels must be'),
        (torch.ones(3, 2), np.ones((3, 2)), 0.1, 'labels must be'),
        (torch.ones(3, 2), torch.ones(3, 2, 1), 0.1, 'labels must be'),
        (torch.ones(3, 2), torch.ones(3), 0.1, 'labels must be'),
        (torch.ones(0, 2), torch.ones(0, 2), 0.1, 'labels must be'),
        (torch.ones(3, 2), torch.ones(3, 2), -1, 'weight_decay'),
    ],
)
def test_bad_arguments(features, labels, weight_decay, message):
    with pytest.raises(ValueError, match=message):
        fit_linear_classifier(features, labels, weight_decay)


def test_without_weight_decay_overlapping_classes_are_fitted():
    features, labels = torch.tensor([[0.0], [1.0], [2.0], [3.0]]), torch.tensor([[0], [1], [0], [1]])
    fitted = fit_linear_classifier(features, labels, weight_decay=0)
    assert fitted.weight.item() > fit_linear_classifier(features, labels, weight_decay=0.1).weight.item() > 0
