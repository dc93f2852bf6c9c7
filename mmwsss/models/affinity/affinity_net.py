from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.models.heads.building import build_head
from mmwsss.registry import MODELS
from mmwsss.structures import StencilAffinity

from .backbone_affinity import BackboneAffinity


@MODELS.register_module()
class AffinityNet(BackboneAffinity):
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
        super().__init__(backbone, data_preprocessor, freeze_backbone, init_cfg)
        self.head = build_head(head, self.backbone)

    def affinity(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> StencilAffinity:
        features, grid = self.extract_feat(inputs), self._grid(inputs.shape[2:])
        if not data_samples:
            height, width = inputs.shape[2:]
            return StencilAffinity(self.head.affinity(features, grid), (height, width), self.head.stride)
        # Images of a batch are of one size; cells beyond it are padding.
        height, width = data_samples[0].img_shape[:2]
        covered = int(height), int(width)
        return StencilAffinity(self.head.affinity(features, grid, self._grid(covered)), covered, self.head.stride)
