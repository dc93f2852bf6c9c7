from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from mmwsss.registry import MODELS


@MODELS.register_module()
class BalancedCrossEntropyLoss(nn.Module):
    """Cross entropy of a segmentor whose background pixels weigh as much as those of all other classes together.

    Each of the two groups is averaged over its pixels in the batch, then the two are. A group without pixels counts as
    zero.

    Args:
        background (int): Index of the background. Defaults to 0.
        loss_weight (float): Factor of the loss. Defaults to 1.
        loss_name (str): Name among the losses of a head; one that starts with ``loss_`` is trained on. Defaults to
            ``'loss_balanced_ce'``.

    Source: the balanced seed loss of Huang et al., DSRG, CVPR 2018, with which AffinityNet's successors train DeepLabV2
    on pseudo masks.
    """

    def __init__(self, background: int = 0, loss_weight: float = 1.0, loss_name: str = 'loss_balanced_ce') -> None:
        super().__init__()
        self.background = background
        self.loss_weight = loss_weight
        self._loss_name = loss_name

    @property
    def loss_name(self) -> str:
        """Name among the losses of a head."""
        return self._loss_name

    def forward(
        self, cls_score: Tensor, label: Tensor, weight: Tensor | None = None, ignore_index: int = 255, **_: Any
    ) -> Tensor:
        """Compute the loss.

        Args:
            cls_score (Tensor): Scores (B, C, H, W) before the softmax.
            label (Tensor): Class indices (B, H, W).
            weight (Tensor, optional): Factor of each pixel, (B, H, W). Defaults to None.
            ignore_index (int): Label of the pixels that are left out. Defaults to 255.

        Returns:
            Tensor: The loss, a scalar.
        """
        losses = F.cross_entropy(cls_score, label, reduction='none', ignore_index=ignore_index)
        if weight is not None:
            losses = losses * weight
        background = label == self.background
        foreground = ~background & (label != ignore_index)
        return self.loss_weight * (_mean_of(losses, background) + _mean_of(losses, foreground)) / 2


def _mean_of(losses: Tensor, pixels: Tensor) -> Tensor:
    return (losses * pixels).sum() / pixels.sum().clamp(min=1)
