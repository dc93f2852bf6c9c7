from copy import deepcopy

import torch
from mmcv.cnn.utils import fuse_conv_bn
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from mmwsss.registry import HOOKS


@HOOKS.register_module()
class FuseConvBNHook(Hook):
    """Folds BatchNorms into the convolutions before them, for a test alone; it saves passes over the features.

    Figures change by the rounding of float32. A copy of the network is folded, once the other hooks have put the
    weights to test into it, such as the averaged ones of ``EMAHook``; the network itself comes back after the test.
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.network: nn.Module | None = None

    def before_test_epoch(self, runner: Runner) -> None:
        self.network = runner.model
        bare = runner.model.module if is_model_wrapper(runner.model) else runner.model
        runner.model = fuse_conv_bn(deepcopy(bare)).to(memory_format=torch.channels_last)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if self.network is not None:
            runner.model, self.network = self.network, None
