import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmwsss.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Lays out the weights of convolutions with the channels last; their outputs follow.

    On CPUs, and on GPUs in half precision, this is the faster layout for convolutions. Figures do not change.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        runner.model.to(memory_format=torch.channels_last)
