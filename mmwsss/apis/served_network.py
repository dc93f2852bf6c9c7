"""Networks with the preparation of images and of results inside, in operations that know no image size."""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from mmcv.transforms import Resize
from mmseg.datasets.transforms import PackSegInputs
from mmseg.models import EncoderDecoder
from torch import Tensor, nn

from mmwsss.datasets.transforms import PackWeakInputs
from mmwsss.fileio import DataError
from mmwsss.models import Localizer
from mmwsss.ops.cam import NORM_EPS
from mmwsss.ops.maps import add_background

from .trained_network import TrainedNetwork


class Prepared(NamedTuple):
    """An image as a network takes it.

    Attributes:
        inputs (Tensor): (1, 3, H', W'), padded at the bottom and on the right.
        height (Tensor): int64 scalar, rows without padding.
        width (Tensor): int64 scalar, columns without padding.
    """

    inputs: Tensor
    height: Tensor
    width: Tensor


def resize_bilinearly(image: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Resizes an image to the same bytes as OpenCV: weights are multiples of 1 / 2048, and sums are of integers.

    Args:
        image (Tensor): uint8 (H, W, C).
        rows (Tensor): int64 scalar, the new height.
        columns (Tensor): int64 scalar, the new width.

    Returns:
        Tensor: int32 (rows, columns, C), in [0, 255].

    Examples:
        >>> image = torch.tensor([[[0], [100]]], dtype=torch.uint8)
        >>> resize_bilinearly(image, torch.tensor(1), torch.tensor(4))[0, :, 0].tolist()
        [0, 25, 75, 100]
    """
    left, right, of_left, of_right = _neighbors(image.shape[1], columns, at_border=False)
    upper, lower, of_upper, of_lower = _neighbors(image.shape[0], rows, at_border=True)
    pixels = image.to(torch.int32)
    mixed = pixels.index_select(1, left) * of_left[:, None] + pixels.index_select(1, right) * of_right[:, None]
    mixed = _shift(mixed, 4)
    above = _shift(mixed.index_select(0, upper) * of_upper[:, None, None], 16)
    below = _shift(mixed.index_select(0, lower) * of_lower[:, None, None], 16)
    return _shift(above + below + 2, 2)


def _double(side: int | Tensor) -> Tensor:
    """A side of an image, float64 (1,); ONNX's exporter makes float32 of what has no axis."""
    return _scalar(side).reshape(1).double()


def _shift(values: Tensor, bits: int) -> Tensor:
    return torch.div(values, 1 << bits, rounding_mode='floor')


def _neighbors(side: int | Tensor, new_side: Tensor, at_border: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Indices of the two cells that each new one lies between, and their weights, of 2048.

    Args:
        side (int | Tensor): Number of cells.
        new_side (Tensor): The same afterwards.
        at_border (bool): Whether new cells beyond the centers of the border cells have two weights too. Both are of
            the border cell, and the sums are rounded.
    """
    side = _scalar(side)
    step = torch.ones(1, dtype=torch.float64) / (_double(new_side) / _double(side))
    end: Any = new_side
    places = ((torch.arange(end).double() + 0.5) * step - 0.5).float()
    first = places.floor()
    share = places - first
    last = side - 1
    if not at_border:
        share = torch.where((first < 0) | (first >= last), torch.zeros_like(share), share)
    first = first.long()
    weights = [(part * 2048).round().to(torch.int32) for part in (1 - share, share)]
    indices = [torch.minimum(index.clamp(min=0), last) for index in (first, first + 1)]
    return indices[0], indices[1], weights[0], weights[1]


class ImagePreparation(nn.Module):
    """What the test pipeline and the data preprocessor of a network do, from a uint8 RGB image (H, W, 3).

    Args:
        network (TrainedNetwork): Whose preparation.
        size (tuple[int, int], optional): Height and width that every image is fitted into and padded to. Defaults to
            None: the size of the test.

    Raises:
        DataError: If the pipeline has a transform that is not known here.
    """

    def __init__(self, network: TrainedNetwork, size: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.size = size
        self.resize: Any = _resize_of(network)
        preprocessor: Any = network.model.data_preprocessor
        self.swap = not preprocessor._channel_conversion
        self.register_buffer('mean', torch.zeros(1, 3, 1, 1))
        self.register_buffer('std', torch.ones(1, 3, 1, 1))
        if preprocessor._enable_normalize:
            self.mean, self.std = preprocessor.mean[None].clone(), preprocessor.std[None].clone()
        self.pad_value = float(preprocessor.pad_val)
        padding = preprocessor.test_cfg or {}
        self.divisor = 1 if size else padding.get('size_divisor') or 1
        self.least = size or padding.get('size') or (0, 0)

    def forward(self, image: Tensor) -> Prepared:
        height, width = (_scalar(side) for side in image.shape[:2])
        if self.resize is not None or self.size is not None:
            height, width = self._resized(height, width)
            image = resize_bilinearly(image, height, width)
        inputs = image.permute(2, 0, 1)[None].float()
        if self.swap:
            inputs = inputs.flip(1)
        inputs = (inputs - self.mean) / self.std
        rows, columns = (
            # Of positive numbers alone: ONNX's division of integers rounds towards zero.
            torch.clamp((side + self.divisor - 1) // self.divisor * self.divisor, min=least)
            for side, least in zip((height, width), self.least, strict=True)
        )
        padding: Any = (0, columns - width, 0, rows - height)
        inputs = F.pad(inputs, padding, value=self.pad_value)
        if self.size is not None:
            inputs = inputs.reshape(1, 3, *self.size)  # so that a recorder knows
        return Prepared(inputs, height, width)

    def _resized(self, height: Tensor, width: Tensor) -> tuple[Tensor, Tensor]:
        """Sides after the Resize, in the arithmetic of MMCV, or within the frame."""
        height, width = _double(height), _double(width)
        if self.size is not None:
            across = down = torch.minimum(_double(self.size[0]) / height, _double(self.size[1]) / width)
        elif self.resize.scale is None:
            across, down = self.resize.scale_factor
        elif self.resize.keep_ratio:
            longest, shortest = max(self.resize.scale), min(self.resize.scale)
            across = down = torch.minimum(
                _double(longest) / torch.maximum(height, width), _double(shortest) / torch.minimum(height, width)
            )
        else:
            columns, rows = self.resize.scale
            return torch.as_tensor(rows), torch.as_tensor(columns)
        rows, columns = (
            torch.clamp((side + 0.5).long(), min=1).reshape(()) for side in (height * down, width * across)
        )
        return rows, columns


def _resize_of(network: TrainedNetwork) -> Resize | None:
    name, found = network.config.filename or 'config', None
    for transform in network.pipeline.transforms:
        if isinstance(transform, Resize) and found is None:
            found = transform
        elif not isinstance(transform, PackSegInputs | PackWeakInputs):
            raise DataError(
                f'{name}: expected a test pipeline of at most one Resize, got {type(transform).__name__} too'
            )
    if found is not None and found.interpolation != 'bilinear':
        raise DataError(f'{name}: expected a Resize with bilinear interpolation, got {found.interpolation}')
    return found


def _scalar(side: int | Tensor) -> Tensor:
    """A side of an image; while operations are recorded, it is a tensor."""
    return side if isinstance(side, Tensor) else torch.tensor(side)


class ServedNetwork(nn.Module):
    """A network from a uint8 RGB image (H, W, 3) to results of its size.

    Attributes:
        outputs (tuple[str]): Names of the results.
    """

    outputs: tuple[str, ...] = ()


class ServedSegmentor(ServedNetwork):
    """A segmentor from image to mask.

    Args:
        network (TrainedNetwork): An ``EncoderDecoder`` that sees whole images.
        size (tuple[int, int], optional): As in :class:`ImagePreparation`. Defaults to None.

    Raises:
        DataError: If the network is another one, or as of :class:`ImagePreparation`.
    """

    outputs = ('mask', 'scores')

    def __init__(self, network: TrainedNetwork, size: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.model: Any = network.model
        name, mode = network.config.filename or 'config', (self.model.test_cfg or {}).get('mode', 'whole')
        if mode != 'whole':
            raise DataError(
                f'{name}: expected model.test_cfg.mode to be whole, got {mode}; set it to export the network'
            )
        self.prepare = ImagePreparation(network, size)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Mask uint8 (H, W), and the probability of its class float32 (H, W), of a uint8 RGB image (H, W, 3)."""
        inputs, height, width = self.prepare(image)
        logits = self.model(inputs)
        align = self.model.align_corners
        logits = F.interpolate(logits, size=inputs.shape[2:], mode='bilinear', align_corners=align)
        logits = logits[:, :, :height, :width]
        logits = F.interpolate(logits, size=image.shape[:2], mode='bilinear', align_corners=align)[0].float()
        if logits.shape[0] == 1:
            score = logits[0].sigmoid()
            mask = score > self.model.decode_head.threshold
            return mask.to(torch.uint8), torch.where(mask, score, 1 - score)
        scores, mask = logits.softmax(0).max(0)
        return mask.to(torch.uint8), scores


class ServedLocalizer(ServedNetwork):
    """A localizer from image to labels and mask, of one view of the image, without the refiners of its chains.

    The mask holds the classes whose probability exceeds ``gate_threshold`` of ``test_cfg``, where their normalized maps
    exceed the background of the last label chain. Without a background, it is 255 where there is no class.

    Args:
        network (TrainedNetwork): A :class:`Localizer` that needs no gradients.
        size (tuple[int, int], optional): As in :class:`ImagePreparation`. Defaults to None.

    Raises:
        DataError: If the localizer needs gradients, no chain has a background, or as of :class:`ImagePreparation`.
    """

    outputs = ('mask', 'scores', 'label_scores')

    def __init__(self, network: TrainedNetwork, size: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.model: Any = network.model
        name = network.config.filename or 'config'
        if self.model.needs_grad:
            raise DataError(f'{name}: {type(self.model).__name__} computes gradients, which ONNX cannot')
        self.with_background = network.with_background
        self.background = _background(network.config) if self.with_background else None
        if self.with_background and self.background is None:
            raise DataError(f'{name}: expected a Background among the refiners of test_cfg.chains')
        settings = self.model.test_cfg
        self.threshold = float(settings.get('gate_threshold', 0.5))
        self.peak_quantile = float(settings.get('peak_quantile', 1.0))
        self.divisor = int(settings.get('size_divisor') or 1)
        self.prepare = ImagePreparation(network, size)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mask uint8 (H, W), score of its class float32 (H, W), and probabilities of the labels float32 (C,)."""
        inputs, height, width = self.prepare(image)
        seen = self.model.localize(self._at_multiples(inputs), [])
        maps = F.interpolate(seen.maps, size=inputs.shape[2:], mode='bilinear', align_corners=False)
        maps = self._normalize(maps[0, :, :height, :width])[None]
        maps = F.interpolate(maps, size=image.shape[:2], mode='bilinear', align_corners=False)[0]
        present = seen.scores[0] > self.threshold
        maps = torch.where(present[:, None, None], maps, -torch.ones_like(maps))
        if self.background is not None:
            maps = add_background(maps.clamp(min=0), *self.background)
        scores, mask = maps.max(0)
        mask = mask if self.background is not None else torch.where(scores < 0, 255, mask)
        return mask.to(torch.uint8), scores.clamp(min=0), seen.scores[0]

    def _at_multiples(self, inputs: Tensor) -> Tensor:
        """The image with sides that are multiples of the divisor, as a test sees it at scale 1."""
        if self.divisor == 1 or self.prepare.size is not None:
            return inputs
        size: Any = [
            torch.clamp((_scalar(side).double() / self.divisor).round(), min=1).long() * self.divisor
            for side in inputs.shape[2:]
        ]
        return F.interpolate(inputs, size=size, mode='bicubic', align_corners=False)

    def _normalize(self, maps: Tensor) -> Tensor:
        """As :func:`mmwsss.ops.fuse_cams` does it to one view (C, H, W)."""
        peak = maps.amax((1, 2), keepdim=True)
        if self.peak_quantile < 1:
            height, width = (_scalar(side).double() for side in maps.shape[1:])
            last = torch.ceil(self.peak_quantile * height * width).long() - 1
            ranked = maps.flatten(1).sort(1).values.index_select(1, last.reshape(1))
            peak = torch.maximum(ranked[..., None], peak / 2)
        return (maps / (peak + NORM_EPS)).clamp(max=1)


def _background(config: Any) -> tuple[float | None, float | None] | None:
    """Exponent and score of the background that the last label chain with one puts in front."""
    chains = ((config.get('test_cfg') or {}).get('chains') or {}).values()
    refiners = [refiner for chain in chains for refiner in chain.get('refiners') or ()]
    found = [refiner for refiner in refiners if str(refiner['type']).rpartition('.')[2] == 'Background']
    return (found[-1].get('alpha'), found[-1].get('score')) if found else None


def serve(network: TrainedNetwork, size: tuple[int, int] | None = None) -> ServedNetwork:
    """The network from image to mask.

    Raises:
        DataError: If it is neither a segmentor nor a localizer, or as of these.
    """
    if isinstance(network.model, EncoderDecoder):
        return ServedSegmentor(network, size)
    if isinstance(network.model, Localizer):
        return ServedLocalizer(network, size)
    raise DataError(
        f'{network.config.filename or "config"}: expected an EncoderDecoder of MMSegmentation or a localizer, got '
        f'{type(network.model).__name__}'
    )
