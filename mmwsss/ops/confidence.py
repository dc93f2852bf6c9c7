"""Which pixels of a mask are to be trusted, as published methods find it out."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .affinity import IGNORE_INDEX
from .checks import describe
from .maps import score_margin

VARIANCE_EPS = 1e-6


def _check_image_maps(maps: Tensor) -> None:
    if not isinstance(maps, Tensor) or maps.dim() != 3 or not maps.is_floating_point():
        raise ValueError(f'maps must be a floating-point tensor (K, H, W), got {describe(maps)}')


@torch.no_grad()
def surest_pixels(maps: Tensor, share: float = 0.5) -> Tensor:
    """Of the pixels of each best class, the share whose best score exceeds the second by most.

    Unlike one margin for all, this leaves no class without pixels because its scores are lower.

    Args:
        maps (Tensor): Floating-point (K, H, W), not negative; the scores of a pixel sum to 1 for this.
        share (float): In [0, 1]; the number of pixels of a class is rounded down. Defaults to 0.5.

    Returns:
        Tensor: bool (H, W). Of pixels that are equally sure, the first in the order of rows are taken.

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Source: Rong et al., CVPR 2023 (BECO).

    Examples:
        >>> surest_pixels(torch.tensor([[[0.9, 0.6, 0.2, 0.4]], [[0.1, 0.4, 0.8, 0.6]]])).tolist()
        [[True, False, True, False]]
    """
    _check_image_maps(maps)
    if not 0 <= share <= 1:
        raise ValueError(f'share must be in [0, 1], got {share!r}')
    sure = torch.zeros(maps.shape[1:], dtype=torch.bool, device=maps.device)
    if not len(maps):
        return sure
    best, margin = maps.argmax(0).flatten(), score_margin(maps).flatten()
    for index in best.unique():
        pixels = (best == index).nonzero()[:, 0]
        order = margin[pixels].argsort(descending=True, stable=True)
        sure.view(-1)[pixels[order[: int(share * len(pixels))]]] = True
    return sure


@torch.no_grad()
def weight_of_votes(votes: Tensor) -> Tensor:
    """How much pixels count, whose classes were found several times in different ways.

    The weight is 1 less the variance of the votes on a class, of the class on which they differ most, stretched to
    [0, 1] over the image.

    Args:
        votes (Tensor): (K, N, H, W), whether each of N ways found each of K classes; K may be 0.

    Returns:
        Tensor: float64 (H, W) in [0, 1]; 1 where all ways agree.

    Raises:
        ValueError: If the votes have the wrong shape, or N is 0.

    Source: Li et al., AAAI 2022 (URN).

    Examples:
        >>> votes = torch.tensor([[[[1, 1]], [[1, 0]]]])
        >>> [round(weight, 3) for weight in weight_of_votes(votes)[0].tolist()]
        [1.0, 0.0]
    """
    if not isinstance(votes, Tensor) or votes.dim() != 4 or not votes.shape[1]:
        raise ValueError(f'votes must be a tensor (K, N, H, W) with N at least 1, got {describe(votes)}')
    if not len(votes):
        return torch.ones(votes.shape[2:], dtype=torch.float64, device=votes.device)
    doubt = votes.double().var(1, unbiased=False).amax(0)
    lowest = doubt.min()
    return 1 - (doubt - lowest) / (doubt.max() - lowest + VARIANCE_EPS)


@torch.no_grad()
def label_of_peaks(
    maps: Tensor,
    class_ids: Sequence[int] | Tensor,
    least: float = 0.2,
    share: float = 0.6,
    background_share: float = 0.7,
    ignore_index: int = IGNORE_INDEX,
) -> Tensor:
    """Labels pixels near the peak of the map of exactly one class.

    Args:
        maps (Tensor): Floating-point (K, H, W) of probabilities; K may be 0.
        class_ids (Sequence[int] | Tensor): Class index of each map, (K,), in [0, 254]; 0 is the background.
        least (float): What a score has to exceed anyway. Defaults to 0.2.
        share (float): Share of the peak that a score has to exceed. Defaults to 0.6.
        background_share (float): The same for class 0. Defaults to 0.7.
        ignore_index (int): Value of the other pixels. Defaults to 255.

    Returns:
        Tensor: uint8 (H, W).

    Raises:
        ValueError: If an argument has the wrong shape, dtype or value.

    Source: Araslanov & Roth, CVPR 2020 (1-stage).

    Examples:
        >>> label_of_peaks(torch.tensor([[[0.9, 0.6, 0.1]], [[0.1, 0.4, 0.8]]]), [0, 7]).tolist()
        [[0, 255, 7]]
    """
    _check_image_maps(maps)
    class_ids = torch.as_tensor(class_ids, device=maps.device).long()
    if class_ids.shape != maps.shape[:1] or ((class_ids < 0) | (class_ids > 254)).any():
        raise ValueError(f'class_ids must name each map, of {len(maps)}, in [0, 254], got {class_ids.tolist()}')
    labels = maps.new_full(maps.shape[1:], ignore_index, dtype=torch.uint8)
    if not len(maps):
        return labels
    shares = torch.where(class_ids == 0, background_share, share).to(maps)
    high = maps > (shares * maps.amax((1, 2))).clamp(min=least)[:, None, None]
    found = class_ids.to(torch.uint8)[high.to(torch.uint8).argmax(0)]
    return torch.where(high.sum(0) == 1, found, labels)
