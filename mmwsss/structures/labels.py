from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Labels:
    """What a labeler makes of score maps.

    Attributes:
        labels (Tensor): uint8 (B, H, W) of class indices, 255 where no class is sure enough.
        best (Tensor): uint8 (B, H, W), the class of each pixel, sure or not; 255 where there is no class at all. Masks
            are measured by it. A labeler that knows no class of an unsure pixel repeats its labels.
        weights (Tensor, optional): float32 (B, H, W) in [0, 1], how much each pixel counts in a loss. Defaults to None:
            all alike.
    """

    labels: Tensor
    best: Tensor
    weights: Tensor | None = None


@dataclass(frozen=True)
class Instances:
    """Objects of one image.

    Attributes:
        masks (Tensor): bool (N, H, W), the pixels of each object.
        class_ids (Tensor): int64 (N,), its class index.
        scores (Tensor): Float (N,) in [0, 1], how sure it is; 0 for one that is too small to be an object.
    """

    masks: Tensor
    class_ids: Tensor
    scores: Tensor


@dataclass(frozen=True)
class InstanceLabels(Labels):
    """What a labeler makes of score maps that tell objects of one class apart.

    Attributes:
        instances (tuple[Instances, ...]): Objects of each image. The labels are the classes of their pixels.
    """

    instances: tuple[Instances, ...] = ()
