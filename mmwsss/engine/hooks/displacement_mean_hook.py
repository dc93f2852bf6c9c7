import numpy as np
import torch
from mmengine.dist import all_reduce, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmwsss.fileio import DataError
from mmwsss.models import IRNet
from mmwsss.registry import HOOKS


@HOOKS.register_module()
class DisplacementMeanHook(Hook):
    """Finds the mean of IRNet's displacements at the end of its training, for tests to subtract it.

    The losses see differences of displacements alone, so that the network may add any constant to them. The mean is one
    over cells, then over batches of training images, which are evenly spread over their list. ``final.pth`` has it,
    checkpoints of single iterations have not; an ``EMAHook`` would replace it.

    Args:
        num_batches (int): Batches of each process, at most. Defaults to 20.

    Raises:
        ValueError: If ``num_batches`` is less than 1.
        DataError: Before the training, if the model is no :class:`IRNet`.
    """

    def __init__(self, num_batches: int = 20) -> None:
        if num_batches < 1:
            raise ValueError(f'num_batches of DisplacementMeanHook must be at least 1, got {num_batches}')
        self.num_batches = num_batches

    def before_train(self, runner: Runner) -> None:
        model = _bare(runner)
        if not isinstance(model, IRNet):
            raise DataError(f'DisplacementMeanHook: expected IRNet as the model, got {type(model).__name__}')

    @torch.no_grad()
    def after_train(self, runner: Runner) -> None:
        model, loader = _bare(runner), runner.train_dataloader
        training = model.training
        model.eval()
        # Not by the loader itself: its sampler may have ended with the training.
        number = min(self.num_batches * loader.batch_size, max(len(loader.dataset) // get_world_size(), 1))
        chosen = np.linspace(0, len(loader.dataset) - 1, number * get_world_size()).round().astype(int)
        mine = chosen[get_rank() :: get_world_size()].tolist()
        means = []
        for start in range(0, number, loader.batch_size):
            items = [loader.dataset[index] for index in mine[start : start + loader.batch_size]]
            inputs = model.data_preprocessor(loader.collate_fn(items), True)['inputs']
            means.append(model.displacements(inputs).mean((0, 2, 3)))
        mean = torch.stack(means).mean(0)
        all_reduce(mean, 'mean')
        model.head.displacement_mean.copy_(mean)
        model.train(training)


def _bare(runner: Runner) -> IRNet:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
