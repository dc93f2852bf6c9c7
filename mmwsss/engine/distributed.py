"""Several processes of one training or test, with a GPU each or all on the CPU."""

import gc
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import Runner
from torch import nn

from mmwsss.processes import end_with_parent


@MODEL_WRAPPERS.register_module()
class TestWrapper(nn.Module):
    """Stands for `DistributedDataParallel` in a test, where nothing learns; that refuses models without parameters.

    Args:
        module (BaseModel): The model, which each process has whole.
    """

    module: BaseModel

    def __init__(self, module: BaseModel) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def test_step(self, data: Any) -> Any:
        return self.module.test_step(data)


def use_test_wrapper(cfg: Config) -> None:
    """Has the processes of a test not synchronize gradients, unless the config has a wrapper of its own."""
    if cfg.launcher != 'none' and not cfg.get('model_wrapper_cfg'):
        cfg.model_wrapper_cfg = dict(type=TestWrapper.__name__)


def _export_ranks(launcher: str) -> None:
    """Sets the variables that torch reads, from those of the launcher."""
    if launcher == 'slurm':
        nodes = subprocess.run(
            ['scontrol', 'show', 'hostname', os.environ['SLURM_NODELIST']],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        ranks = dict(
            RANK=os.environ['SLURM_PROCID'],
            WORLD_SIZE=os.environ['SLURM_NTASKS'],
            LOCAL_RANK=os.environ['SLURM_LOCALID'],
        )
        os.environ.setdefault('MASTER_ADDR', nodes[0])
    else:
        ranks = dict(
            RANK=os.environ['OMPI_COMM_WORLD_RANK'],
            WORLD_SIZE=os.environ['OMPI_COMM_WORLD_SIZE'],
            LOCAL_RANK=os.environ['OMPI_COMM_WORLD_LOCAL_RANK'],
        )
        os.environ.setdefault('MASTER_ADDR', 'localhost')
    os.environ.update(ranks)
    os.environ.setdefault('MASTER_PORT', '29500')


def initialize_processes(cfg: Config) -> None:
    """Joins the process group where there is no GPU, which mmengine's own `init_dist` cannot do.

    With a GPU, or with one process, the runner does it. A process of torchrun ends with that, even where it is killed.
    """
    if cfg.launcher == 'pytorch':
        end_with_parent()
    if cfg.launcher == 'none' or torch.cuda.is_available() or dist.is_initialized():
        return
    if cfg.launcher in ('slurm', 'mpi'):
        _export_ranks(cfg.launcher)
    dist.init_process_group('gloo')
    if (cfg.get('model_wrapper_cfg') or {}).get('type') == TestWrapper.__name__:
        return
    wrapper = dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    wrapper.update(cfg.get('model_wrapper_cfg') or {})
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)


class CollectInWorkDir(Hook):
    """Lets metrics bring the results of several processes together in the work directory.

    MMEngine makes a folder `.dist_test` in the current one for that, and leaves it there.
    """

    def before_val(self, runner: Runner) -> None:
        self._tell(runner, runner.val_loop.evaluator.metrics)

    def before_test(self, runner: Runner) -> None:
        self._tell(runner, runner.test_loop.evaluator.metrics)

    @staticmethod
    def _tell(runner: Runner, metrics: Iterable[BaseMetric]) -> None:
        for metric in metrics:
            if metric.collect_device == 'cpu' and metric.collect_dir is None:
                metric.collect_dir = os.path.join(runner.work_dir, '.collected')


@contextmanager
def process_group() -> Iterator[None]:
    """Leaves the process group together with the other processes, once the wrapped model is gone.

    A process that leaves while another still talks to it, or whose model still holds the group, can abort.
    """
    try:
        yield
        gc.collect()
        if dist.is_available() and dist.is_initialized():
            dist.barrier()
    finally:
        if dist.is_available() and dist.is_initialized():
            dist.destroy_process_group()
