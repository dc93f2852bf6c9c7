from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Localization:
    """What a localizer sees in one pass over a batch of images.

    Attributes:
        maps (Tensor): Non-negative class maps (B, C, h, w), not normalized; C labels, without a background.
        scores (Tensor): Probability of each label (B, C).
        features (Tensor, optional): Features (B, D, h, w) that an affinity can be made of. Defaults to None.
        tokens (Tensor, optional): Tokens (B, N, D) of a transformer. Defaults to None.
        attentions (sequence[Tensor], optional): Attention (B, heads, N, N) of each layer. Defaults to None.
    """

    maps: Tensor
    scores: Tensor
    features: Tensor | None = None
    tokens: Tensor | None = None
    attentions: Sequence[Tensor] | None = None
