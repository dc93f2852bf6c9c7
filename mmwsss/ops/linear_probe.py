"""A linear classifier on fixed features, fitted to all images at once.

Nothing in it can diverge: the loss is convex, and weight decay gives it one minimum.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .affinity import describe

WEIGHT_DECAY = 1e-2
MAX_ITER = 200
DEVIATION_FLOOR = 1e-6


class LinearClassifier(NamedTuple):
    """What was fitted; class scores are ``features @ weight.T + bias``.

    Attributes:
        weight (Tensor): (C, D).
        bias (Tensor): (C,).
        loss (float): Loss at the end, with the weight decay.

    Examples:
        >>> LinearClassifier(torch.ones(2, 3), torch.zeros(2), loss=0.5).weight.shape
        torch.Size([2, 3])
    """

    weight: Tensor
    bias: Tensor
    loss: float


def lbfgs(parameters: Sequence[Tensor]) -> torch.optim.Optimizer:
    """The optimizer that a fit uses by default, with a line search.

    Examples:
        >>> lbfgs([torch.zeros(2, requires_grad=True)]).defaults['line_search_fn']
        'strong_wolfe'
    """
    return torch.optim.LBFGS(list(parameters), max_iter=MAX_ITER, line_search_fn='strong_wolfe')


@torch.enable_grad()
def fit_linear_classifier(
    features: Tensor,
    labels: Tensor,
    weight_decay: float = WEIGHT_DECAY,
    make_optimizer: Callable[[Sequence[Tensor]], torch.optim.Optimizer] = lbfgs,
) -> LinearClassifier:
    """Fit a classifier of several labels an image.

    Features are standardized, and the classifier is given for them as they were. The loss is the cross entropy of each
    class on its own, averaged over images and classes, plus ``weight_decay`` / C times the sum of squared weights.

    Args:
        features (Tensor): Floating-point (N, D), one row an image.
        labels (Tensor): Multi-hot (N, C).
        weight_decay (float): Not negative. Defaults to 0.01.
        make_optimizer (callable): Makes of the weights an optimizer whose one step, with a closure, does it all.
            Defaults to :func:`lbfgs`.

    Returns:
        LinearClassifier: In float32, on the device of the features.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Examples:
        >>> features, labels = torch.tensor([[0.0], [1.0], [2.0], [3.0]]), torch.tensor([[0], [0], [1], [1]])
        >>> fitted = fit_linear_classifier(features, labels)
        >>> (features @ fitted.weight.T + fitted.bias > 0).long().equal(labels)
        True
    """
    if not isinstance(features, Tensor) or features.dim() != 2 or not features.is_floating_point():
        raise ValueError(f'features must be a floating-point tensor (N, D), got {describe(features)}')
    if not isinstance(labels, Tensor) or labels.dim() != 2 or len(labels) != len(features) or not len(labels):
        raise ValueError(f'labels must be (N, C) of the {len(features)} features, at least 1, got {describe(labels)}')
    if not weight_decay >= 0:
        raise ValueError(f'weight_decay must not be negative, got {weight_decay!r}')
    features, targets = features.detach().float(), labels.to(features.device, torch.float32)
    mean, deviation = features.mean(0), features.std(0, unbiased=len(features) > 1) + DEVIATION_FLOOR
    standardized = (features - mean) / deviation
    weight = features.new_zeros(targets.shape[1], features.shape[1]).requires_grad_()
    bias = features.new_zeros(targets.shape[1]).requires_grad_()
    optimizer = make_optimizer([weight, bias])

    def loss_of_all() -> Tensor:
        optimizer.zero_grad()
        scores = standardized @ weight.T + bias
        decay = weight_decay / len(bias) * weight.square().sum()
        loss = F.binary_cross_entropy_with_logits(scores, targets) + decay
        loss.backward()
        return loss

    optimizer.step(loss_of_all)  # type: ignore[arg-type]  # LBFGS wants the tensor
    loss = loss_of_all().item()
    folded = weight.detach() / deviation
    return LinearClassifier(folded, bias.detach() - folded @ mean, loss)
