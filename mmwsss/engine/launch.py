"""What `tools/train.py` and `tools/test.py` share: from a command line to a runner."""

import argparse
import math
import os
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import RUNNERS

from mmwsss.engine import SKIPPED_FILE, CheckpointMatchHook, FinalValidationHook, find_resumable_checkpoint
from mmwsss.evaluation.records import recorded_confusions, recorded_statistics
from mmwsss.fileio import DataError, atomic_write_json, is_remote
from mmwsss.processes import end_forks_with_this_process

from .config_errors import check_optimizer, require
from .config_loading import load_config
from .distributed import CollectInWorkDir, initialize_processes, process_group, use_test_wrapper
from .log_filter import LogFilter
from .memory import MemoryHook
from .run_config import prepare, set_test_time_augmentation
from .stored_maps import use_stored_maps
from .tool_options import set_output_dir

METRICS_FILE = 'metrics.json'
CONFUSIONS_FILE = 'confusions.json'
TRAINING_FILE = 'training.json'
# What is measured without masks.
TRAIN_STATISTICS_FILE = 'train_statistics.json'
TEST_STATISTICS_FILE = 'test_statistics.json'


def config_from_arguments(args: argparse.Namespace) -> Config:
    """Reads the config that a command line asks for; work directory: flag, else config, else its name."""
    cfg = load_config(args.config, args.cfg_options, args.data_root, args.run_dir)
    cfg.launcher = args.launcher
    default_work_dir = cfg.get('work_dir') or os.path.join('work_dirs', Path(args.config).stem)
    cfg.work_dir = args.work_dir or default_work_dir
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return cfg


def build_runner(cfg: Config, change: Callable[[Config], None] | None = None) -> Runner:
    """Joins the other processes and builds the runner of a config.

    The config that lies in the work directory, and in checkpoints, is the one that was asked for.

    Args:
        cfg (Config): As it was asked for.
        change (callable, optional): Changes a copy of it, which is run. Defaults to None.
    """
    end_forks_with_this_process()
    prepared = prepare(cfg, change)
    initialize_processes(prepared)
    runner = RUNNERS.build(prepared) if 'runner_type' in prepared else Runner.from_cfg(prepared)
    if prepared.to_dict() != cfg.to_dict():
        runner.cfg = cfg
        runner.dump_config()
    runner.logger.addFilter(LogFilter())
    runner.register_hook(MemoryHook())
    runner.register_hook(CollectInWorkDir())
    return runner


def train(cfg: Config, resume: bool = False) -> None:
    """Runs the training that a config describes.

    The last losses, and the metrics of the last validation, are in `training.json` of the work directory, beside
    `train_statistics.json`: what the validation measured without masks.

    Args:
        cfg (Config): With `work_dir` and `launcher`.
        resume (bool): Go on from the newest whole checkpoint of the work directory, if there is one. Defaults to
            False.

    Raises:
        DataError: If the config or its data cannot be used.
    """
    require(cfg, ['model', 'train_dataloader', 'train_cfg', 'optim_wrapper'])
    check_optimizer(cfg)
    with process_group():
        _train(cfg, find_resumable_checkpoint(cfg.work_dir) if resume else None, resume)


def _train(cfg: Config, checkpoint: str | None, resume: bool) -> None:
    runner = build_runner(cfg)
    if checkpoint is not None:
        _load(runner, checkpoint, resume=True)
        runner.register_hook(FinalValidationHook())
    elif resume:
        print_log(f'Nothing to resume from in {cfg.work_dir}, starting from the beginning.', logger='current')
    runner.train()
    logged = {
        name: buffer.current()
        for name, buffer in runner.message_hub.log_scalars.items()
        if name.startswith(('train/loss', 'val/')) and not name.endswith('time')
    }
    if is_main_process():
        statistics = recorded_statistics(runner.message_hub)
        atomic_write_json(Path(cfg.work_dir) / TRAIN_STATISTICS_FILE, statistics)
        atomic_write_json(Path(cfg.work_dir) / TRAINING_FILE, plain_numbers(logged))


def test(cfg: Config, checkpoint: str | None = None) -> dict:
    """Runs the test that a config describes, with test-time augmentation where the config says ``test_tta = True``.

    Args:
        cfg (Config): With `work_dir` and `launcher`.
        checkpoint (str, optional): File or address. Defaults to None: ``load_from`` of the config, if it has one.

    Returns:
        dict: The metrics, which are also in `metrics.json` of the work directory, beside `confusions.json` and
        `test_statistics.json`: what was measured without masks.

    Raises:
        DataError: If the config, the checkpoint or the data cannot be used.
    """
    require(cfg, ['model', 'test_dataloader', 'test_cfg', 'test_evaluator'])
    checkpoint = checkpoint or cfg.get('load_from')
    check_checkpoint(cfg, checkpoint)
    with process_group():
        return _test(cfg, checkpoint, set_test_time_augmentation if cfg.get('test_tta') else None)


def refine(
    cfg: Config, affinity_dir: str | None = None, feature_dir: str | None = None, output_dir: str | None = None
) -> dict:
    """Runs the label chains of a stage again, on class maps, affinities and features that tests have stored.

    Args:
        cfg (Config): With `work_dir` and `launcher`.
        affinity_dir (str, optional): As of :func:`mmwsss.engine.stored_maps.use_stored_maps`. Defaults to None.
        feature_dir (str, optional): The same. Defaults to None.
        output_dir (str, optional): Folder for what the evaluators write. Defaults to None: where they write else.

    Returns:
        dict: The metrics, as of :func:`test`.

    Raises:
        DataError: If the stage has no label chains, or what they need was not stored.
    """
    require(cfg, ['test_dataloader', 'test_cfg', 'test_evaluator'])

    def change(prepared: Config) -> None:
        use_stored_maps(prepared, affinity_dir, feature_dir)
        if output_dir is not None:
            set_output_dir(prepared, output_dir)

    with process_group():
        return _test(cfg, None, change)


def check_checkpoint(cfg: Config, checkpoint: str | None) -> None:
    """Refuses a test without a checkpoint of a model that is trained, and a local file that is missing.

    Raises:
        DataError: Naming the file.
    """
    if checkpoint is None:
        if cfg.get('train_cfg') is not None:
            raise DataError(f'{cfg.filename}: expected a checkpoint of the trained model after the config')
    elif not is_remote(checkpoint) and not os.path.isfile(os.path.expanduser(checkpoint)):
        raise DataError(f'{checkpoint}: expected a checkpoint, found no such file')


def _test(cfg: Config, checkpoint: str | None, change: Callable[[Config], None] | None) -> dict:
    def change_all(prepared: Config) -> None:
        use_test_wrapper(prepared)
        if change is not None:
            change(prepared)

    runner = build_runner(cfg, change_all)
    if checkpoint is not None:
        _load(runner, checkpoint, resume=False)
    if is_main_process():
        Path(cfg.work_dir, SKIPPED_FILE).unlink(missing_ok=True)
    metrics = plain_numbers(runner.test())
    if is_main_process():
        atomic_write_json(Path(cfg.work_dir) / CONFUSIONS_FILE, recorded_confusions(runner.message_hub))
        atomic_write_json(Path(cfg.work_dir) / TEST_STATISTICS_FILE, recorded_statistics(runner.message_hub))
        atomic_write_json(Path(cfg.work_dir) / METRICS_FILE, metrics)
    return metrics


def _load(runner: Runner, checkpoint: str, resume: bool) -> None:
    """Has a runner begin with a checkpoint, which must belong to its model.

    The runner is told, not its config: that stays what was asked for.
    """
    runner._load_from, runner._resume = checkpoint, resume
    if not any(isinstance(hook, CheckpointMatchHook) for hook in runner.hooks):
        runner.register_hook(CheckpointMatchHook())


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
