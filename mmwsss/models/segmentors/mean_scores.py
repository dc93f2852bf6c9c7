from collections.abc import Sequence

from mmseg.structures import SegDataSample
from torch import Tensor


def mean_scores(variants: Sequence[SegDataSample]) -> Tensor:
    """Probability of each class (C, H, W), the mean over predictions on variants of one image."""
    return sum(variant.seg_logits.data.float().softmax(0) for variant in variants) / len(variants)


def check_channels(name: str, out_channels: int) -> None:
    """Refuses a segmentor whose one channel is no probability of a class among others.

    Raises:
        ValueError: Naming the model that wraps the segmentor.
    """
    if out_channels < 2:
        raise ValueError(f'{name}: expected a segmentor with a channel a class, got one with one channel')
