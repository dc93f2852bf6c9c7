"""Propagation of class scores over an affinity field by a random walk (Ahn & Kwak, CVPR 2018, section
3.4)."""

import torch
from torch import Tensor

from .affinity import pair_windows, radius_of

METHODS = ('auto', 'stencil')


def _check(scores: Tensor, affinity: Tensor, beta: float, num_steps: int, method: str) -> int:
    for name, value, channels in (('scores', scores, 'K'), ('affinity', affinity, 'P')):
        if not isinstance(value, Tensor) or value.dim() != 4 or not value.is_floating_point():
            got = f'{value.dtype} {tuple(value.shape)}' if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(f'{name} must be a floating-point tensor (B, {channels}, H, W), got {got}')
    if scores.shape[0] != affinity.shape[0] or scores.shape[2:] != affinity.shape[2:]:
        raise ValueError(
            'affinity must have the batch size and grid of scores, '
            f'got {tuple(affinity.shape)} for scores {tuple(scores.shape)}'
        )
    if scores.device != affinity.device:
        raise ValueError(f'affinity must be on the device of scores ({scores.device}), got {affinity.device}')
    if not beta > 0:
        raise ValueError(f'beta must be positive, got {beta!r}')
    if isinstance(num_steps, bool) or not isinstance(num_steps, int) or num_steps < 0:
        raise ValueError(f'num_steps must be a non-negative integer, got {num_steps!r}')
    if method not in METHODS:
        raise ValueError(f'method must be one of {METHODS}, got {method!r}')
    return radius_of(affinity.shape[1])


@torch.no_grad()
def random_walk(
    scores: Tensor, affinity: Tensor, beta: float = 8.0, num_steps: int = 256, method: str = 'auto'
) -> Tensor:
    """Let every score map walk ``num_steps`` steps over the affinity field.

    With A the symmetric matrix of the field (1 on its diagonal) raised to ``beta`` elementwise and D the
    diagonal of its row sums, the result is ``(D^-1 A)^num_steps x`` for every map x (Ahn & Kwak, CVPR 2018,
    eq. 5-6): each cell becomes a convex combination of the cells its walk reaches. No N x N matrix is built.
    No gradient is recorded.

    Args:
        scores (Tensor): Floating-point (B, K, H, W).
        affinity (Tensor): Floating-point (B, P, H, W) in [0, 1], as of ``pairwise_affinity`` or
            ``edge_to_affinity``. Values whose target lies outside the grid are not read.
        beta (float): Exponent of the affinities, positive.
        num_steps (int): Number of steps; 0 returns the scores.
        method (str): 'auto', or the way of computing it.

    Returns:
        Tensor: (B, K, H, W), dtype of ``scores``.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.
    """
    radius = _check(scores, affinity, beta, num_steps, method)
    if num_steps == 0 or scores.numel() == 0:
        return scores.clone()
    height, width = scores.shape[2:]
    dtype = torch.float64 if scores.dtype == torch.float64 else torch.float32
    weights = affinity.to(dtype).pow(beta)
    windows = pair_windows(height, width, radius, 'full')
    degree = weights.new_ones(scores.shape[0], 1, height, width)
    for p, (ys, xs), (yt, xt) in windows:
        degree[:, 0, ys, xs] += weights[:, p, ys, xs]
        degree[:, 0, yt, xt] += weights[:, p, ys, xs]
    current = scores.to(dtype)
    for _ in range(num_steps):
        total = current.clone()
        for p, (ys, xs), (yt, xt) in windows:
            weight = weights[:, p, None, ys, xs]
            total[:, :, ys, xs].addcmul_(weight, current[:, :, yt, xt])
            total[:, :, yt, xt].addcmul_(weight, current[:, :, ys, xs])
        current = total.div_(degree)
    return current.to(scores.dtype)
