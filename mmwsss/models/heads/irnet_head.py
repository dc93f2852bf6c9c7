from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmwsss.models.backbones.outputs import BackboneOutput
from mmwsss.ops import affinity_loss, displacement_loss, edge_to_affinity, pair_labels, path_affinity, pool_label_map
from mmwsss.ops.affinity import BORDERS, RADIUS
from mmwsss.ops.irnet import TRAINING_RADIUS
from mmwsss.ops.maps import resize_maps
from mmwsss.registry import MODELS

from .taps import check_index, take_tap

LOSS_WEIGHTS = MappingProxyType(
    dict(loss_bg=0.25, loss_fg=0.25, loss_neg=0.5, loss_displacement_bg=0.5, loss_displacement_fg=0.5)
)
BOUNDARY_CHANNELS = 32
# Of the stem and the four stages of a ResNet; further taps are projected as the last one.
DISPLACEMENT_CHANNELS = (64, 128, 256, 256, 256)
# Taps that join the displacement branch at the grid; those after them do at the grid of the first of them.
NUM_FINE_TAPS = 2
MIXED_CHANNELS = 256
# GroupNorms have at most 16 groups, of at least 8 channels.
MAX_GROUPS, GROUP_CHANNELS = 16, 8


@MODELS.register_module()
class IRNetHead(BaseModule):
    """Finds class boundaries, and displacements of cells to the centers of their objects.

    The boundary branch projects each tap of the backbone to 32 channels, brings it to the grid, and makes one map of
    all. The displacement branch joins coarse taps at the grid of the first of them, and the result with the first two
    taps at the grid of the cells. The losses see differences of displacements alone, so that their mean is arbitrary:
    the buffer ``displacement_mean`` (2,) is what :class:`mmwsss.engine.DisplacementMeanHook` finds it to be.

    Args:
        in_channels (sequence[int]): Channels of each tap.
        in_index (sequence[int], optional): Which outputs are the taps, from fine to coarse. Defaults to all.
        stride (int): Pixels a cell, in each direction. Defaults to 4.
        radius (int): Pairs of the affinities are closer than this many cells. Defaults to 5.
        training_radius (int): The same for the pairs of the losses. Defaults to 10.
        border (str): Pairs of the losses: ``'full'``, or ``'reference'`` for those that the released code keeps.
            Defaults to ``'full'``.
        loss_weights (dict): Weight of each loss. Defaults to the released code's.
        init_cfg (dict, optional): Defaults to None: torch's initialization, as in the released code.

    Raises:
        ValueError: If an argument has the wrong value.

    Source: Ahn, Cho & Kwak, CVPR 2019, section 4.
    """

    displacement_mean: Tensor

    def __init__(
        self,
        in_channels: Sequence[int],
        in_index: Sequence[int] | None = None,
        stride: int = 4,
        radius: int = RADIUS,
        training_radius: int = TRAINING_RADIUS,
        border: str = 'full',
        loss_weights: Mapping[str, float] = LOSS_WEIGHTS,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        in_index = range(len(in_channels)) if in_index is None else in_index
        if len(in_channels) != len(in_index) or not in_channels:
            raise ValueError(f'in_channels and in_index must be of one length, got {in_channels}, {in_index}')
        if stride < 1:
            raise ValueError(f'stride must be at least 1, got {stride}')
        for name, value in (('radius', radius), ('training_radius', training_radius)):
            if value < 2:
                raise ValueError(f'{name} must be at least 2, got {value}')
        if set(loss_weights) != set(LOSS_WEIGHTS):
            raise ValueError(f'loss_weights must have the keys {sorted(LOSS_WEIGHTS)}, got {sorted(loss_weights)}')
        if border not in BORDERS:
            raise ValueError(f'border must be one of {BORDERS}, got {border!r}')
        self.in_channels, self.in_index = tuple(in_channels), tuple(in_index)
        self.stride, self.radius, self.training_radius, self.border = stride, radius, training_radius, border
        self.loss_weights = dict(loss_weights)

        self.boundary_taps = nn.ModuleList(_projection(source, BOUNDARY_CHANNELS) for source in in_channels)
        self.boundary = nn.Conv2d(BOUNDARY_CHANNELS * len(in_channels), 1, 1)

        last = DISPLACEMENT_CHANNELS[-1]
        channels = [*DISPLACEMENT_CHANNELS, *[last] * len(in_channels)][: len(in_channels)]
        fine, coarse = sum(channels[:NUM_FINE_TAPS]), sum(channels[NUM_FINE_TAPS:])
        self.displacement_taps = nn.ModuleList(
            _projection(source, target) for source, target in zip(in_channels, channels)
        )
        self.displacement_coarse = _projection(coarse, MIXED_CHANNELS) if coarse else None
        self.displacement = nn.Sequential(
            _projection(fine + (MIXED_CHANNELS if coarse else 0), MIXED_CHANNELS),
            nn.ReLU(),
            nn.Conv2d(MIXED_CHANNELS, 2, 1, bias=False),
        )
        self.register_buffer('displacement_mean', torch.zeros(2))

    @classmethod
    def complete(cls, head: Mapping[str, Any], outputs: Sequence[BackboneOutput]) -> dict[str, Any]:
        """Adds ``in_index`` and ``in_channels`` of the outputs of the backbone to the config of a head.

        All outputs are taps, unless the config has an ``in_index``.

        Raises:
            ValueError: If the backbone has no such output.
        """
        indices = head.get('in_index')
        indices = tuple(range(len(outputs)) if indices is None else indices)
        for index in indices:
            check_index(index, len(outputs), cls.__name__)
        return {**head, 'in_index': indices, 'in_channels': tuple(outputs[index].channels for index in indices)}

    def _taps(self, feats: Sequence[Tensor]) -> list[Tensor]:
        name = type(self).__name__
        return [take_tap(feats, index, channels, name) for index, channels in zip(self.in_index, self.in_channels)]

    def boundary_logits(self, feats: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """Logits (B, 1, rows, columns) of cells on a boundary.

        Args:
            feats (sequence[Tensor]): Outputs of the backbone.
            size (tuple[int, int]): Rows and columns of the grid.

        Raises:
            ValueError: If the backbone has no such output, or one of other channels.
        """
        taps = [_bring(project(tap), size) for project, tap in zip(self.boundary_taps, self._taps(feats))]
        return self.boundary(torch.cat(taps, 1))

    def displacements(self, feats: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """Displacements (B, 2, rows, columns), (dy, dx) in cells; arguments as of :meth:`boundary_logits`."""
        taps = [project(tap) for project, tap in zip(self.displacement_taps, self._taps(feats))]
        joined = [_bring(tap, size) for tap in taps[:NUM_FINE_TAPS]]
        if self.displacement_coarse is not None:
            coarse = taps[NUM_FINE_TAPS:]
            middle = coarse[0].shape[2], coarse[0].shape[3]
            mixed = self.displacement_coarse(torch.cat([_bring(tap, middle) for tap in coarse], 1))
            joined.append(_bring(mixed, size))
        return self.displacement(torch.cat(joined, 1))

    def forward(self, feats: Sequence[Tensor], size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """What :meth:`boundary_logits` and :meth:`displacements` give."""
        return self.boundary_logits(feats, size), self.displacements(feats, size)

    def affinity(self, edge: Tensor) -> Tensor:
        """Affinity field (B, P, rows, columns) of probabilities (B, 1, rows, columns) of a boundary."""
        return edge_to_affinity(edge, self.radius)

    def loss(self, feats: Sequence[Tensor], label_map: Tensor, with_background: bool = True) -> dict[str, Tensor]:
        """Weighted losses of the affinity labels.

        Args:
            feats (sequence[Tensor]): Outputs of the backbone.
            label_map (Tensor): Affinity labels (B, H, W) at the input's size; 255 is neutral.
            with_background (bool): Whether class 0 is the background; without, its pairs are foreground pairs like
                those of any other class. Defaults to True.
        """
        cells = pool_label_map(label_map, self.stride)
        pairs = pair_labels(cells, self.training_radius, self.border, with_background=with_background)
        logits, displacement = self(feats, (cells.shape[1], cells.shape[2]))
        losses = {
            **affinity_loss(path_affinity(logits.float().sigmoid(), self.training_radius), pairs),
            **displacement_loss(displacement.float(), pairs),
        }
        return {name: self.loss_weights[name] * value for name, value in losses.items()}


def _projection(source: int, target: int) -> nn.Sequential:
    """A 1x1 convolution and a GroupNorm; ReLU comes after resizing."""
    return nn.Sequential(
        nn.Conv2d(source, target, 1, bias=False), nn.GroupNorm(min(MAX_GROUPS, target // GROUP_CHANNELS), target)
    )


def _bring(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps of a coarser grid at the size of a finer one, then ReLU.

    A coarse grid may reach beyond a fine one by a part of its last cells, which is cut off: grids differ in strides by
    powers of two, and each cell stays where it is.
    """
    rows, columns = (_enlarged(have, want) for have, want in zip(maps.shape[2:], size))
    return F.relu(resize_maps(maps, (rows, columns))[:, :, : size[0], : size[1]])


def _enlarged(have: int, want: int) -> int:
    """The smallest product of a side and a power of two that is as long as another one; that one, if it is shorter."""
    if have >= want:
        return want
    side = have
    while side < want:
        side *= 2
    return side
