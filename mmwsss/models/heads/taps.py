"""Which outputs of a backbone a head takes."""

from collections.abc import Sequence

from torch import Tensor


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
    check_index(index, len(feats), head)
    tap = feats[index]
    if tap.shape[1] != channels:
        raise ValueError(
            f'in_channels of {head}: output {index} of the backbone has {tap.shape[1]} channels, not {channels}'
        )
    return tap


def check_index(index: int, count: int, owner: str, key: str = 'in_index') -> None:
    """Refuses an index that is none of the outputs of the backbone.

    Args:
        index (int): The index.
        count (int): Number of outputs.
        owner (str): Name of the head or model, for the message.
        key (str): Name of its argument, for the message. Defaults to 'in_index'.

    Raises:
        ValueError: Naming both.
    """
    if not -count <= index < count:
        raise ValueError(f'{key} of {owner}: the backbone has {count} outputs, {index} is none of them')


def projected_channels(
    in_channels: Sequence[int], in_index: Sequence[int], channels: Sequence[int] | None, usual: Sequence[int]
) -> tuple[int, ...]:
    """Channels that each tap is projected to: those asked for, or the last of the usual ones.

    Args:
        in_channels (sequence[int]): Channels of each tap.
        in_index (sequence[int]): Which outputs the taps are.
        channels (sequence[int], optional): What a config asks for.
        usual (sequence[int]): What a method takes otherwise.

    Raises:
        ValueError: If they are not of one length.
    """
    if channels is None:
        channels = usual[-len(in_index) :]
    if not len(in_channels) == len(in_index) == len(channels):
        raise ValueError(
            f'in_channels, in_index and channels must be of one length, got {in_channels}, {in_index}, {channels}'
        )
    return tuple(channels)
