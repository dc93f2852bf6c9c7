from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmwsss.registry import MODELS


class DilatedScores(nn.Module):
    """Sum of the class scores of dilated 3x3 convolutions over the same features.

    Args:
        in_channels (int): Channels of the features.
        num_classes (int): Channels of the scores.
        dilations (sequence[int]): Dilation of each convolution.
    """

    def __init__(self, in_channels: int, num_classes: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Conv2d(in_channels, num_classes, 3, padding=dilation, dilation=dilation) for dilation in dilations
        )

    def forward(self, features: Tensor) -> Tensor:
        """Scores (B, num_classes, h, w) of features (B, in_channels, h, w)."""
        return sum(branch(features) for branch in self.branches)


@MODELS.register_module()
class DeepLabV2Head(BaseDecodeHead):
    """Atrous spatial pyramid pooling of DeepLabV2 on a ResNet: each branch is a classifier, and scores are summed.

    mmseg's ``ASPPHead`` is that of DeepLabV3, whose branches are concatenated features.

    Args:
        in_channels (int): Channels of the tap.
        dilations (sequence[int]): Dilation of each branch. Defaults to (6, 12, 18, 24).
        dropout_ratio (float): Dropout of whole channels before the branches. Defaults to 0, as in the paper.
        **kwargs: Those of ``BaseDecodeHead``.

    Source: Chen et al., TPAMI 2018, section 3.1.
    """

    def __init__(
        self, in_channels: int, dilations: Sequence[int] = (6, 12, 18, 24), dropout_ratio: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(in_channels, in_channels, dropout_ratio=dropout_ratio, **kwargs)
        self.conv_seg = DilatedScores(in_channels, self.out_channels, dilations)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Class scores (B, num_classes, h, w) of the outputs of a backbone."""
        return self.cls_seg(self._transform_inputs(inputs))
