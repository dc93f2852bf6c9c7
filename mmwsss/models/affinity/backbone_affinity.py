from collections.abc import Sequence
from typing import Any

import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.models.backbones.outputs import as_outputs, build_backbone

from .affinity_model import AffinityModel


class BackboneAffinity(AffinityModel):
    """A head on a backbone that may be frozen. A method builds :attr:`head`, and writes :meth:`affinity`.

    Args:
        backbone (dict): Config of any mmseg backbone.
        data_preprocessor (dict): Config of a ``SegDataPreProcessor``.
        freeze_backbone (bool): Keep the backbone as it was initialized, with its forward pass outside the graph.
        init_cfg (dict, optional): As of mmengine's ``BaseModule``.

    Attributes:
        head (Any): Has a ``stride`` in pixels a cell, and the ``loss`` of features, affinity labels and
            ``with_background``.
    """

    head: Any

    def __init__(
        self, backbone: dict, data_preprocessor: dict | None, freeze_backbone: bool, init_cfg: dict | None
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = build_backbone(backbone)
        self.freeze_backbone = freeze_backbone
        if freeze_backbone:
            self.backbone.requires_grad_(False)

    def train(self, mode: bool = True) -> 'BackboneAffinity':
        super().train(mode)
        if self.freeze_backbone:
            self.backbone.train(False)
        return self

    def taps(self, inputs: Tensor) -> Sequence[Tensor]:
        """What the head may take of images (B, 3, H, W): the outputs of the backbone."""
        return as_outputs(self.backbone(inputs))

    def extract_feat(self, inputs: Tensor) -> Sequence[Tensor]:
        """The :meth:`taps`, outside the graph where the backbone is frozen."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.freeze_backbone):
            return self.taps(inputs)

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        labels = torch.cat([sample.gt_sem_seg.data for sample in data_samples])
        with_background = bool(data_samples[0].get('with_background', True))
        return self.head.loss(self.extract_feat(inputs), labels, with_background)

    def _grid(self, size: Sequence[int]) -> tuple[int, int]:
        """Rows and columns of the cells over height and width in pixels."""
        # Of positive numbers alone: ONNX's division of integers rounds towards zero.
        rows, columns = ((side + self.head.stride - 1) // self.head.stride for side in size)
        return rows, columns
