from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmwsss.registry import MODELS

# Blocks of stages 2 to 5, their widths in base channels, strides and the dilations of the stage's blocks.
_STAGES = ((3, 2, 2, 1), (3, 4, 2, 1), (6, 8, 2, 1), (3, 16, 1, 2))


def _conv(source: int, target: int, kernel_size: int = 3, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    padding = dilation * (kernel_size // 2)
    return nn.Conv2d(source, target, kernel_size, stride, padding, dilation, bias=False)


class PreActBlock(nn.Module):
    """Two 3x3 convolutions, each behind BatchNorm and ReLU, and a shortcut.

    The shortcut is a 1x1 convolution of the activated input where the shape changes.

    Args:
        in_channels (int): Channels of the input.
        mid_channels (int): Channels between the convolutions.
        out_channels (int): Channels of the output.
        stride (int): Stride of the first convolution. Defaults to 1.
        dilations (tuple[int, int]): Dilations of the two. Defaults to (1, 1).
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        stride: int = 1,
        dilations: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = _conv(in_channels, mid_channels, stride=stride, dilation=dilations[0])
        self.norm2 = nn.BatchNorm2d(mid_channels)
        self.conv2 = _conv(mid_channels, out_channels, dilation=dilations[1])
        same = in_channels == out_channels and stride == 1
        self.shortcut = None if same else _conv(in_channels, out_channels, 1, stride)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Output of the block, and its activated input."""
        activated = self.norm1(x).relu()
        out = self.conv2(self.norm2(self.conv1(activated)).relu())
        return out + (x if self.shortcut is None else self.shortcut(activated)), activated


class PreActBottleneck(nn.Module):
    """A 1x1, a dilated 3x3 and a 1x1 convolution with channel dropout between them, and a 1x1 shortcut.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output; a quarter and a half of it in between.
        dilation (int): Dilation of the 3x3 convolution.
        dropout_ratio (float): Dropout of whole channels.
    """

    def __init__(self, in_channels: int, out_channels: int, dilation: int, dropout_ratio: float) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = _conv(in_channels, out_channels // 4, 1)
        self.norm2 = nn.BatchNorm2d(out_channels // 4)
        self.conv2 = _conv(out_channels // 4, out_channels // 2, dilation=dilation)
        self.norm3 = nn.BatchNorm2d(out_channels // 2)
        self.conv3 = _conv(out_channels // 2, out_channels, 1)
        self.shortcut = _conv(in_channels, out_channels, 1)
        self.dropout = nn.Dropout2d(dropout_ratio)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Output of the block, and its activated input."""
        activated = self.norm1(x).relu()
        out = self.dropout(self.norm2(self.conv1(activated)).relu())
        out = self.dropout(self.norm3(self.conv2(out)).relu())
        return self.conv3(out) + self.shortcut(activated), activated


@MODELS.register_module()
class ResNet38d(BaseModule):
    """Wide ResNet of 38 layers at stride 8, the backbone of AffinityNet's published figures.

    Takes RGB / 255 less the ImageNet mean over the ImageNet deviation. Gives three taps at stride 8: conv4, conv5 and
    conv6, of 8, 16 and 64 times ``base_channels`` (512, 1024 and 4096), all activated.

    The statistics and weights of every BatchNorm stay as they were loaded, as in the released code.

    Args:
        base_channels (int): Channels of the stem. Defaults to 64.
        frozen_stages (int): Stages whose weights are frozen: 1 is the stem, 2 to 5 the stages of blocks, 6 and 7 the
            bottlenecks; 0 freezes none. Defaults to 2.
        dropout_ratios (sequence[float]): Channel dropout of the two bottlenecks. Defaults to (0.3, 0.5).
        init_cfg (dict, optional): Defaults to He's initialization.

    Raises:
        ValueError: If an argument is out of its range.

    Source: Wu et al., Wider or Deeper, 2016, model A1; Ahn & Kwak, CVPR 2018.
    """

    def __init__(
        self,
        base_channels: int = 64,
        frozen_stages: int = 2,
        dropout_ratios: Sequence[float] = (0.3, 0.5),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='Kaiming', layer='Conv2d'))
        if base_channels < 1:
            raise ValueError(f'base_channels must be at least 1, got {base_channels}')
        if not 0 <= frozen_stages <= 7:
            raise ValueError(f'frozen_stages must be between 0 and 7, got {frozen_stages}')
        if len(dropout_ratios) != 2:
            raise ValueError(f'dropout_ratios must be two numbers, one a bottleneck, got {dropout_ratios}')
        self.frozen_stages = frozen_stages
        # The stem is a Sequential so that mmcv's fusion of convolutions and norms does not pair it with the last norm.
        self.stage1 = nn.Sequential(_conv(3, base_channels))
        channels = base_channels
        for number, (depth, width, stride, dilation) in enumerate(_STAGES, 2):
            mid, out = min(width, 8) * base_channels, width * base_channels
            blocks = [PreActBlock(channels, mid, out, stride, (1, dilation))]
            blocks += [PreActBlock(out, mid, out, 1, (dilation, dilation)) for _ in range(depth - 1)]
            self.add_module(f'stage{number}', nn.ModuleList(blocks))
            channels = out
        self.stage6 = PreActBottleneck(channels, 2 * channels, 4, dropout_ratios[0])
        self.stage7 = PreActBottleneck(2 * channels, 4 * channels, 4, dropout_ratios[1])
        self.norm = nn.BatchNorm2d(4 * channels)
        for number in range(1, frozen_stages + 1):
            getattr(self, f'stage{number}').requires_grad_(False)
        for norm in self._norms():
            norm.requires_grad_(False)

    def _norms(self) -> list[_BatchNorm]:
        return [module for module in self.modules() if isinstance(module, _BatchNorm)]

    def train(self, mode: bool = True) -> 'ResNet38d':
        super().train(mode)
        for norm in self._norms():
            norm.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the network.

        Args:
            x (Tensor): Normalized images (B, 3, H, W).

        Returns:
            tuple[Tensor, Tensor, Tensor]: conv4, conv5 and conv6 at ceil(H / 8) x ceil(W / 8).
        """
        x = self.stage1(x)
        entries = []
        for number in range(2, 6):
            for index, block in enumerate(getattr(self, f'stage{number}')):
                x, activated = block(x)
                if index == 0:
                    entries.append(activated)
        x, conv5 = self.stage6(x)
        x, _ = self.stage7(x)
        return entries[3], conv5, self.norm(x).relu()
