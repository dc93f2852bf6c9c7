from collections.abc import Sequence
from typing import Any

import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.models.backbones.outputs import as_outputs, build_backbone
from mmwsss.models.heads.building import build_head
from mmwsss.registry import MODELS
from mmwsss.structures import StencilAffinity

from .affinity_model import AffinityModel


@MODELS.register_module()
class AffinityNet(AffinityModel):
    """Learns whether neighboring cells share a class.

    Args:
        backbone (dict): Config of any mmseg backbone with the taps of the head in its ``out_indices``.
        head (dict): Config of an :class:`AffinityHead`. Without ``in_channels``, they are those of the backbone's
            outputs; without ``in_index`` too, the taps are the last three outputs that are not finer than the head's
            ``stride``.
        data_preprocessor (dict): Config of a ``SegDataPreProcessor``.
        freeze_backbone (bool): Keep the backbone as it was initialized and train the head alone, with the backbone's
            forward pass outside the graph: many times as many images a second. Defaults to False, as in the paper.
        init_cfg (dict, optional): Defaults to None.

    Raises:
        ValueError: If the package of the backbone is not installed, or its outputs cannot be found by running it once;
            the message says what to set.

    Source: Ahn & Kwak, CVPR 2018, sections 3.2 and 3.3.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        data_preprocessor: dict | None = None,
        freeze_backbone: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = build_backbone(backbone)
        self.head: Any = build_head(head, self.backbone)
        self.freeze_backbone = freeze_backbone
        if freeze_backbone:
            self.backbone.requires_grad_(False)

    def train(self, mode: bool = True) -> 'AffinityNet':
        super().train(mode)
        if self.freeze_backbone:
            self.backbone.train(False)
        return self

    def extract_feat(self, inputs: Tensor) -> Sequence[Tensor]:
        """Outputs of the backbone, outside the graph where it is frozen."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.freeze_backbone):
            return as_outputs(self.backbone(inputs))

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        labels = torch.cat([sample.gt_sem_seg.data for sample in data_samples])
        with_background = bool(data_samples[0].get('with_background', True))
        return self.head.loss(self.extract_feat(inputs), labels, with_background)

    def affinity(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> StencilAffinity:
        features, grid = self.extract_feat(inputs), self._grid(inputs.shape[2:])
        if not data_samples:
            height, width = inputs.shape[2:]
            return StencilAffinity(self.head.affinity(features, grid), (height, width), self.head.stride)
        # Images of a batch are of one size; cells beyond it are padding.
        height, width = data_samples[0].img_shape[:2]
        covered = int(height), int(width)
        return StencilAffinity(self.head.affinity(features, grid, self._grid(covered)), covered, self.head.stride)

    def _grid(self, size: Sequence[int]) -> tuple[int, int]:
        """Rows and columns of the cells over height and width in pixels."""
        # Of positive numbers alone: ONNX's division of integers rounds towards zero.
        rows, columns = ((side + self.head.stride - 1) // self.head.stride for side in size)
        return rows, columns
