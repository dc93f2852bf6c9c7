"""What the ops ask of their arguments; errors name the argument, and say what was expected and what was found."""

import operator

import torch
from torch import Tensor


def describe(value: object) -> str:
    """Dtype and shape of a tensor, the type's name of anything else: for error messages.

    Examples:
        >>> describe(torch.zeros(2, 3)), describe(None)
        ('torch.float32 (2, 3)', 'NoneType')
    """
    return f'{value.dtype} {tuple(value.shape)}' if isinstance(value, Tensor) else type(value).__name__


def check_float_map(name: str, value: Tensor, channels: str) -> None:
    """Raises ValueError unless ``value`` is a floating-point tensor of four axes.

    Examples:
        >>> check_float_map('edge', torch.zeros(3, 4), '1')
        Traceback (most recent call last):
        ...
        ValueError: edge must be a floating-point tensor (B, 1, H, W), got torch.float32 (3, 4)
    """
    if not isinstance(value, Tensor) or value.dim() != 4 or not value.is_floating_point():
        raise ValueError(f'{name} must be a floating-point tensor (B, {channels}, H, W), got {describe(value)}')


def check_integer(name: str, value: object, least: int) -> int:
    """A value of any integer type as an int.

    Raises:
        ValueError: If it is no integer, or less than ``least``. True and False are no integers here.

    Examples:
        >>> check_integer('stride', torch.tensor(8), least=1)
        8
        >>> check_integer('stride', 8.0, least=1)
        Traceback (most recent call last):
        ...
        ValueError: stride must be an integer of at least 1, got 8.0
    """
    is_bool = isinstance(value, bool) or getattr(value, 'dtype', None) in (torch.bool, bool)
    try:
        number = None if is_bool else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or number < least:
        raise ValueError(f'{name} must be an integer of at least {least}, got {value!r}')
    return number


def is_recorded() -> bool:
    """Whether operations are being recorded, for images of other sizes: by torch.jit, torch.export or an exporter.

    Examples:
        >>> is_recorded()
        False
    """
    exporting = getattr(torch.compiler, 'is_exporting', torch.compiler.is_compiling)
    return torch.jit.is_tracing() or exporting()
