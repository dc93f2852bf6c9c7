from collections.abc import Sequence
from typing import Any

import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.models.backbones.outputs import as_outputs, backbone_outputs, build_backbone
from mmwsss.models.heads.building import build_head
from mmwsss.models.heads.taps import check_index
from mmwsss.registry import MODELS
from mmwsss.structures import Localization

from .localizer import Localizer


@MODELS.register_module()
class CAMClassifier(Localizer):
    """Multi-label classifier whose class activation maps say where its classes are.

    Args:
        backbone (dict): Config of any mmseg backbone.
        head (dict): Config of a :class:`CAMHead`. Without ``in_channels``, they are those of the backbone's output.
        data_preprocessor (dict): Config of a ``SegDataPreProcessor``.
        test_cfg (dict, optional): As in :class:`Localizer`. ``size_divisor`` defaults to the coarsest stride of the
            backbone's outputs.
        feature_index (int, optional): The output of the backbone that refiners such as :class:`CosineAffinity` get as
            features. Defaults to None: they get none.
        init_cfg (dict, optional): Defaults to None.

    Raises:
        ValueError: If the package of the backbone is not installed, or a value that is not set cannot be found by
            running the backbone once; the message says what to set.

    Source: Ahn & Kwak, CVPR 2018, section 3.1.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        data_preprocessor: dict | None = None,
        test_cfg: dict | None = None,
        feature_index: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, test_cfg, init_cfg)
        self.backbone = build_backbone(backbone)
        if self.test_cfg and self.test_cfg.get('size_divisor') is None:
            self.test_cfg['size_divisor'] = max(output.stride for output in backbone_outputs(self.backbone))
        self.head: Any = build_head(head, self.backbone)
        self.feature_index = feature_index

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        labels = torch.stack([sample.gt_label.score for sample in data_samples])
        return self.head.loss(self.backbone(inputs), labels)

    def scores(self, inputs: Tensor) -> Tensor:
        return self.head(self.backbone(inputs))

    def pooled_features(self, inputs: Tensor) -> Tensor:
        """What the classifier takes, averaged over the cells of each image, (B, D)."""
        return self.head.pooled(self.backbone(inputs))

    def localize(self, inputs: Tensor, data_samples: list[SegDataSample]) -> Localization:
        feats = as_outputs(self.backbone(inputs))
        maps, scores = self.head.localize(feats)
        return Localization(maps, scores, self.features_of(feats))

    def features_of(self, feats: Sequence[Tensor]) -> Tensor | None:
        """Of the outputs of the backbone, the one that refiners get, if any."""
        if self.feature_index is None:
            return None
        check_index(self.feature_index, len(feats), f'{type(self).__name__}', 'feature_index')
        return feats[self.feature_index]
