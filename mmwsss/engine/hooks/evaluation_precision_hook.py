from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmwsss.engine.bfloat16 import has_bfloat16
from mmwsss.registry import HOOKS


@HOOKS.register_module()
class EvaluationPrecisionHook(Hook):
    """Turns `fp16` of the validation and test loops off on a CPU without bfloat16 instructions.

    mmengine's loops compute in bfloat16 on a CPU where `fp16` is set.
    """

    def before_val(self, runner: Runner) -> None:
        self._check(runner, runner.val_loop)

    def before_test(self, runner: Runner) -> None:
        self._check(runner, runner.test_loop)

    @staticmethod
    def _check(runner: Runner, loop: Any) -> None:
        example = next(runner.model.parameters(), None)
        device = 'cpu' if example is None else example.device.type
        if getattr(loop, 'fp16', False) and not has_bfloat16(device):
            loop.fp16 = False
            runner.logger.info('fp16 is off: this CPU has no bfloat16 instructions')
