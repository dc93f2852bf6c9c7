from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmwsss.registry import MODELS


@MODELS.register_module()
class LinearHead(BaseDecodeHead):
    """A linear classifier of pixels on standardized features of a frozen backbone.

    It has too few weights to repeat the errors of single pseudo masks, and so learns what most of them agree on. Each
    channel is standardized by its mean and variance, as a linear classifier needs to be fitted in few steps.

    Args:
        in_channels (int | sequence[int]): As in ``BaseDecodeHead``; several levels are concatenated at the size of the
            first.
        num_classes (int): Classes, with the background where there is one.
        in_index (int | sequence[int]): As in ``BaseDecodeHead``. Defaults to -1.
        **kwargs: Others of ``BaseDecodeHead``.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        num_classes: int,
        in_index: int | Sequence[int] = -1,
        dropout_ratio: float = 0.0,
        **kwargs: Any,
    ) -> None:
        levels = [in_channels] if isinstance(in_channels, int) else list(in_channels)
        super().__init__(
            in_channels=in_channels,
            channels=sum(levels),
            num_classes=num_classes,
            in_index=in_index,
            input_transform=None if isinstance(in_channels, int) else 'resize_concat',
            dropout_ratio=dropout_ratio,
            **kwargs,
        )
        # In a row of its own, since a norm right behind a convolution is fused into that one for a test.
        self.norm = nn.Sequential(nn.BatchNorm2d(self.in_channels, affine=False))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Scores (B, C, h, w) before the softmax.

        Args:
            inputs (sequence[Tensor]): The levels of the backbone, each (B, D, h, w).
        """
        return self.cls_seg(self.norm(self._transform_inputs(inputs)))
