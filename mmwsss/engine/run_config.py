"""What the runner needs otherwise than a config says it, while the config stays as it was asked for."""

import copy
from collections.abc import Callable

from mmengine.config import Config
from mmengine.dataset import DefaultSampler

from mmwsss.fileio import DataError

# Of these names the runner takes None for a hook that is off; of others it does not.
_HOOKS_OF_MMENGINE = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def prepare(cfg: Config, change: Callable[[Config], None] | None = None) -> Config:
    """A copy of a config that the runner can be built from.

    Args:
        cfg (Config): As it was asked for; not changed.
        change (callable, optional): Changes the copy, as :func:`set_test_time_augmentation` does. Defaults to None.
    """
    cfg = copy.deepcopy(cfg)
    share_images_once(cfg)
    drop_options_of_workers(cfg)
    drop_hooks_that_are_off(cfg)
    if change is not None:
        change(cfg)
    return cfg


def share_images_once(cfg: Config) -> None:
    """Lets validation and test give each image to one process alone.

    By default, the ``DefaultSampler`` of MMEngine repeats images until all processes have the same number: two
    would write the files of one, and metrics that add up would count it twice.
    """
    for name in _LOADERS[1:]:
        sampler = (cfg.get(name) or {}).get('sampler') or {}
        if sampler.get('type') in ('DefaultSampler', DefaultSampler):
            sampler['round_up'] = False


def drop_options_of_workers(cfg: Config) -> None:
    """Removes what torch refuses for a data loader with ``num_workers=0``."""
    for name in _LOADERS:
        loader = cfg.get(name) or {}
        if loader.get('num_workers', 0) == 0:
            for option in ('persistent_workers', 'prefetch_factor'):
                loader.pop(option, None)


def drop_hooks_that_are_off(cfg: Config) -> None:
    """Removes hooks that ``default_hooks`` has as None, which the runner knows of its own hooks alone."""
    hooks = cfg.get('default_hooks') or {}
    for name in [name for name, hook in hooks.items() if hook is None and name not in _HOOKS_OF_MMENGINE]:
        hooks.pop(name)


def set_test_time_augmentation(cfg: Config) -> None:
    """Replaces test pipeline and model by `tta_pipeline` and `tta_model`.

    Raises:
        DataError: If the config has none.
    """
    missing = [name for name in ('tta_pipeline', 'tta_model') if cfg.get(name) is None]
    if missing:
        raise DataError(f'--tta: the config has no {" and no ".join(missing)}')
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.tta_model.module = cfg.model
    cfg.model = cfg.tta_model
