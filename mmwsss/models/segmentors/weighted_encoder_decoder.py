from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.models import CascadeEncoderDecoder, EncoderDecoder
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.structures import BasePixelSampler, SegDataSample
from torch import Tensor, nn

from mmwsss.fileio import FULL_WEIGHT, DataError
from mmwsss.registry import MODELS


class PixelWeights(BasePixelSampler):
    """Stands where a decode head asks for the weights of pixels, and gives it those of the batch.

    Args:
        sampler (BasePixelSampler, optional): What stood there before; its weights are multiplied by them. Defaults to
            None.

    Attributes:
        weights (Tensor, optional): float32 (B, H, W) of the batch whose loss is computed, None else.
        asked (bool): Whether the head has asked for them since they were set.
    """

    def __init__(self, sampler: BasePixelSampler | None = None) -> None:
        super().__init__()
        self.sampler = sampler
        self.weights: Tensor | None = None
        self.asked = False

    def sample(self, seg_logit: Tensor, seg_label: Tensor) -> Tensor | None:
        """Weights of the pixels (B, H, W) of labels (B, 1, H, W)."""
        before = None if self.sampler is None else self.sampler.sample(seg_logit, seg_label)
        if self.weights is None:
            return before
        self.asked = True
        weights = self.weights
        if weights.shape[1:] != seg_label.shape[-2:]:
            weights = F.interpolate(weights[:, None], size=seg_label.shape[-2:], mode='nearest')[:, 0]
        return weights if before is None else before * weights


class _WeightedSegmentor(EncoderDecoder):
    """What both segmentors of this file share; see :class:`WeightedEncoderDecoder`.

    Attributes:
        weighs_pixels (bool): That it does.
    """

    weighs_pixels = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, head in self._heads():
            inner = list(_decode_heads(head))
            if not inner:
                raise ValueError(
                    f'{type(self).__name__}: {name}, {type(head).__name__}, has no loss that weighs pixels'
                )
            for one in inner:
                check_losses(one, name)
                one.sampler = PixelWeights(one.sampler)

    def _heads(self) -> Iterator[tuple[str, nn.Module]]:
        for name in ('decode_head', 'auxiliary_head'):
            head = getattr(self, name, None)
            if isinstance(head, nn.ModuleList):
                yield from ((f'{name}.{index}', one) for index, one in enumerate(head))
            elif head is not None:
                yield name, head

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Losses by name, of images (B, 3, H, W) and samples with ``gt_sem_seg`` and ``gt_pixel_weight``."""
        with self._weighing(stack_pixel_weights(data_samples, inputs.shape[2:])):
            return super().loss(inputs, data_samples)

    @contextmanager
    def _weighing(self, weights: Tensor) -> Iterator[None]:
        samplers = {name: [one.sampler for one in _decode_heads(head)] for name, head in self._heads()}
        for sampler in (sampler for group in samplers.values() for sampler in group):
            sampler.weights, sampler.asked = weights, False
        try:
            yield
            for name, group in samplers.items():
                if not any(sampler.asked for sampler in group):
                    kind = type(self.get_submodule(name)).__name__
                    raise ValueError(f'{type(self).__name__}: the loss of {name}, {kind}, does not weigh pixels')
        finally:
            for sampler in (sampler for group in samplers.values() for sampler in group):
                sampler.weights = None


@MODELS.register_module()
class WeightedEncoderDecoder(_WeightedSegmentor):
    """An ``EncoderDecoder`` in whose losses each pixel counts as much as pseudo masks are sure of it.

    The weights are ``gt_pixel_weight`` of the samples, from the ``pixel_weight_dir`` of the data set. They take part in
    the loss of every head: each pixel's loss is multiplied by its weight, and the divisor stays what it is without
    weights. So doubt makes a loss smaller, and full weights give the loss and the gradients of ``EncoderDecoder`` bit
    by bit. Parameters, checkpoints and predictions are those of ``EncoderDecoder``, too.

    A head must be one of MMSegmentation whose loss asks its pixel sampler, as ``BaseDecodeHead`` does, and a loss of it
    one that multiplies pixels by weights, such as ``CrossEntropyLoss``. Others are refused. What a head trains beside
    the classes of pixels, such as the semantic encoding of ``EncHead``, has no weights.

    Args:
        **kwargs: As in ``EncoderDecoder``.

    Raises:
        ValueError: If a head or a loss has no use for weights; for a head that computes its own loss, in the first
            iteration.
        DataError: In a training, if a sample has no weights.
    """


@MODELS.register_module()
class WeightedCascadeEncoderDecoder(_WeightedSegmentor, CascadeEncoderDecoder):
    """A ``CascadeEncoderDecoder`` whose pixels have weights; see :class:`WeightedEncoderDecoder`."""


def _decode_heads(head: nn.Module) -> Iterator[BaseDecodeHead]:
    """The heads, in a head, that can ask for weights of pixels."""
    return (module for module in head.modules() if isinstance(module, BaseDecodeHead))


def check_losses(head: BaseDecodeHead, name: str) -> None:
    """Refuses a head of which a loss is not 0 where all pixels weigh nothing.

    Args:
        head (BaseDecodeHead): With ``loss_decode``.
        name (str): Of the head, for the message.

    Raises:
        ValueError: Naming the loss.
    """
    losses = head.loss_decode if isinstance(head.loss_decode, nn.ModuleList) else [head.loss_decode]
    scores = torch.linspace(-1, 1, 4 * head.out_channels).view(1, head.out_channels, 2, 2)
    label, nothing = torch.zeros(1, 2, 2, dtype=torch.long), torch.zeros(1, 2, 2)
    for loss in losses:
        problem = f'{name}: {type(loss).__name__} does not weigh pixels; expected a loss such as CrossEntropyLoss'
        try:
            found = loss(scores, label, weight=nothing, ignore_index=head.ignore_index)
        except Exception as error:  # losses fail on weights in their own ways
            raise ValueError(f'{problem} ({type(error).__name__}: {error})') from error
        if found.abs().sum() != 0:
            raise ValueError(problem)


def stack_pixel_weights(data_samples: Sequence[SegDataSample], size: Sequence[int]) -> Tensor:
    """Weights of a batch.

    Args:
        data_samples (sequence[SegDataSample]): With ``gt_pixel_weight``, uint8 (1, h, w), 255 for a weight of 1.
        size (sequence[int]): Height H and width W of the batch, whose images are padded below and on the right.

    Returns:
        Tensor: float32 (B, H, W) in [0, 1]; 0 in the padding, which has no label.

    Raises:
        DataError: If a sample has no weights.
    """
    stacked = []
    for sample in data_samples:
        if 'gt_pixel_weight' not in sample:
            raise DataError(
                f'{sample.get("img_path")}: has no weights of pixels; set pixel_weight_dir of ImageLabelDataset, load '
                'with mmwsss.LoadLabelMap and pack with mmwsss.PackWeakInputs'
            )
        weights = sample.gt_pixel_weight.data[0].float() / FULL_WEIGHT
        stacked.append(F.pad(weights, (0, size[1] - weights.shape[1], 0, size[0] - weights.shape[0])))
    return torch.stack(stacked)
