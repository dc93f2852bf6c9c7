from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.models.complete_weights import CompleteWeights
from mmwsss.ops import fuse_cams
from mmwsss.ops.maps import resize_maps
from mmwsss.structures import Localization, Seeds


class Localizer(CompleteWeights):
    """Role: says which labels an image has, and where.

    A method writes :meth:`loss` and :meth:`localize`, which gives the class maps of one pass. Scales, mirror images,
    the choice of labels, fusion and normalization are done here, each a step that a method may override.

    Validation scores labels. A test also localizes them, if there is a ``test_cfg``:

    - ``scales`` (sequence[float]): sizes of the image, relative. AffinityNet's are (1, 0.5, 1.5, 2).
    - ``scale_weights`` (sequence[float]): positive weight of each scale's maps in their sum. Defaults to ones.
    - ``flip`` (bool): adds each scale's mirror image. Defaults to True.
    - ``seed_stride`` (int): pixels a cell of the stored maps.
    - ``size_divisor`` (int): scaled sides are rounded to a multiple of it. Defaults to what the method finds, such as
      the coarsest stride of its backbone, with which the maps cover the image exactly. 1 rounds to the pixel.
    - ``peak_quantile`` (float): what each class is divided by, as in :func:`mmwsss.ops.fuse_cams`. Defaults to 1.
    - ``feature_scale`` (float): the scale whose features, not mirrored, are kept for refiners that need them, where the
      method gives any. Defaults to the first of ``scales``.
    - ``gate`` (bool): keep only the classes of the image-level labels, as the methods require. Defaults to True.
      Without labels, the classes above ``gate_threshold`` (default 0.5) are kept.

    Args:
        data_preprocessor (dict, optional): Config of a ``SegDataPreProcessor``.
        test_cfg (dict, optional): How to localize; see above.
        init_cfg (dict, optional): Defaults to None.

    Attributes:
        needs_grad (bool): Whether :meth:`localize` computes gradients, also in a test.

    Raises:
        ValueError: If ``test_cfg`` has an unknown key, lacks one, or a value is out of its range.
    """

    needs_grad = False

    def __init__(
        self, data_preprocessor: dict | None = None, test_cfg: dict | None = None, init_cfg: dict | None = None
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.test_cfg: dict[str, Any] = dict(test_cfg or {})
        if self.test_cfg:
            check_test_cfg(self.test_cfg, type(self).__name__)

    @abstractmethod
    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Losses by name, of images (B, 3, H, W) and samples with ``gt_label``."""

    @abstractmethod
    def scores(self, inputs: Tensor) -> Tensor:
        """Scores of the labels (B, C) before the sigmoid."""

    @abstractmethod
    def localize(self, inputs: Tensor, data_samples: list[SegDataSample]) -> Localization:
        """One pass over images (B, 3, H, W), as they are."""

    def forward(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None, mode: str = 'tensor'
    ) -> dict[str, Tensor] | list[SegDataSample] | Tensor:
        """Runs one of the verbs.

        Args:
            inputs (Tensor): Normalized images (B, 3, H, W).
            data_samples (list[SegDataSample], optional): With ``gt_label`` where ``mode`` is ``'loss'``.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            dict | list[SegDataSample] | Tensor: Losses; the samples of :meth:`predict`; or label scores (B, C).
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples or [])
        if mode == 'predict':
            return self.predict(inputs, data_samples or [])
        if mode == 'tensor':
            return self.scores(inputs)
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def val_step(self, data: dict | tuple | list) -> list[SegDataSample]:
        """Scores the labels of a batch, without localizing them."""
        data = self.data_preprocessor(data, False)
        return self.classify(**data)  # type: ignore[arg-type]

    def classify(self, inputs: Tensor, data_samples: list[SegDataSample]) -> list[SegDataSample]:
        """Adds ``label_scores``, the probability of each label (C,), to the samples."""
        for sample, scores in zip(data_samples, self.scores(inputs).float().sigmoid().cpu()):
            sample.set_field(scores, 'label_scores')
        return data_samples

    def predict(self, inputs: Tensor, data_samples: list[SegDataSample]) -> list[SegDataSample]:
        """Adds what is seen to the samples.

        They are ``label_scores`` (C,) and, with a ``test_cfg``, ``seeds`` (:class:`Seeds`) and, where the method gives
        any, ``features`` (D, h, w) in float16, as files hold them.
        """
        if not self.test_cfg:
            return self.classify(inputs, data_samples)
        with torch.set_grad_enabled(self.needs_grad):
            passes = list(self.localize_views(inputs, data_samples))
        scores = torch.stack([one.scores.detach().float() for one, _ in passes]).mean(0)
        # The views of a scale follow each other, the plain one first.
        scale = list(self.test_cfg['scales']).index(self.test_cfg.get('feature_scale', self.test_cfg['scales'][0]))
        features = passes[scale * (len(passes) // len(self.test_cfg['scales']))][0].features
        for index, sample in enumerate(data_samples):
            if features is not None:
                sample.set_field(features[index].detach().to(torch.float16), 'features')
            labels = self.choose_labels(sample, scores[index])
            maps = [one.maps[index, labels].detach() for one, _ in passes]
            sample.set_field(scores[index].cpu(), 'label_scores')
            sample.set_field(self.make_seeds(sample, labels, maps, [flipped for _, flipped in passes]), 'seeds')
        return data_samples

    def localize_views(self, inputs: Tensor, data_samples: list[SegDataSample]) -> Iterator[tuple[Localization, bool]]:
        """What is seen in every scaled and mirrored view of the images, and whether the view is mirrored."""
        flip, count = self.test_cfg.get('flip', True), len(inputs)
        for scale in self.test_cfg['scales']:
            view = self.scale_images(inputs, scale)
            if not flip:
                yield self.localize(view, data_samples), False
                continue
            both = self.localize(torch.cat([view, view.flip(3)]), [*data_samples, *data_samples])
            for flipped in (False, True):
                rows = slice(count, None) if flipped else slice(count)
                features = None if both.features is None else both.features[rows]
                yield Localization(both.maps[rows], both.scores[rows], features), flipped

    def scale_images(self, inputs: Tensor, scale: float) -> Tensor:
        """The images at a relative size, their sides rounded to multiples of the divisor."""
        divisor = self.test_cfg['size_divisor']
        size = [max(round(side * scale / divisor), 1) * divisor for side in inputs.shape[2:]]
        if size == list(inputs.shape[2:]):
            return inputs
        return F.interpolate(inputs, size=size, mode='bicubic', align_corners=False, antialias=scale < 1)

    def choose_labels(self, sample: SegDataSample, scores: Tensor) -> Tensor:
        """Indices of the labels whose maps are kept."""
        if not self.test_cfg.get('gate', True):
            return (scores > self.test_cfg.get('gate_threshold', 0.5)).nonzero()[:, 0]
        if 'gt_label' not in sample:
            raise ValueError(
                f'{sample.get("img_path")}: seeds need image-level labels; set image_labels of the data set, or '
                'gate=False in test_cfg to keep the classes the network sees'
            )
        label = sample.gt_label.score
        if label.shape != scores.shape:
            raise ValueError(
                f'{sample.get("img_path")}: has image-level labels of {len(label)} classes, but the network scores '
                f'{len(scores)}; set num_classes of its head'
            )
        return label.nonzero()[:, 0].to(scores.device)

    def make_seeds(self, sample: SegDataSample, labels: Tensor, maps: Sequence[Tensor], flips: Sequence[bool]) -> Seeds:
        """Fuses and normalizes the maps (K, h, w) of all views of one image."""
        height, width = sample.img_shape[:2]
        stride = self.test_cfg['seed_stride']
        scale_weights = self.test_cfg.get('scale_weights') or [1.0] * len(self.test_cfg['scales'])
        weights = [weight for weight in scale_weights for _ in range(len(maps) // len(scale_weights))]
        # Peaks are those at the size of the image: a coarse grid misses them.
        cams = fuse_cams(maps, (height, width), flips, self.test_cfg.get('peak_quantile', 1.0), weights)
        cams = resize_maps(cams, (-(-height // stride), -(-width // stride)))
        class_ids = (labels + bool(sample.get('with_background', True))).to(torch.uint8)
        size = tuple(sample.get('ori_shape', sample.img_shape)[:2])
        return Seeds(class_ids.cpu().numpy(), cams.float().cpu().numpy().astype(np.float16), size)


def check_test_cfg(test_cfg: dict[str, Any], name: str) -> None:
    """Refuses a ``test_cfg`` of a :class:`Localizer` with unknown, missing or impossible values.

    Raises:
        ValueError: Naming the key and what was expected.
    """
    required = {'scales', 'seed_stride'}
    optional = {'scale_weights', 'flip', 'size_divisor', 'peak_quantile', 'feature_scale', 'gate', 'gate_threshold'}
    unknown, missing = sorted(set(test_cfg) - required - optional), sorted(required - set(test_cfg))
    if unknown or missing:
        raise ValueError(f'test_cfg of {name} has unknown keys {unknown} and lacks {missing}')
    scales = test_cfg['scales']
    if not _positive_numbers(scales):
        raise ValueError(f'scales of test_cfg must be positive numbers, at least one, got {scales!r}')
    weights = test_cfg.get('scale_weights') or scales
    if not _positive_numbers(weights) or len(weights) != len(scales):
        raise ValueError(
            f'scale_weights of test_cfg must be a positive number for each of the scales {scales!r}, got {weights!r}'
        )
    if test_cfg.get('feature_scale', scales[0]) not in scales:
        raise ValueError(f'feature_scale of test_cfg must be one of the scales, got {test_cfg["feature_scale"]!r}')
    for key in ('seed_stride', 'size_divisor'):
        value = test_cfg.get(key)
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f'{key} of test_cfg must be an integer of at least 1, got {value!r}')
    peak_quantile = test_cfg.get('peak_quantile', 1)
    if not isinstance(peak_quantile, int | float) or not 0 < peak_quantile <= 1:
        raise ValueError(f'peak_quantile of test_cfg must be a number in (0, 1], got {peak_quantile!r}')


def _positive_numbers(values: object) -> bool:
    if not isinstance(values, Sequence) or len(values) == 0:
        return False
    return all(isinstance(value, int | float) and value > 0 for value in values)
