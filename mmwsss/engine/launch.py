"""What `tools/train.py` and `tools/test.py` share: from a command line to a runner."""

import argparse
import gc
import inspect
import logging
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist
from mmengine.config import Config, DictAction
from mmengine.dataset import DefaultSampler
from mmengine.dist import is_main_process
from mmengine.logging import MMLogger, print_log
from mmengine.runner import Runner
from mmseg.registry import METRICS, RUNNERS

from mmwsss.engine import SKIPPED_FILE, find_resumable_checkpoint
from mmwsss.evaluation.recorded_confusions import recorded_confusions
from mmwsss.fileio import DataError, atomic_write_json, is_remote
from mmwsss.processes import end_forks_with_this_process, end_with_parent

from .config_errors import check_keys, check_optimizer, check_options, describe_mistake, require
from .memory import keep_freed_memory, note_memory
from .settings import choose_networks, load_settings

SETTINGS_VARIABLE = 'MMWSSS_SETTINGS'
METRICS_FILE = 'metrics.json'
CONFUSIONS_FILE = 'confusions.json'
TRAINING_FILE = 'training.json'


def run_tool(main: Callable[[], None]) -> None:
    """Runs a command-line tool; input that cannot be used ends it with one line and not with a traceback."""
    try:
        main()
    except Exception as error:
        mistake = describe_mistake(error)
        if mistake is None:
            raise
        sys.exit(f'error: {mistake}')


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that training and testing share, as MMSegmentation names them."""
    parser.add_argument(
        '--settings',
        metavar='FILE',
        help='settings file in the place of the one that the config names: the settings.py of a data set, or the one '
        'in a work directory of tools/pipeline.py',
    )
    parser.add_argument('--work-dir', help='folder of logs, checkpoints and metrics')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override values of the config, such as model.backbone.depth=18 or key="[a,b]"',
    )
    parser.add_argument(
        '--skip-bad',
        action='store_true',
        help='go on without photographs whose files cannot be used: training takes others and warns; a test leaves '
        'them out, says at the end how many, and lists them with the reasons in skipped.json of the work directory',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes',
    )
    # torch.distributed.launch of torch 2 passes --local-rank, older ones --local_rank.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def load_config(path: str, settings: str | None = None, options: dict | None = None) -> Config:
    """Reads a config under given settings.

    Args:
        path (str): Config file.
        settings (str, optional): Settings file that replaces the one of the config's own folder, through
            the environment variable `MMWSSS_SETTINGS`. Defaults to None.
        options (dict, optional): Values to override, with dotted keys. Defaults to None.

    Raises:
        DataError: If a file is missing or fails, a key is misspelt, or an option names no key.
    """
    for name, file in (('config', path), ('settings file', settings)):
        if file is not None and not os.path.isfile(file):
            raise DataError(f'{file}: expected a {name}, found no such file')
    if settings is not None:
        os.environ[SETTINGS_VARIABLE] = os.path.abspath(settings)
        choose_networks(load_settings(settings))
    try:
        with _without_word_of_variables():
            cfg = Config.fromfile(path)
    except Exception as error:  # a config is code and fails as it likes
        raise DataError(f'{path}: the config fails with {type(error).__name__}: {error}') from error
    check_keys(cfg, path)
    if options:
        check_options(cfg, options)
        try:
            cfg.merge_from_dict(options)
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f'--cfg-options: {options} does not fit the config ({error})') from error
    return cfg


@contextmanager
def _without_word_of_variables() -> Iterator[None]:
    """Keeps mmengine from telling, for each file that a config is made of, that it read a variable."""
    logger = MMLogger.get_current_instance()

    def wanted(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith('Using env variable')

    logger.addFilter(wanted)
    try:
        yield
    finally:
        logger.removeFilter(wanted)


def config_from_arguments(args: argparse.Namespace) -> Config:
    """Reads the config that a command line asks for; work directory: flag, else config, else its name."""
    cfg = load_config(args.config, args.settings, args.cfg_options)
    cfg.launcher = args.launcher
    default_work_dir = cfg.get('work_dir') or os.path.join('work_dirs', Path(args.config).stem)
    cfg.work_dir = args.work_dir or default_work_dir
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return cfg


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


def initialise_processes(cfg: Config) -> None:
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
    wrapper = dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    wrapper.update(cfg.get('model_wrapper_cfg') or {})
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)


def share_photographs_once(cfg: Config) -> None:
    """Lets validation and test give each photograph to one process alone.

    By default, the ``DefaultSampler`` of MMEngine repeats photographs until all processes have the same number: two
    would write the files of one, and metrics that add up would count it twice.
    """
    for name in ('val_dataloader', 'test_dataloader'):
        sampler = (cfg.get(name) or {}).get('sampler') or {}
        if sampler.get('type') in ('DefaultSampler', DefaultSampler):
            sampler['round_up'] = False


def enable_amp(cfg: Config) -> None:
    """Turns on mixed precision: float16 with loss scaling on a GPU, bfloat16 on a CPU.

    Raises:
        DataError: If the config's optimizer wrapper is neither plain nor a mixed precision one already.
    """
    wrapper = cfg.optim_wrapper
    kind = wrapper.get('type', 'OptimWrapper')
    if kind in ('AmpOptimWrapper', 'BFloat16OptimWrapper'):
        print_log('Mixed precision is already on in the config.', logger='current')
    elif kind != 'OptimWrapper':
        raise DataError(f'--amp: optim_wrapper.type must be OptimWrapper, got {kind}')
    elif torch.cuda.is_available():
        wrapper.type = 'AmpOptimWrapper'
        wrapper.loss_scale = 'dynamic'
    else:
        wrapper.type = 'BFloat16OptimWrapper'


def set_resume(cfg: Config) -> None:
    """Points the config at the newest whole checkpoint of its work directory, where there is one."""
    checkpoint = find_resumable_checkpoint(cfg.work_dir)
    cfg.resume = checkpoint is not None
    if checkpoint is None:
        print_log(f'Nothing to resume from in {cfg.work_dir}, starting from the beginning.', logger='current')
        return
    cfg.load_from = checkpoint
    _add_hook(cfg, dict(type='CheckpointMatchHook', filename=checkpoint))
    _add_hook(cfg, dict(type='FinalValidationHook'))


def set_test_checkpoint(cfg: Config, checkpoint: str) -> None:
    """Tests a checkpoint, and refuses it where it belongs to another model.

    Raises:
        DataError: If a local file is missing.
    """
    if not is_remote(checkpoint) and not os.path.isfile(os.path.expanduser(checkpoint)):
        raise DataError(f'{checkpoint}: expected a checkpoint, found no such file')
    cfg.load_from = checkpoint
    cfg.resume = False
    _add_hook(cfg, dict(type='CheckpointMatchHook', filename=checkpoint))


def set_skip_bad(cfg: Config, training: bool) -> None:
    """Goes on without photographs that cannot be used; see :mod:`mmwsss.engine.skip_bad`.

    Raises:
        DataError: If the config has another test loop than mmengine's.
    """
    if training:
        require(cfg, ['train_dataloader'])
        cfg.train_dataloader.dataset = dict(type='SkipBadDataset', dataset=cfg.train_dataloader.dataset)
        return
    require(cfg, ['test_dataloader', 'test_cfg'])
    kind = cfg.test_cfg.get('type', 'TestLoop')
    if kind != 'TestLoop':
        raise DataError(f'--skip-bad: test_cfg.type must be TestLoop, got {kind}')
    cfg.test_cfg.type = 'SkipBadTestLoop'


def set_output_dir(cfg: Config, folder: str) -> None:
    """Makes the evaluators of the test write their predictions under `folder`.

    Where several of them write, each gets a sub-folder of its type's name.

    Raises:
        DataError: If no evaluator writes predictions.
    """
    evaluators = cfg.get('test_evaluator') or []
    evaluators = [evaluators] if isinstance(evaluators, dict) else list(evaluators)
    writers = [evaluator for evaluator in evaluators if _takes_output_dir(evaluator['type'])]
    if not writers:
        raise DataError('--out: no evaluator of test_evaluator takes an output_dir')
    for writer in writers:
        writer['output_dir'] = folder if len(writers) == 1 else os.path.join(folder, str(writer['type']))
    # A list of evaluators is copied by the config, so what was changed is put back.
    cfg.test_evaluator = evaluators


def _takes_output_dir(kind: str | type) -> bool:
    metric = METRICS.get(kind) if isinstance(kind, str) else kind
    if metric is None:
        raise DataError(f'test_evaluator: {kind} is not a registered metric')
    return 'output_dir' in inspect.signature(metric).parameters


def show_predictions(cfg: Config, show: bool, folder: str | None, wait_time: float) -> None:
    """Draws predictions over photographs, in a window or as files of `folder`."""
    hooks = cfg.get('default_hooks') or {}
    hook = {**hooks.get('visualization', dict(type='PredictionVisualizationHook')), 'draw': True}
    if show:
        hook.update(show=True, wait_time=wait_time)
    cfg.default_hooks = {**hooks, 'visualization': hook}
    visualizer = cfg.get('visualizer') or dict(type='SegLocalVisualizer', name='visualizer')
    if not visualizer.get('vis_backends'):
        visualizer['vis_backends'] = [dict(type='LocalVisBackend')]
    if folder is not None:
        visualizer['save_dir'] = folder
    cfg.visualizer = visualizer


def set_test_time_augmentation(cfg: Config) -> None:
    """Replaces test pipeline and model by `tta_pipeline` and `tta_model`.

    Raises:
        DataError: If the config has none.
    """
    missing = [name for name in ('tta_pipeline', 'tta_model') if name not in cfg]
    if missing:
        raise DataError(f'--tta: the config has no {" and no ".join(missing)}')
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.tta_model.module = cfg.model
    cfg.model = cfg.tta_model


def _add_hook(cfg: Config, hook: dict) -> None:
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]


def build_runner(cfg: Config) -> Runner:
    """Joins the other processes and builds the runner of a config."""
    if not torch.cuda.is_available():
        keep_freed_memory()
    end_forks_with_this_process()
    initialise_processes(cfg)
    share_photographs_once(cfg)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


def train(cfg: Config) -> None:
    """Runs the training that a config describes.

    The last losses, and the metrics of the last validation, are in `training.json` of the work directory.
    """
    require(cfg, ['model', 'train_dataloader', 'train_cfg', 'optim_wrapper'])
    check_optimizer(cfg)
    with _process_group():
        _train(cfg)


def _train(cfg: Config) -> None:
    runner = build_runner(cfg)
    runner.train()
    logged = {
        name: buffer.current()
        for name, buffer in runner.message_hub.log_scalars.items()
        if name.startswith(('train/loss', 'val/')) and not name.endswith('time')
    }
    if is_main_process():
        atomic_write_json(Path(cfg.work_dir) / TRAINING_FILE, plain_numbers(logged))
        note_memory(cfg.work_dir, 'train')


def test(cfg: Config) -> dict:
    """Runs the test that a config describes.

    Returns:
        dict: The metrics, which are also in `metrics.json` of the work directory, beside `confusions.json`.
    """
    require(cfg, ['model', 'test_dataloader', 'test_cfg', 'test_evaluator'])
    with _process_group():
        return _test(cfg)


def _test(cfg: Config) -> dict:
    runner = build_runner(cfg)
    if is_main_process():
        Path(cfg.work_dir, SKIPPED_FILE).unlink(missing_ok=True)
    metrics = plain_numbers(runner.test())
    if is_main_process():
        atomic_write_json(Path(cfg.work_dir) / CONFUSIONS_FILE, recorded_confusions(runner.message_hub))
        atomic_write_json(Path(cfg.work_dir) / METRICS_FILE, metrics)
        note_memory(cfg.work_dir, 'test')
    return metrics


@contextmanager
def _process_group() -> Iterator[None]:
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


def plain_numbers(metrics: dict) -> dict:
    """Turns the metrics of a runner into what JSON can hold; NaN and infinity become null."""
    plain = {}
    for name, value in metrics.items():
        if hasattr(value, 'tolist'):
            value = value.tolist()
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        plain[name] = value
    return plain
