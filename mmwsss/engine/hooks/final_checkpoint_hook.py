"""The checkpoint that a training ends with."""

import io
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner, weights_to_cpu

import mmwsss
from mmwsss.engine.checkpoint import FINAL_CHECKPOINT
from mmwsss.fileio import atomic_write
from mmwsss.registry import HOOKS


@HOOKS.register_module()
class FinalCheckpointHook(Hook):
    """Writes ``final.pth`` to the work directory at the end of a training, whole or not at all.

    It holds ``meta`` (with ``dataset_meta``, which mmseg's ``init_model`` reads, iterations, seed and config) and
    ``state_dict``: what ``CheckpointHook`` would save as weights, those of the average where an ``EMAHook`` is at work.
    Nothing in it differs between two trainings that end with the same weights, such as a time, so that later stages
    need not run again for it.
    """

    priority = 'VERY_LOW'

    def after_train(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        checkpoint: dict[str, Any] = dict(meta=_meta(runner), state_dict=weights_to_cpu(model.state_dict()))
        # Hooks may replace the weights, as those of an average do.
        runner.call_hook('before_save_checkpoint', checkpoint=checkpoint)
        if is_main_process():
            buffer = io.BytesIO()
            torch.save({name: checkpoint[name] for name in ('meta', 'state_dict')}, buffer)
            atomic_write(Path(runner.work_dir) / FINAL_CHECKPOINT, buffer.getbuffer(), durable=True)


def _meta(runner: Runner) -> dict[str, Any]:
    meta: dict[str, Any] = dict(
        epoch=runner.epoch,
        iter=runner.iter,
        seed=runner.seed,
        cfg=runner.cfg.pretty_text,
        mmwsss_version=mmwsss.__version__,
    )
    metainfo = getattr(runner.train_dataloader.dataset, 'metainfo', None)
    if metainfo is not None:
        meta['dataset_meta'] = metainfo
    return meta
