"""Fully connected CRF with Gaussian edge potentials, refined by mean field (Kraehenbuehl & Koltun, NeurIPS
2011).

With the unary energy ``U = -log(clip(scores, 1e-5, 1))`` and Q = softmax(-U) to begin with, an iteration is
``Q <- softmax(-U + sum_m w_m D_m^-1/2 K_m D_m^-1/2 Q)`` over a Gaussian kernel K of positions and one of
positions and colors; D is the diagonal of the row sums of K. Both backends apply K on the permutohedral
lattice.
"""

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from .checks import check_integer
from .permutohedral import PermutohedralLattice

BACKENDS = ('auto', 'pydensecrf', 'torch')
SCORE_FLOOR = 1e-5
# Ahn & Kwak, CVPR 2018, as released: the kernels (sxy, weight) and (sxy, srgb, weight).
NUM_ITERS = 10
GAUSSIAN = (3.0, 3.0)
BILATERAL = (80.0, 13.0, 10.0)


def _check_image(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f'image must be a uint8 RGB array (H, W, 3), got {image.dtype} {image.shape}')
    return np.ascontiguousarray(image)


def _check_scores(scores: np.ndarray | Tensor, size: tuple[int, ...]) -> Tensor:
    if isinstance(scores, np.ndarray):
        scores = torch.from_numpy(np.ascontiguousarray(scores))
    if not isinstance(scores, Tensor) or scores.dim() != 3 or not len(scores) or tuple(scores.shape[1:]) != size:
        got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise ValueError(f'scores must be (K, H, W) with K >= 1 at the image size {size}, got {got}')
    scores = scores.detach().float()
    if not torch.isfinite(scores).all():
        raise ValueError('scores must be finite')
    return scores


def _check_kernels(gaussian: Sequence[float], bilateral: Sequence[float]) -> None:
    if len(gaussian) != 2 or min(gaussian) <= 0:
        raise ValueError(f'gaussian must be two positive numbers (sxy, weight), got {gaussian!r}')
    if len(bilateral) != 3 or min(bilateral) <= 0:
        raise ValueError(f'bilateral must be three positive numbers (sxy, srgb, weight), got {bilateral!r}')


def _pydensecrf() -> ModuleType:
    """The compiled package."""
    return import_module('pydensecrf.densecrf')


def _has_pydensecrf() -> bool:
    try:
        _pydensecrf()
    except ImportError:
        return False
    return True


def _refine_pydensecrf(
    image: np.ndarray, unaries: list[Tensor], num_iters: int, gaussian: Sequence[float], bilateral: Sequence[float]
) -> list[np.ndarray]:
    """All score maps go through the filters together, as the labels of one CRF, which is what costs time.

    The package makes the probabilities of all labels of a pixel sum to 1; dividing those of each map by their sum after
    every step makes them what they are in a CRF of their own.
    """
    height, width = image.shape[:2]
    count, labels = len(unaries), len(unaries[0])
    crf = _pydensecrf().DenseCRF2D(width, height, count * labels)
    crf.addPairwiseGaussian(sxy=gaussian[0], compat=gaussian[1])
    crf.addPairwiseBilateral(sxy=bilateral[0], srgb=bilateral[1], rgbim=image, compat=bilateral[2])
    crf.setUnaryEnergy(np.ascontiguousarray(torch.cat(unaries).flatten(1).cpu().numpy()))
    state, *buffers = crf.startInference()
    probabilities = torch.from_numpy(np.asarray(state).T).view(-1, count, labels)
    for step in range(num_iters + 1):
        if step:
            crf.stepInference(state, *buffers)
        if count > 1:
            probabilities /= probabilities.sum(2, keepdim=True)
    return [part.T.reshape(unaries[0].shape).numpy().copy() for part in probabilities.unbind(1)]


def _refine_torch(
    image: np.ndarray, unaries: list[Tensor], num_iters: int, gaussian: Sequence[float], bilateral: Sequence[float]
) -> list[np.ndarray]:
    device = unaries[0].device
    height, width = image.shape[:2]
    ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    positions = torch.stack([xs.flatten(), ys.flatten()], 1).to(device, torch.float32)
    colors = torch.from_numpy(image).to(device).flatten(0, 1).float()
    features = [positions / gaussian[0], torch.cat([positions / bilateral[0], colors / bilateral[1]], 1)]
    kernels = []
    for weight, points in zip((gaussian[1], bilateral[2]), features, strict=True):
        lattice = PermutohedralLattice(points)
        norm = (lattice.filter(torch.ones_like(points[:, :1])) + 1e-20).rsqrt_()
        kernels.append((weight, norm, lattice))
    # All score maps go through the filters together.
    logits = -torch.stack(unaries).flatten(2).permute(2, 0, 1).contiguous()
    probabilities = logits.softmax(2)
    for _ in range(num_iters):
        flat = probabilities.flatten(1)
        smooth, alike = (weight * norm * lattice.filter(norm * flat) for weight, norm, lattice in kernels)
        probabilities = (logits + (smooth + alike).view_as(logits)).softmax(2)
    return [part.T.reshape(unaries[0].shape).cpu().numpy() for part in probabilities.unbind(1)]


@torch.no_grad()
def dense_crf_stack(
    image: np.ndarray,
    score_list: Sequence[np.ndarray | Tensor],
    num_iters: int = NUM_ITERS,
    gaussian: Sequence[float] = GAUSSIAN,
    bilateral: Sequence[float] = BILATERAL,
    backend: str = 'auto',
) -> list[np.ndarray]:
    """:func:`dense_crf` for several score maps of one image; the lattices of the image are built once.

    Args:
        image (ndarray): uint8 RGB (H, W, 3).
        score_list (Sequence): Score maps (K, H, W), all with the same K.
        num_iters (int): Mean-field iterations.
        gaussian (tuple): (sxy, weight) of the smoothness kernel.
        bilateral (tuple): (sxy, srgb, weight) of the appearance kernel.
        backend (str): As in :func:`dense_crf`.

    Returns:
        list[ndarray]: float32 (K, H, W) of each.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.
        ImportError: If ``backend`` is 'pydensecrf' and pydensecrf2 is not installed.

    Examples:
        >>> image = np.zeros((8, 8, 3), np.uint8)
        >>> scores = np.full((2, 8, 8), 0.5, np.float32)
        >>> [refined.shape for refined in dense_crf_stack(image, [scores, scores])]
        [(2, 8, 8), (2, 8, 8)]
    """
    image = _check_image(image)
    stacks = [_check_scores(scores, image.shape[:2]) for scores in score_list]
    if len({(len(scores), scores.device) for scores in stacks}) != 1:
        raise ValueError('score_list must hold score maps of one number of classes on one device, at least one')
    num_iters = check_integer('num_iters', num_iters, least=0)
    _check_kernels(gaussian, bilateral)
    if backend not in BACKENDS:
        raise ValueError(f'backend must be one of {BACKENDS}, got {backend!r}')
    if backend == 'pydensecrf' and not _has_pydensecrf():
        raise ImportError("backend 'pydensecrf' of dense_crf needs the package pydensecrf2")
    if backend == 'auto':
        backend = 'pydensecrf' if stacks[0].device.type == 'cpu' and _has_pydensecrf() else 'torch'
    refine = _refine_pydensecrf if backend == 'pydensecrf' else _refine_torch
    unaries = [-torch.log(scores.clamp(SCORE_FLOOR, 1)) for scores in stacks]
    return refine(image, unaries, num_iters, gaussian, bilateral)


def dense_crf(
    image: np.ndarray,
    scores: np.ndarray | Tensor,
    num_iters: int = NUM_ITERS,
    gaussian: Sequence[float] = GAUSSIAN,
    bilateral: Sequence[float] = BILATERAL,
    backend: str = 'auto',
) -> np.ndarray:
    """Class probabilities refined by a fully connected CRF with a Gaussian and a bilateral kernel.

    The cost grows linearly in pixels, classes and iterations. The defaults are AffinityNet's.

    Args:
        image (ndarray): uint8 RGB (H, W, 3).
        scores (ndarray | Tensor): (K, H, W) in [0, 1], K >= 1; clipped to [1e-5, 1], and need not sum to 1.
        num_iters (int): Mean-field iterations.
        gaussian (tuple): (sxy, weight) of the smoothness kernel; sxy in pixels.
        bilateral (tuple): (sxy, srgb, weight) of the appearance kernel; srgb in gray levels.
        backend (str): 'pydensecrf' is the C++ package pydensecrf2, on the CPU; 'torch' is the same lattice in
            torch operations on the device of ``scores``, equal up to rounding. 'auto' is 'pydensecrf' where
            it is installed and the scores are not on another device, else 'torch'.

    Returns:
        ndarray: float32 (K, H, W); sums to 1 over the classes.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.
        ImportError: If ``backend`` is 'pydensecrf' and pydensecrf2 is not installed.

    Examples:
        >>> image = np.zeros((20, 20, 3), np.uint8)
        >>> image[:, 10:] = 255
        >>> scores = np.full((2, 20, 20), 0.5, np.float32)
        >>> scores[:, :, 12:] = [[[0.1]], [[0.9]]]  # nothing is known of the two columns beside the edge
        >>> refined = dense_crf(image, scores)
        >>> refined[1, 10, 10:12].round().tolist()
        [1.0, 1.0]
    """
    return dense_crf_stack(image, [scores], num_iters, gaussian, bilateral, backend)[0]
