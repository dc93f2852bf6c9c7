"""SEAM: class maps that are the same in an image and in its small copy, spread among the pixels that look alike."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.model import BaseModule
from mmengine.model.weight_init import kaiming_init, xavier_init
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmwsss.models.backbones.outputs import BackboneOutput, as_outputs
from mmwsss.models.heads.building import build_head
from mmwsss.models.heads.taps import check_index, projected_channels, take_tap
from mmwsss.ops import correlation_input, seam_losses, spread_by_correlation, stretch_maps
from mmwsss.ops.maps import resize_maps
from mmwsss.registry import MODELS
from mmwsss.structures import Localization, Seeds

from .cam_classifier import CAMClassifier

PAPER_CHANNELS = (64, 128)
IMAGE_CHANNELS = 3


@MODELS.register_module()
class PixelCorrelation(BaseModule):
    """Learns features by which class maps spread among the cells of an image: SEAM's pixel correlation module.

    Each tap of the backbone is projected by a 1x1 convolution and ReLU, the image is resized to the grid, and all are
    mixed by another 1x1 convolution. The backbone gets no gradient from here.

    Args:
        in_channels (sequence[int]): Channels of each tap.
        in_index (sequence[int]): Which outputs of the backbone are the taps. Defaults to (0, 1).
        channels (sequence[int], optional): Channels each tap is projected to. Defaults to the paper's (64, 128), of
            which a single tap takes the last.
        init_cfg (dict, optional): Defaults to None: the initialization of the released code.

    Raises:
        ValueError: If the arguments are not of one length; in the forward pass, if the backbone has no such output, or
            one of other channels.

    Source: Wang et al., CVPR 2020, section 3.3.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        in_index: Sequence[int] = (0, 1),
        channels: Sequence[int] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        channels = projected_channels(in_channels, in_index, channels, PAPER_CHANNELS)
        self.in_channels, self.in_index = tuple(in_channels), tuple(in_index)
        self.projections = nn.ModuleList(
            nn.Conv2d(source, target, 1, bias=False) for source, target in zip(in_channels, channels, strict=True)
        )
        self.mix = nn.Conv2d(IMAGE_CHANNELS + sum(channels), sum(channels), 1, bias=False)

    @classmethod
    def complete(cls, head: Mapping[str, Any], outputs: Sequence[BackboneOutput]) -> dict[str, Any]:
        """Adds ``in_index`` and ``in_channels`` of outputs of the backbone to the config.

        The taps are the two outputs before the last; where there are fewer, those there are before it, or it alone. An
        ``in_index`` of the config is kept.

        Raises:
            ValueError: If the backbone has no such output.
        """
        indices = head.get('in_index') or (list(range(len(outputs)))[:-1][-2:] or [0])
        for index in indices:
            check_index(index, len(outputs), cls.__name__)
        return {**head, 'in_index': tuple(indices), 'in_channels': tuple(outputs[index].channels for index in indices)}

    def init_weights(self) -> None:
        super().init_weights()
        if self.init_cfg is None:
            for projection in self.projections:
                kaiming_init(projection, mode='fan_in')
            xavier_init(self.mix, gain=4, distribution='uniform')

    def forward(self, feats: Sequence[Tensor], images: Tensor, size: tuple[int, int]) -> Tensor:
        """Features (B, sum(channels), rows, columns) that correlations are computed of.

        Args:
            feats (sequence[Tensor]): Outputs of the backbone.
            images (Tensor): The normalized images (B, 3, H, W).
            size (tuple[int, int]): Rows and columns of the grid.
        """
        parts = [resize_maps(images, size, align_corners=True)]
        for projection, index, channels in zip(self.projections, self.in_index, self.in_channels, strict=True):
            tap = take_tap(feats, index, channels, 'PixelCorrelation').detach().to(images.dtype)
            parts.append(resize_maps(projection(tap).relu(), size, align_corners=True))
        return self.mix(torch.cat(parts, 1))


@MODELS.register_module()
class SEAM(CAMClassifier):
    """A classifier trained with two sizes of each image, whose maps spread among the pixels that look alike.

    The losses are those of :func:`mmwsss.ops.seam_losses`. The maps of a test are the spread ones, and the sum over
    scales and mirror images is stretched to [0, 1] per class, from its lowest to its highest value, so that there is no
    ``peak_quantile``. ``pool`` and ``cam_activation`` of the head are not used.

    Args:
        backbone (dict): Config of any mmseg backbone.
        head (dict): Config of a :class:`CAMHead`, whose classes are those of the labels: the background needs none.
        correlation (dict, optional): Config of a :class:`PixelCorrelation`. Without ``in_channels``, they are those of
            the backbone's outputs. Defaults to None: all its defaults.
        view_scale (float): Size of the small copy relative to the image, in (0, 1). Defaults to 0.3.
        **kwargs: Those of :class:`CAMClassifier`.

    Raises:
        ValueError: If an argument is out of its range; in :meth:`loss`, if labels are of another number of classes.

    Source: Wang et al., CVPR 2020.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        correlation: dict | None = None,
        view_scale: float = 0.3,
        **kwargs: Any,
    ) -> None:
        super().__init__(backbone, head, **kwargs)
        if not 0 < view_scale < 1:
            raise ValueError(f'view_scale of SEAM must be in (0, 1), got {view_scale!r}')
        if self.test_cfg.get('peak_quantile', 1) != 1:
            raise ValueError('peak_quantile of test_cfg: SEAM stretches maps from their lowest to their highest value')
        self.view_scale = view_scale
        self.correlation: Any = build_head({'type': PixelCorrelation, **(correlation or {})}, self.backbone)

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        labels = torch.stack([sample.gt_label.score for sample in data_samples])
        expected = (len(inputs), self.head.num_classes)
        if labels.shape != expected:
            raise ValueError(
                f'image-level labels must be (B, num_classes) = {expected}, got {tuple(labels.shape)}; is num_classes '
                'of the CAMHead the number of labeled classes?'
            )
        size = [max(int(side * self.view_scale), 1) for side in inputs.shape[2:]]
        large, small = (self._view(images) for images in (inputs, resize_maps(inputs, size, align_corners=True)))
        return seam_losses((large[0], small[0]), (large[1], small[1]), labels)

    def scores(self, inputs: Tensor) -> Tensor:
        raw = self._raw_maps(as_outputs(self.backbone(inputs)))
        return resize_maps(raw, inputs.shape[2:], align_corners=True).mean((2, 3))

    def localize(self, inputs: Tensor, data_samples: list[SegDataSample]) -> Localization:
        maps, spread, feats = self._view(inputs)
        return Localization(spread[:, 1:], maps.mean((2, 3)).sigmoid(), self.features_of(feats))

    def make_seeds(self, sample: SegDataSample, labels: Tensor, maps: Sequence[Tensor], flips: Sequence[bool]) -> Seeds:
        """Adds the maps (K, h, w) of all views of one image and stretches each class to [0, 1]."""
        height, width = sample.img_shape[:2]
        stride = self.test_cfg['seed_stride']
        scale_weights = self.test_cfg.get('scale_weights') or [1.0] * len(self.test_cfg['scales'])
        views = len(maps) // len(scale_weights)
        total = maps[0].new_zeros(len(labels), height, width)
        for index, (one, flipped) in enumerate(zip(maps, flips, strict=True)):
            resized = resize_maps(one, (height, width))
            total += (resized.flip(-1) if flipped else resized) * scale_weights[index // views]
        if len(total):
            total = stretch_maps(total[None])[0]
        cams = resize_maps(total, (-(-height // stride), -(-width // stride)))
        class_ids = (labels + bool(sample.get('with_background', True))).to(torch.uint8)
        size = tuple(sample.get('ori_shape', sample.img_shape)[:2])
        return Seeds(class_ids.cpu().numpy(), cams.float().cpu().numpy().astype(np.float16), size)

    def _raw_maps(self, feats: Sequence[Tensor]) -> Tensor:
        """Class scores (B, num_classes, h, w) of the cells, in float32."""
        head = self.head
        tap = take_tap(feats, head.in_index, head.in_channels, 'CAMHead')
        return head.classifier(head.dropout(head.expand(tap))).float()

    def _view(self, inputs: Tensor) -> tuple[Tensor, Tensor, Sequence[Tensor]]:
        """Class scores and spread maps of images at their size, and the outputs of the backbone."""
        feats = as_outputs(self.backbone(inputs))
        raw = self._raw_maps(feats)
        # Cosines of half precision would not tell apart what is nearly alike.
        with torch.autocast(inputs.device.type, enabled=False):
            features = self.correlation(feats, inputs.float(), (raw.shape[2], raw.shape[3]))
            spread = spread_by_correlation(correlation_input(raw.detach()), features)
            maps, spread = (resize_maps(one, inputs.shape[2:], align_corners=True) for one in (raw, spread))
        return maps, spread, feats
