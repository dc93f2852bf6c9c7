import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmwsss.registry import MODELS

# Convolutions of the five stages, their widths in base channels, dilation, and the stride of the pooling before each.
_STAGES = ((2, 1, 1, None), (2, 2, 1, 2), (3, 4, 1, 2), (3, 8, 1, 2), (3, 8, 2, 1))


@MODELS.register_module()
class VGG16LargeFOV(BaseModule):
    """VGG-16 at stride 8 whose fully connected layers are convolutions, as in DeepLab-LargeFOV and AffinityNet.

    Takes BGR from 0 to 255 less the mean (104.008, 116.669, 122.675). Gives three taps at stride 8: conv4 and conv5,
    of 8 times ``base_channels`` (512), and conv5fc, the activated fc7, of 16 times (1024). As in the released code
    nothing is pooled between conv5 and fc6, where DeepLab has two poolings of stride 1.

    Args:
        fc6_dilation (int): Dilation of the 3x3 convolution fc6: 1 for the classifier, 4 for AffinityNet. Defaults to 1.
        base_channels (int): Channels of the first stage. Defaults to 64.
        frozen_stages (int): How many of the five stages of convolutions are frozen. Defaults to 2.
        dropout_ratio (float): Channel dropout between fc6 and fc7. Defaults to 0.5.
        init_cfg (dict, optional): Defaults to He's initialization.

    Raises:
        ValueError: If an argument is out of its range.

    Source: Simonyan & Zisserman, ICLR 2015; Chen et al., ICLR 2015; Ahn & Kwak, CVPR 2018.
    """

    def __init__(
        self,
        fc6_dilation: int = 1,
        base_channels: int = 64,
        frozen_stages: int = 2,
        dropout_ratio: float = 0.5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='Kaiming', layer='Conv2d'))
        if fc6_dilation < 1:
            raise ValueError(f'fc6_dilation must be at least 1, got {fc6_dilation}')
        if base_channels < 1:
            raise ValueError(f'base_channels must be at least 1, got {base_channels}')
        if not 0 <= frozen_stages <= 5:
            raise ValueError(f'frozen_stages must be between 0 and 5, got {frozen_stages}')
        self.frozen_stages = frozen_stages
        channels = 3
        for number, (depth, width, dilation, _) in enumerate(_STAGES, 1):
            convs = nn.ModuleList()
            for _ in range(depth):
                convs.append(nn.Conv2d(channels, width * base_channels, 3, padding=dilation, dilation=dilation))
                channels = width * base_channels
            self.add_module(f'stage{number}', convs)
            convs.requires_grad_(number > frozen_stages)
        self.fc6 = nn.Conv2d(channels, 2 * channels, 3, padding=fc6_dilation, dilation=fc6_dilation)
        self.dropout = nn.Dropout2d(dropout_ratio)
        self.fc7 = nn.Conv2d(2 * channels, 2 * channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the network.

        Args:
            x (Tensor): Images less the mean (B, 3, H, W).

        Returns:
            tuple[Tensor, Tensor, Tensor]: conv4, conv5 and conv5fc at ceil(H / 8) x ceil(W / 8).
        """
        taps = []
        for number, (_, _, _, pool_stride) in enumerate(_STAGES, 1):
            if pool_stride is not None:
                x = F.max_pool2d(x, 3, pool_stride, padding=1)
            for conv in getattr(self, f'stage{number}'):
                x = conv(x).relu()
            taps.append(x)
        x = self.fc7(self.dropout(self.fc6(x).relu())).relu()
        return taps[3], taps[4], x
