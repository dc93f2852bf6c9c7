"""Heads that take what they need from the backbone."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from mmwsss.models.backbones.outputs import backbone_outputs
from mmwsss.registry import MODELS


def build_head(head: Mapping[str, Any], backbone: nn.Module) -> nn.Module:
    """Builds a head for a backbone.

    Args:
        head (dict): Config of the head. Without ``in_channels``, its class completes it from the outputs of the
            backbone, by a class method ``complete``.
        backbone (Module): Run once on a small image, where the head is to be completed.

    Raises:
        ValueError: If the outputs cannot be found; the message says what to set.
    """
    kind = MODELS.get(head['type']) if isinstance(head['type'], str) else head['type']
    complete = getattr(kind, 'complete', None)
    if head.get('in_channels') is None and complete is not None:
        head = complete(head, backbone_outputs(backbone))
    return MODELS.build(dict(head))
