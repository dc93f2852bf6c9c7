"""What flags of the tools change in a config."""

import inspect
import os

import torch
from mmengine.config import Config
from mmengine.logging import print_log

from mmwsss.fileio import DataError, is_remote
from mmwsss.registry import METRICS

from .config_errors import require

_MIXED_PRECISION = ('AmpOptimWrapper', 'BFloat16OptimWrapper')


def plain_type(kind: str | type) -> str:
    """The name of a component without its scope."""
    return kind.rpartition('.')[2] if isinstance(kind, str) else kind.__name__


def enable_amp(cfg: Config) -> None:
    """Turns on mixed precision: float16 with loss scaling on a GPU, bfloat16 on a CPU.

    Raises:
        DataError: If the config's optimizer wrapper is neither plain nor a mixed precision one already.
    """
    wrapper = cfg.optim_wrapper
    kind = plain_type(wrapper.get('type', 'OptimWrapper'))
    if kind in _MIXED_PRECISION:
        print_log('Mixed precision is already on in the config.', logger='current')
    elif kind != 'OptimWrapper':
        raise DataError(f'--amp: optim_wrapper.type must be OptimWrapper, got {kind}')
    elif torch.cuda.is_available():
        wrapper.type = 'AmpOptimWrapper'
        wrapper.loss_scale = 'dynamic'
    else:
        wrapper.type = 'mmwsss.BFloat16OptimWrapper'


def set_output_dir(cfg: Config, folder: str) -> None:
    """Makes the evaluators of the test write their predictions under `folder`.

    Those that write anyway do it there, or where there is none, all that can. Where several do, or one
    writes weights too, each gets a sub-folder, called like the folder that it has, or like its type.

    Raises:
        DataError: If no evaluator writes predictions.
    """
    evaluators = cfg.get('test_evaluator') or []
    evaluators = [evaluators] if isinstance(evaluators, dict) else list(evaluators)
    writers = [evaluator for evaluator in evaluators if _takes_output_dir(evaluator['type'])]
    writers = [evaluator for evaluator in writers if evaluator.get('output_dir')] or writers
    if not writers:
        raise DataError('--out: no evaluator of test_evaluator takes an output_dir')
    # A relative folder of a metric would be one of the work directory.
    folder = folder if is_remote(folder) else os.path.abspath(folder)
    for writer in writers:
        name = os.path.basename((writer.get('output_dir') or '').rstrip('/')) or plain_type(writer['type'])
        weights = os.path.basename((writer.get('weight_dir') or '').rstrip('/'))
        writer['output_dir'] = folder if len(writers) == 1 and not weights else os.path.join(folder, name)
        if weights:
            writer['weight_dir'] = os.path.join(folder, weights)
    # A list of evaluators is copied by the config, so what was changed is put back.
    cfg.test_evaluator = evaluators


def _takes_output_dir(kind: str | type) -> bool:
    metric = METRICS.get(kind) if isinstance(kind, str) else kind
    if metric is None:
        raise DataError(f'test_evaluator: {kind} is not a registered metric')
    return 'output_dir' in inspect.signature(metric).parameters


def show_predictions(cfg: Config, show: bool, folder: str | None, wait_time: float) -> None:
    """Draws predictions over images, in a window or as files of `folder`."""
    hooks = cfg.get('default_hooks') or {}
    drawing = hooks.get('visualization') or dict(type='mmwsss.PredictionVisualizationHook')
    hook = {**drawing, 'draw': True}
    if show:
        hook.update(show=True, wait_time=wait_time)
    cfg.default_hooks = {**hooks, 'visualization': hook}
    visualizer = cfg.get('visualizer') or dict(type='SegLocalVisualizer', name='visualizer')
    if not visualizer.get('vis_backends'):
        visualizer['vis_backends'] = [dict(type='LocalVisBackend')]
    if folder is not None:
        visualizer['save_dir'] = folder
    cfg.visualizer = visualizer


def set_skip_bad(cfg: Config, training: bool) -> None:
    """Goes on without images that cannot be used; see :mod:`mmwsss.engine.skip_bad`.

    Raises:
        DataError: If the config has a test loop that cannot.
    """
    if training:
        require(cfg, ['train_dataloader'])
        cfg.train_dataloader.dataset = dict(type='mmwsss.SkipBadDataset', dataset=cfg.train_dataloader.dataset)
        return
    require(cfg, ['test_dataloader', 'test_cfg'])
    kind = cfg.test_cfg.get('type', 'TestLoop')
    if plain_type(kind) == 'LabelLoop':
        cfg.test_cfg.skip_bad = True
    elif kind == 'TestLoop':
        cfg.test_cfg.type = 'mmwsss.SkipBadTestLoop'
    else:
        raise DataError(f'--skip-bad: test_cfg.type must be TestLoop or mmwsss.LabelLoop, got {kind}')
