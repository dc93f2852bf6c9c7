from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmwsss.registry import HOOKS


@HOOKS.register_module()
class FinalValidationHook(Hook):
    """Validates a resumed training that has no iteration left.

    The last checkpoint is written before the last validation. A training that was killed between the two would else
    end without figures.
    """

    def __init__(self) -> None:
        self.at_end = False

    def before_train(self, runner: Runner) -> None:
        self.at_end = runner.iter >= runner.max_iters

    def after_train(self, runner: Runner) -> None:
        if self.at_end and runner.val_loop is not None:
            runner.val_loop.run()
