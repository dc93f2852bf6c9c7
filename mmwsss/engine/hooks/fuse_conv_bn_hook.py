import torch
from mmcv.cnn.utils import fuse_conv_bn
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmwsss.registry import HOOKS


@HOOKS.register_module()
class FuseConvBNHook(Hook):
    """Folds BatchNorms into the convolutions before them, for a test alone; it saves passes over the features.

    Figures change by the rounding of float32.
    """

    def before_test(self, runner: Runner) -> None:
        runner.model = fuse_conv_bn(runner.model).to(memory_format=torch.channels_last)
