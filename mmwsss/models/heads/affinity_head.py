from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmengine.model.weight_init import kaiming_init, xavier_init
from torch import Tensor, nn

from mmwsss.models.backbones.outputs import BackboneOutput
from mmwsss.ops import affinity_loss, pair_labels, pairwise_affinity, pool_label_map
from mmwsss.ops.maps import resize_maps
from mmwsss.registry import MODELS

from .taps import check_index, projected_channels, take_tap

PAIR_LOSSES = ('loss_bg', 'loss_fg', 'loss_neg')
PAPER_LOSS_WEIGHTS = MappingProxyType(dict(loss_bg=0.25, loss_fg=0.25, loss_neg=0.5))
PAPER_CHANNELS = (64, 128, 256)
DEFAULT_STRIDE = 8


@MODELS.register_module()
class AffinityHead(BaseModule):
    """Embeds every cell so that ``exp(-mean |f_i - f_j|)`` says whether two neighboring cells share a class.

    Each tap of the backbone is projected by a 1x1 convolution and ELU, brought to the grid, concatenated, and mixed by
    another 1x1 convolution and ELU.

    Args:
        in_channels (sequence[int]): Channels of each tap.
        in_index (sequence[int]): Which outputs of the backbone are the taps. Defaults to (0, 1, 2).
        channels (sequence[int], optional): Channels each tap is projected to. Defaults to the paper's (64, 128, 256),
            of which fewer taps take the last.
        stride (int): Pixels a cell, in each direction; taps of another stride are resized to the grid. Defaults to 8.
        radius (int): Pairs are closer than this many cells. Defaults to 5.
        border (str): ``'full'``, or ``'reference'`` for the pairs that the released code keeps. Defaults to ``'full'``.
        norm_cfg (dict | sequence[dict], optional): Normalization after each projection: one for all, or one a tap, as
            the GroupNorms of 8, 16 and 32 groups of AffinityNet's VGG-16. Defaults to None.
        loss_weights (dict): Weight of the loss of background, foreground and negative pairs. Defaults to the paper's.
        init_cfg (dict, optional): Defaults to None: the paper's initialization.

    Source: Ahn & Kwak, CVPR 2018, section 3.2.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        in_index: Sequence[int] = (0, 1, 2),
        channels: Sequence[int] | None = None,
        stride: int = DEFAULT_STRIDE,
        radius: int = 5,
        border: str = 'full',
        norm_cfg: dict | Sequence[dict] | None = None,
        loss_weights: Mapping[str, float] = PAPER_LOSS_WEIGHTS,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        channels = projected_channels(in_channels, in_index, channels, PAPER_CHANNELS)
        if stride < 1:
            raise ValueError(f'stride must be at least 1, got {stride}')
        if radius < 2:
            raise ValueError(f'radius must be at least 2, got {radius}')
        if set(loss_weights) != set(PAIR_LOSSES):
            raise ValueError(f'loss_weights must have the keys {PAIR_LOSSES}, got {sorted(loss_weights)}')
        if border not in ('full', 'reference'):
            raise ValueError(f"border must be 'full' or 'reference', got {border!r}")
        self.in_index, self.in_channels = tuple(in_index), tuple(in_channels)
        self.stride = stride
        self.radius = radius
        self.border = border
        self.loss_weights = dict(loss_weights)
        norm_cfgs = [norm_cfg] * len(channels) if norm_cfg is None or isinstance(norm_cfg, Mapping) else norm_cfg
        if len(norm_cfgs) != len(channels):
            raise ValueError(f'norm_cfg must be one for all taps or one for each of {len(channels)}, got {norm_cfg}')
        self.projections = nn.ModuleList()
        for source, target, cfg in zip(in_channels, channels, norm_cfgs):
            layers = [nn.Conv2d(source, target, 1, bias=False)]
            if cfg is not None:
                layers.append(build_norm_layer(cfg, target)[1])
            self.projections.append(nn.Sequential(*layers, nn.ELU()))
        self.mix = nn.Conv2d(sum(channels), sum(channels), 1, bias=False)

    @classmethod
    def complete(cls, head: Mapping[str, Any], outputs: Sequence[BackboneOutput]) -> dict[str, Any]:
        """Adds ``in_index`` and ``in_channels`` of several outputs of the backbone to the config of a head.

        The taps are the last three of the outputs that are not finer than the grid; where all are finer, the last
        three. An ``in_index`` of the config is kept.

        Raises:
            ValueError: If the backbone has no such output.
        """
        indices = head.get('in_index')
        if indices is None:
            stride = head.get('stride', DEFAULT_STRIDE)
            coarse = [index for index, output in enumerate(outputs) if output.stride >= stride]
            indices = (coarse or list(range(len(outputs))))[-3:]
        for index in indices:
            check_index(index, len(outputs), cls.__name__)
        return {**head, 'in_index': tuple(indices), 'in_channels': tuple(outputs[index].channels for index in indices)}

    def init_weights(self) -> None:
        super().init_weights()
        if self.init_cfg is None:
            for projection in self.projections:
                kaiming_init(projection.get_submodule('0'), mode='fan_in')
            xavier_init(self.mix, gain=4, distribution='uniform')

    def forward(self, feats: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """Embed the cells.

        Args:
            feats (sequence[Tensor]): Outputs of the backbone.
            size (tuple[int, int]): Rows and columns of the grid.

        Returns:
            Tensor: (B, sum(channels), rows, columns).

        Raises:
            ValueError: If the backbone has no such output, or one of other channels.
        """
        taps = [
            projection(take_tap(feats, index, channels, 'AffinityHead'))
            for projection, index, channels in zip(self.projections, self.in_index, self.in_channels)
        ]
        return F.elu(self.mix(torch.cat([resize_maps(tap, size) for tap in taps], 1)))

    def affinity(self, feats: Sequence[Tensor], size: tuple[int, int], kept: tuple[int, int] | None = None) -> Tensor:
        """Affinity field of :func:`mmwsss.ops.pairwise_affinity`.

        Args:
            feats (sequence[Tensor]): Outputs of the backbone.
            size (tuple[int, int]): Rows and columns of the grid.
            kept (tuple[int, int], optional): The first rows and columns, where the others are padding. Defaults to all.

        Returns:
            Tensor: (B, P, rows, columns) of what is kept.
        """
        embedded = self(feats, size)
        if kept is not None:
            embedded = embedded[:, :, : kept[0], : kept[1]]
        return pairwise_affinity(embedded.float(), self.radius, self.border)

    def loss(self, feats: Sequence[Tensor], label_map: Tensor, with_background: bool = True) -> dict[str, Tensor]:
        """Weighted losses of the affinity labels.

        Args:
            feats (sequence[Tensor]): Outputs of the backbone.
            label_map (Tensor): Affinity labels (B, H, W) at the input's size; 255 is neutral.
            with_background (bool): Whether class 0 is the background; without, its pairs are foreground pairs like
                those of any other class. Defaults to True.
        """
        cells = pool_label_map(label_map, self.stride)
        pairs = pair_labels(cells, self.radius, self.border, with_background=with_background)
        losses = affinity_loss(self.affinity(feats, (cells.shape[1], cells.shape[2])), pairs)
        return {name: self.loss_weights[name] * value for name, value in losses.items()}
