from collections.abc import Sequence
from typing import Any

import torch
from mmseg.models.losses import CrossEntropyLoss as MMSegCrossEntropyLoss
from mmseg.models.losses import cross_entropy
from torch import Tensor

from mmwsss.registry import MODELS


@MODELS.register_module()
class CrossEntropyLoss(MMSegCrossEntropyLoss):
    """MMSegmentation's cross entropy, whose ``class_weight`` also works where pixels are ignored.

    With weights, the mean over pixels is that of torch: the sum of the weighted losses over the sum of the weights of
    the labeled pixels. MMSegmentation fails here, as it looks for the weight of class 255.

    Args:
        class_weight (sequence[float] | str, optional): Weight of each class, or a file ``.npy`` or ``.json`` of them.
            Defaults to None: all weigh the same.
        **kwargs: Those of MMSegmentation's ``CrossEntropyLoss``.

    Raises:
        ValueError: If the weights are of another kind, or, when it is called, of another number than the classes.
    """

    def __init__(self, class_weight: Sequence[float] | str | None = None, **kwargs: Any) -> None:
        # Other kinds of files are pickles or YAML, which can run code.
        if isinstance(class_weight, str) and not class_weight.endswith(('.npy', '.json')):
            raise ValueError(f'class_weight must be numbers, or a file .npy or .json of them, got {class_weight!r}')
        super().__init__(class_weight=class_weight, **kwargs)
        if not self.use_sigmoid and not self.use_mask:
            self.cls_criterion = _cross_entropy

    def forward(self, cls_score: Tensor, label: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Compute the loss.

        Args:
            cls_score (Tensor): Scores (B, C, H, W).
            label (Tensor): Class indices (B, H, W).
            *args: Those of MMSegmentation's ``CrossEntropyLoss``.
            **kwargs: The same, by name.
        """
        if self.class_weight is not None and len(self.class_weight) != cls_score.shape[1]:
            raise ValueError(
                f'class_weight has {len(self.class_weight)} numbers, but the head scores {cls_score.shape[1]} classes'
            )
        return super().forward(cls_score, label, *args, **kwargs)


def _cross_entropy(
    pred: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    class_weight: Tensor | None = None,
    reduction: str = 'mean',
    avg_factor: float | Tensor | None = None,
    ignore_index: int = -100,
    avg_non_ignore: bool = False,
) -> Tensor:
    """That of MMSegmentation, with the divisor of weighted losses computed here."""
    if class_weight is not None and avg_factor is None and reduction == 'mean':
        avg_factor = torch.sum(class_weight[label[label != ignore_index]])
    return cross_entropy(pred, label, weight, class_weight, reduction, avg_factor, ignore_index, avg_non_ignore)
