from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmwsss.engine.checkpoint import check_state_dict
from mmwsss.registry import HOOKS


@HOOKS.register_module()
class CheckpointMatchHook(Hook):
    """Refuses a checkpoint of another model when testing or resuming.

    Args:
        filename (str): The checkpoint, for the message. Defaults to ''.
    """

    priority = 'VERY_HIGH'

    def __init__(self, filename: str = '') -> None:
        self.filename = filename

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        state_dict = checkpoint.get('state_dict', checkpoint)
        check_state_dict(runner.model, state_dict, self.filename or 'checkpoint')
