from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from mmwsss.fileio.pretrained import choose_weights
from mmwsss.fileio.state_dicts import check_state_dict, state_dict_of
from mmwsss.registry import HOOKS


@HOOKS.register_module()
class CheckpointMatchHook(Hook):
    """Refuses a checkpoint of another model.

    A test, a validation and a training that is resumed need all parameters of the model. A training that starts from a
    checkpoint, with ``load_from``, needs one of them at least. The state dict may lie where
    :func:`mmwsss.fileio.state_dicts.state_dict_of` looks for it.

    Args:
        filename (str, optional): The checkpoint, for the message. Defaults to None: what the runner was told.
    """

    priority = 'VERY_HIGH'

    def __init__(self, filename: str | None = None) -> None:
        self.filename = filename

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        filename = self.filename or runner._load_from or 'checkpoint'
        state_dict = state_dict_of(checkpoint, filename)
        # A training builds its loop before it loads, a test leaves the config of one as it is.
        if isinstance(runner._train_loop, BaseLoop) and not runner._resume:
            state_dict = choose_weights(runner.model, state_dict, filename)
        else:
            check_state_dict(runner.model, state_dict, filename)
        # Put where mmengine looks for it; one that is there already knows versions of layers, too.
        if set(state_dict) != set(checkpoint.get('state_dict', ())):
            checkpoint['state_dict'] = state_dict
