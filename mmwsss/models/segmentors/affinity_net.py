from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.fileio import quantise_affinity
from mmwsss.models.backbones.outputs import as_outputs, backbone_outputs, build_backbone
from mmwsss.models.heads.affinity_head import DEFAULT_STRIDE
from mmwsss.models.heads.taps import complete_affinity_head


@MODELS.register_module()
class AffinityNet(BaseModel):
    """Learns whether neighbouring cells share a class (step 3) and spreads seeds over these affinities (step 4).

    Args:
        backbone (dict): Config of any mmseg backbone with the taps of the head in its ``out_indices``.
        head (dict): Config of an :class:`AffinityHead`. Without ``in_channels``, they are those of the backbone's
            outputs; without ``in_index`` too, the taps are the last three outputs that are not finer than the head's
            ``stride``.
        postprocessor (dict): Config of a :class:`RandomWalk`, or another component with its call.
        data_preprocessor (dict): Config of a ``SegDataPreProcessor``.
        freeze_backbone (bool): Keep the backbone as it was initialised and train the head alone, with the backbone's
            forward pass outside the graph: many times as many photographs a second. Defaults to False, as in the paper.
        init_cfg (dict, optional): Defaults to None.

    Raises:
        ValueError: If the package of the backbone is not installed, or its outputs cannot be found by running it once;
            the message says what to set.

    Source: Ahn & Kwak, CVPR 2018, sections 3.2 to 3.4.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        postprocessor: dict | None = None,
        data_preprocessor: dict | None = None,
        freeze_backbone: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = build_backbone(backbone)
        if head.get('in_channels') is None:
            head = complete_affinity_head(head, backbone_outputs(self.backbone), head.get('stride', DEFAULT_STRIDE))
        self.head = MODELS.build(head)
        self.postprocessor: Any = MODELS.build(postprocessor) if postprocessor else None
        self.freeze_backbone = freeze_backbone
        if freeze_backbone:
            self.backbone.requires_grad_(False)

    def train(self, mode: bool = True) -> 'AffinityNet':
        super().train(mode)
        if self.freeze_backbone:
            self.backbone.train(False)
        return self

    def extract_feat(self, inputs: Tensor) -> Sequence[Tensor]:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.freeze_backbone):
            return as_outputs(self.backbone(inputs))

    def forward(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None, mode: str = 'tensor'
    ) -> dict | list[SegDataSample] | Tensor:
        """Run the network.

        Args:
            inputs (Tensor): Normalised photographs (B, 3, H, W).
            data_samples (list[SegDataSample], optional): With ``gt_sem_seg`` (affinity labels) for ``'loss'`` and
                ``seeds`` for ``'predict'``.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            dict | list[SegDataSample] | Tensor: Losses; samples with ``class_ids`` (uint8 (K,)), ``scores``
            (float32 (K, h, w) on the grid, see :class:`RandomWalk`) and ``affinity`` (uint8 (P, h, w), see
            :func:`quantise_affinity`); or the affinity field (B, P, h, w).
        """
        samples = data_samples or []
        if mode == 'loss':
            labels = torch.cat([sample.gt_sem_seg.data for sample in samples])
            return self.head.loss(self.extract_feat(inputs), labels)
        stride = self.head.stride
        size = self._grid(inputs.shape[2:])
        if mode == 'tensor':
            return self.head.affinity(self.extract_feat(inputs), size)
        if mode != 'predict':
            raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")
        # Photographs of a batch are of one size; cells beyond it are padding.
        affinity = self.head.affinity(self.extract_feat(inputs), size, self._grid(samples[0].img_shape[:2]))
        for field, sample in zip(affinity, samples):
            class_ids, scores = self.postprocessor(sample.seeds, field, sample.img_shape[:2], stride)
            sample.set_field(class_ids, 'class_ids')
            sample.set_field(scores.float().cpu().numpy(), 'scores')
            sample.set_field(quantise_affinity(field.detach().float().cpu().numpy()), 'affinity')
            sample.set_metainfo(dict(grid_stride=stride))
        return samples

    def _grid(self, size: Sequence[int]) -> tuple[int, int]:
        """Rows and columns of the cells over height and width in pixels."""
        rows, columns = (-(-side // self.head.stride) for side in size)
        return rows, columns
