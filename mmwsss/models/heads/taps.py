"""Which outputs of a backbone a head takes, and of how many channels they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from mmwsss.models.backbones.outputs import BackboneOutput


def take_tap(feats: Sequence[Tensor], index: int, channels: int, head: str) -> Tensor:
    """Take one output of a backbone for a head.

    Args:
        feats (sequence[Tensor]): Outputs (B, C, H, W) of the backbone.
        index (int): Which one, as ``in_index`` of the head says.
        channels (int): Channels that the head expects, as its ``in_channels`` says.
        head (str): Name of the head, for the message.

    Raises:
        ValueError: If there is no such output, or it has other channels.
    """
    _check_index(index, len(feats), head)
    tap = feats[index]
    if tap.shape[1] != channels:
        raise ValueError(
            f'in_channels of {head}: output {index} of the backbone has {tap.shape[1]} channels, not {channels}'
        )
    return tap


def complete_head(head: Mapping[str, Any], outputs: Sequence[BackboneOutput]) -> dict[str, Any]:
    """Adds ``in_channels`` of one tap to the config of a head, by default of the last.

    Raises:
        ValueError: If the backbone has no such output.
    """
    index = head.get('in_index', -1)
    _check_index(index, len(outputs), head['type'])
    return {**head, 'in_channels': outputs[index].channels}


def complete_affinity_head(head: Mapping[str, Any], outputs: Sequence[BackboneOutput], stride: int) -> dict[str, Any]:
    """Adds ``in_index`` and ``in_channels`` of several taps to the config of a head.

    The taps are the last three of the outputs that are not finer than the grid; of those that all are finer, the last
    three.

    Args:
        head (dict): The config; an ``in_index`` of its own is kept.
        outputs (sequence[BackboneOutput]): Outputs of the backbone.
        stride (int): Pixels a cell of the grid.

    Raises:
        ValueError: If the backbone has no such output.
    """
    indices = head.get('in_index')
    if indices is None:
        coarse = [index for index, output in enumerate(outputs) if output.stride >= stride]
        indices = (coarse or list(range(len(outputs))))[-3:]
    for index in indices:
        _check_index(index, len(outputs), head['type'])
    return {**head, 'in_index': tuple(indices), 'in_channels': tuple(outputs[index].channels for index in indices)}


def _check_index(index: int, count: int, head: str) -> None:
    if not -count <= index < count:
        raise ValueError(f'in_index of {head}: the backbone has {count} outputs, {index} is none of them')
