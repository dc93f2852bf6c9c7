from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModule, initialize
from torch import Tensor, nn

from mmwsss.models.backbones.outputs import BackboneOutput
from mmwsss.registry import MODELS

from .taps import check_index, take_tap


@MODELS.register_module()
class CAMHead(BaseModule):
    """Multi-label classifier whose weights, applied at every cell, give class activation maps.

    The classifier is a 1x1 convolution, without bias in the published method. Global average pooling before it (as in
    AffinityNet's ResNet-38) or after it (as in its VGG-16) gives the same scores but for the dropout.

    Args:
        in_channels (int): Channels of the tap.
        num_classes (int): Number of classes that image-level labels are about; the background is none of them.
        in_index (int): Which output of the backbone to use. Defaults to -1, the last.
        expand (dict, optional): Config of a layer between the tap and the classifier, such as the last 1x1 convolution
            of a MobileNet. Its ``out_channels`` are the classifier's input and its ``init_cfg``
            says where its weights come from. Its BatchNorm is kept in eval mode.
        dropout_ratio (float): Dropout of whole channels before the classifier. Defaults to 0.5.
        pool (str): ``'before'`` or ``'after'`` the classifier. Defaults to ``'before'``.
        cam_activation (str): ``'relu'``, or ``'sqrt'`` for the square root of it. Defaults to ``'relu'``.
        bias (bool): Gives the classifier a bias, which is part of the maps. Defaults to False.
        init_cfg (dict, optional): Defaults to Xavier for the classifier.

    Raises:
        ValueError: If an argument is out of its range; in the forward pass, if the backbone has no such output, or one
            of other channels.

    Source: Zhou et al., CVPR 2016; Ahn & Kwak, CVPR 2018.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        in_index: int = -1,
        expand: dict | None = None,
        dropout_ratio: float = 0.5,
        pool: str = 'before',
        cam_activation: str = 'relu',
        bias: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='Xavier', distribution='uniform', override=dict(name='classifier')))
        if pool not in ('before', 'after'):
            raise ValueError(f"pool must be 'before' or 'after', got {pool!r}")
        if cam_activation not in ('relu', 'sqrt'):
            raise ValueError(f"cam_activation must be 'relu' or 'sqrt', got {cam_activation!r}")
        if num_classes < 1:
            raise ValueError(f'num_classes must be at least 1, got {num_classes}')
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.in_index = in_index
        self.pool = pool
        self.cam_activation = cam_activation
        expand = dict(expand or {})
        self.expand_init_cfg = expand.pop('init_cfg', None)
        self.expand = MODELS.build({'in_channels': in_channels, **expand}) if expand else nn.Identity()
        self.dropout = nn.Dropout2d(dropout_ratio)
        self.classifier = nn.Conv2d(expand.get('out_channels', in_channels), num_classes, 1, bias=bias)

    @classmethod
    def complete(cls, head: Mapping[str, Any], outputs: Sequence[BackboneOutput]) -> dict[str, Any]:
        """Adds ``in_channels`` of one output of the backbone, by default of the last, to the config of a head.

        Raises:
            ValueError: If the backbone has no such output.
        """
        index = head.get('in_index', -1)
        check_index(index, len(outputs), cls.__name__)
        return {**head, 'in_channels': outputs[index].channels}

    def init_weights(self) -> None:
        super().init_weights()
        if self.expand_init_cfg is not None:
            initialize(self.expand, self.expand_init_cfg)

    def train(self, mode: bool = True) -> 'CAMHead':
        super().train(mode)
        for module in self.expand.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self

    def _features(self, feats: Tensor | Sequence[Tensor]) -> Tensor:
        feats, index = ((feats,), 0) if isinstance(feats, Tensor) else (feats, self.in_index)
        return self.expand(take_tap(feats, index, self.in_channels, 'CAMHead'))

    def pooled(self, feats: Tensor | Sequence[Tensor]) -> Tensor:
        """What the classifier takes, averaged over the cells, (B, C)."""
        return self._features(feats).mean((2, 3))

    def forward(self, feats: Tensor | Sequence[Tensor]) -> Tensor:
        """Class scores before the sigmoid, (B, num_classes)."""
        features = self._features(feats)
        if self.pool == 'before':
            features = F.adaptive_avg_pool2d(features, 1)
        return self.classifier(self.dropout(features)).mean((2, 3))

    def localize(self, feats: Tensor | Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Activation maps and class probabilities of one pass.

        Returns:
            tuple[Tensor, Tensor]: Non-negative maps (B, num_classes, h, w) at the tap's stride, not normalized, and
            probabilities (B, num_classes); without dropout, the mean of a map before its activation is the score.
        """
        score_maps = self.classifier(self._features(feats)).float()
        maps = score_maps.relu()
        return maps.sqrt() if self.cam_activation == 'sqrt' else maps, score_maps.mean((2, 3)).sigmoid()

    def loss(self, feats: Tensor | Sequence[Tensor], labels: Tensor) -> dict[str, Tensor]:
        """Multi-label soft-margin loss: cross entropy of each class on its own, averaged.

        Args:
            feats (Tensor | sequence[Tensor]): Outputs of the backbone.
            labels (Tensor): Multi-hot float (B, num_classes).

        Raises:
            ValueError: If the labels are not (B, num_classes).
        """
        scores = self(feats)
        if labels.shape != scores.shape:
            raise ValueError(
                f'image-level labels must be (B, num_classes) = {tuple(scores.shape)}, got {tuple(labels.shape)}; '
                'is num_classes of the CAMHead the number of labeled classes?'
            )
        return dict(loss_cls=F.multilabel_soft_margin_loss(scores, labels.to(scores.dtype)))
