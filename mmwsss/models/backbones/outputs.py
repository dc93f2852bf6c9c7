"""Any registered backbone, and what its outputs are like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from mmwsss.registry import MODELS

# Height and width of the image that a backbone is tried on; both are whole multiples of all usual strides.
_TRIAL_SIZE = (64, 96)


@dataclass(frozen=True)
class BackboneOutput:
    """One output of a backbone.

    Attributes:
        channels (int): Channels.
        stride (int): Pixels a cell, in each direction.
    """

    channels: int
    stride: int


def build_backbone(cfg: Mapping[str, Any]) -> nn.Module:
    """Builds a backbone of mmseg, or of another package that is named with it, as in `mmpretrain.ConvNeXt`.

    Raises:
        ValueError: If that package is not installed.
    """
    kind = cfg.get('type')
    package = kind.partition('.')[0] if isinstance(kind, str) and '.' in kind else None
    if package is not None:
        if find_spec(package) is None:
            raise ValueError(
                f'backbone {kind}: the package {package} is not installed; install the one of your distribution, such '
                f'as `pip install onedl-{package}` beside onedl-mmsegmentation'
            )
        # Its components are not registered before.
        import_module(f'{package}.models')
    return MODELS.build(cfg)


@torch.no_grad()
def backbone_outputs(backbone: nn.Module) -> list[BackboneOutput]:
    """Finds channels and strides of all outputs by running a backbone once on a small black image.

    Args:
        backbone (nn.Module): Takes images (B, 3, H, W). Its mode, weights and statistics stay as they are.

    Raises:
        ValueError: If it cannot be run so, if an output is no map (B, C, H, W), or has no whole stride; the message
            says what to set instead.
    """
    name = type(backbone).__name__
    height, width = _TRIAL_SIZE
    example = next(backbone.parameters(), torch.empty(0))
    training = backbone.training
    # Not eval(), which not every backbone of mmseg passes on to train().
    backbone.train(False)
    try:
        outputs = backbone(torch.zeros(1, 3, height, width, device=example.device))
    except Exception as error:  # a backbone fails as it likes
        raise ValueError(
            f'backbone {name}: cannot run on an image of {width} x {height} to find its outputs '
            f'({type(error).__name__}: {error}); set in_channels (and in_index) of the head, and size_divisor of '
            'test_cfg where there is one'
        ) from error
    finally:
        backbone.train(training)
    return [_describe(output, index, name) for index, output in enumerate(as_outputs(outputs))]


def as_outputs(outputs: torch.Tensor | Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
    """What a backbone returns, as a sequence also where it is one map alone."""
    return (outputs,) if isinstance(outputs, torch.Tensor) else outputs


def _describe(output: Any, index: int, name: str) -> BackboneOutput:
    if not isinstance(output, torch.Tensor) or output.ndim != 4:
        found = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
        raise ValueError(
            f'backbone {name}: expected maps (B, C, H, W), but output {index} is {found}; set what pools them or adds '
            'tokens, such as gap_before_final_norm=False, output_cls_token=False or out_type="featmap"'
        )
    height, width = _TRIAL_SIZE
    rows, columns = output.shape[2:]
    if height % rows or width % columns or height // rows != width // columns:
        raise ValueError(
            f'backbone {name}: output {index} of an image of {width} x {height} is {columns} x {rows}, which is no '
            'whole stride; set in_channels (and in_index) of the head, and size_divisor of test_cfg where there is one'
        )
    return BackboneOutput(output.shape[1], height // rows)
