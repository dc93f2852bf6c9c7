from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.models.backbones.outputs import backbone_outputs, build_backbone
from mmwsss.models.heads.taps import complete_head
from mmwsss.ops import fuse_cams


@MODELS.register_module()
class CAMClassifier(BaseModel):
    """Multi-label classifier that localises its classes: step 1 trains it, step 2 makes seeds with it.

    Args:
        backbone (dict): Config of any mmseg backbone.
        head (dict): Config of a :class:`CAMHead`. Without ``in_channels``, they are those of the backbone's output.
        data_preprocessor (dict): Config of a ``SegDataPreProcessor``.
        test_cfg (dict, optional): Without it, prediction gives class scores only. With it, activation maps too:

            - ``scales`` (sequence[float]): sizes of the photograph, relative. AffinityNet's are (1, 0.5, 1.5, 2).
            - ``scale_weights`` (sequence[float]): positive weight of each scale's maps in their sum. Defaults to ones.
            - ``flip`` (bool): adds each scale's mirror image.
            - ``seed_stride`` (int): pixels a cell of the stored maps.
            - ``size_divisor`` (int): scaled sides are rounded to a multiple of it. Defaults to the coarsest stride of
              the backbone's outputs, with which the maps cover the photograph exactly. 1 rounds to the pixel, as the
              released code does.
            - ``peak_quantile`` (float): what each class is divided by, as in :func:`mmwsss.ops.fuse_cams`; default 1.
            - ``gate`` (bool): keep only the classes of the image-level labels, as the method requires. Defaults to
              True.
              Without labels, the classes above ``gate_threshold`` (default 0.5) are kept.
            - ``with_background`` (bool): whether class 0 is the background and label 0 thus class 1. Defaults to True.
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
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = build_backbone(backbone)
        self.test_cfg = dict(test_cfg or {})
        if self.test_cfg:
            _check_test_cfg(self.test_cfg)
        needs_divisor = bool(self.test_cfg) and self.test_cfg.get('size_divisor') is None
        if head.get('in_channels') is None or needs_divisor:
            outputs = backbone_outputs(self.backbone)
            if head.get('in_channels') is None:
                head = complete_head(head, outputs)
            if needs_divisor:
                self.test_cfg['size_divisor'] = max(output.stride for output in outputs)
        self.head = MODELS.build(head)

    def forward(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None, mode: str = 'tensor'
    ) -> dict | list[SegDataSample] | Tensor:
        """Run the network.

        Args:
            inputs (Tensor): Normalised photographs (B, 3, H, W).
            data_samples (list[SegDataSample], optional): With ``gt_label`` where ``mode`` is ``'loss'``.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            dict | list[SegDataSample] | Tensor: Losses; samples with ``label_scores`` (num_labels,) and, with
            ``test_cfg``, ``class_ids`` (uint8 (K,)) and ``cams`` (float32 (K, h, w)); or class scores (B, num_labels).
        """
        samples = data_samples or []
        if mode == 'loss':
            labels = torch.stack([sample.gt_label.score for sample in samples])
            return self.head.loss(self.backbone(inputs), labels)
        if mode == 'predict':
            return self.predict(inputs, samples)
        if mode == 'tensor':
            return self.head(self.backbone(inputs))
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    @torch.no_grad()
    def predict(self, inputs: Tensor, data_samples: list[SegDataSample]) -> list[SegDataSample]:
        if not self.test_cfg:
            for sample, scores in zip(data_samples, self.head.predict(self.backbone(inputs)).float().cpu()):
                sample.set_field(scores, 'label_scores')
            return data_samples
        maps, flips, scores = self.multi_scale_maps(inputs)
        stride = self.test_cfg['seed_stride']
        peak_quantile = self.test_cfg.get('peak_quantile', 1.0)
        scale_weights = self.test_cfg.get('scale_weights') or [1.0] * len(self.test_cfg['scales'])
        passes = len(maps) // len(scale_weights)
        weights = [weight for weight in scale_weights for _ in range(passes)]
        for index, sample in enumerate(data_samples):
            labels = self._present(sample, scores[index])
            height, width = sample.img_shape[:2]
            size = (-(-height // stride), -(-width // stride))
            # Peaks are those at the size of the photograph: a coarse grid misses them.
            cams = fuse_cams([scale[index, labels] for scale in maps], (height, width), flips, peak_quantile, weights)
            cams = _resize(cams, size)
            sample.set_field(scores[index].cpu(), 'label_scores')
            sample.set_field(cams.float().cpu().numpy(), 'cams')
            sample.set_field((labels + self._offset).to(torch.uint8).cpu().numpy(), 'class_ids')
        return data_samples

    def multi_scale_maps(self, inputs: Tensor) -> tuple[list[Tensor], list[bool], Tensor]:
        """Activation maps of every scale and flip.

        Returns:
            tuple: Maps (B, num_labels, h, w) of each pass, whether each is of the mirror image, and the class
            probabilities (B, num_labels), averaged over the passes.
        """
        divisor, flip = self.test_cfg['size_divisor'], self.test_cfg.get('flip', True)
        maps, flips, scores = [], [], []
        for scale in self.test_cfg['scales']:
            size = [max(round(side * scale / divisor), 1) * divisor for side in inputs.shape[2:]]
            scaled = inputs
            if size != list(inputs.shape[2:]):
                scaled = F.interpolate(inputs, size=size, mode='bicubic', align_corners=False, antialias=scale < 1)
            feats = self.backbone(torch.cat([scaled, scaled.flip(3)]) if flip else scaled)
            cams, probabilities = self.head.localise(feats)
            scores.extend(probabilities.chunk(2 if flip else 1))
            maps.extend(cams.chunk(2 if flip else 1))
            flips.extend([False, True] if flip else [False])
        return maps, flips, torch.stack(scores).mean(0)

    def _present(self, sample: SegDataSample, scores: Tensor) -> Tensor:
        """Indices of the labels whose maps are kept."""
        if self.test_cfg.get('gate', True):
            if 'gt_label' not in sample:
                raise ValueError(
                    f'{sample.get("img_path")}: seeds need image-level labels; set image_labels of the data set, or '
                    'gate=False in test_cfg to keep the classes the network sees'
                )
            label = sample.gt_label.score
            if label.shape != scores.shape:
                raise ValueError(
                    f'{sample.get("img_path")}: has image-level labels of {len(label)} classes, but num_labels of the '
                    f'CAMHead is {len(scores)}'
                )
            return label.nonzero()[:, 0].to(scores.device)
        return (scores > self.test_cfg.get('gate_threshold', 0.5)).nonzero()[:, 0]

    @property
    def _offset(self) -> int:
        """Class index of label 0: 1 where there is a background class."""
        return int(self.test_cfg.get('with_background', True))


def _resize(cams: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps (K, H, W), K possibly 0, at another size."""
    if len(cams) == 0:
        return cams.new_zeros(0, *size)
    return F.interpolate(cams[None], size=size, mode='bilinear', align_corners=False)[0]


def _check_test_cfg(test_cfg: dict) -> None:
    required = {'scales', 'seed_stride'}
    optional = {
        'scale_weights',
        'flip',
        'size_divisor',
        'peak_quantile',
        'gate',
        'gate_threshold',
        'with_background',
    }
    unknown, missing = sorted(set(test_cfg) - required - optional), sorted(required - set(test_cfg))
    if unknown or missing:
        raise ValueError(f'test_cfg of CAMClassifier has unknown keys {unknown} and lacks {missing}')
    scales = test_cfg['scales']
    if not _positive_numbers(scales):
        raise ValueError(f'scales of test_cfg must be positive numbers, at least one, got {scales!r}')
    weights = test_cfg.get('scale_weights') or scales
    if not _positive_numbers(weights) or len(weights) != len(scales):
        raise ValueError(
            f'scale_weights of test_cfg must be a positive number for each of the scales {scales!r}, got {weights!r}'
        )
    for name in ('seed_stride', 'size_divisor'):
        value = test_cfg.get(name)
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f'{name} of test_cfg must be an integer of at least 1, got {value!r}')
    peak_quantile = test_cfg.get('peak_quantile', 1)
    if not isinstance(peak_quantile, int | float) or not 0 < peak_quantile <= 1:
        raise ValueError(f'peak_quantile of test_cfg must be a number in (0, 1], got {peak_quantile!r}')


def _positive_numbers(values: object) -> bool:
    if not isinstance(values, Sequence) or len(values) == 0:
        return False
    return all(isinstance(value, int | float) and value > 0 for value in values)
