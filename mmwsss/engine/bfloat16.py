"""Mixed precision in bfloat16, on the devices that compute in it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper

from mmwsss.registry import OPTIM_WRAPPERS


def has_bfloat16(device_type: str) -> bool:
    """Whether a device computes in bfloat16; a CPU that only emulates it is slower than in float32.

    Args:
        device_type (str): Such as ``'cpu'`` or ``'cuda'``.
    """
    if device_type != 'cpu':
        return True
    capabilities: dict[str, bool] = getattr(torch.cpu, 'get_capabilities', dict)()
    return any(capabilities.get(name, False) for name in ('amx_bf16', 'avx512_bf16', 'avx10_2', 'bf16'))


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Mixed precision in bfloat16 on the device of the model, also on a CPU, where `AmpOptimWrapper` cannot run.

    The forward pass runs under `torch.autocast`; bfloat16 has the range of float32, so losses are not scaled. On a
    CPU without bfloat16 instructions everything stays in float32.
    """

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        device = next(model.parameters()).device.type
        autocast = torch.autocast(device, dtype=torch.bfloat16, enabled=has_bfloat16(device))
        with super().optim_context(model), autocast:
            yield
