"""Label chains on class maps, affinities and features that tests have stored, without a network."""

import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from mmengine.config import Config

from mmwsss.fileio import DataError, is_remote
from mmwsss.registry import MODELS

from .tool_options import plain_type

# Hooks that ask for the parameters of a network.
_HOOKS_OF_NETWORKS = ('ChannelsLastHook', 'EvaluationPrecisionHook', 'FuseConvBNHook')
# What a chain may need that a test stores.
_NEEDS = MappingProxyType(dict(affinity_dir=('affinity', 'affinities'), feature_dir=('features', 'features')))
_OF_TRAINING = ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler', 'load_from')
_OF_VALIDATION = ('val_dataloader', 'val_cfg', 'val_evaluator')


def use_stored_maps(cfg: Config, affinity_dir: str | None = None, feature_dir: str | None = None) -> None:
    """Replaces the network of a stage by what was stored.

    Class maps are those of ``seed_dir`` of the test data set, else those that a ``SeedMetric`` of the stage wrote.

    Args:
        cfg (Config): Of a stage whose ``test_cfg`` is a ``mmwsss.LabelLoop``; changed in place.
        affinity_dir (str, optional): Folder of affinities. Defaults to None: ``affinity_dir`` of ``test_cfg``.
        feature_dir (str, optional): Folder of features. Defaults to None: ``feature_dir`` of ``test_cfg``.

    Raises:
        DataError: If the stage has no label chains, or what they need was not stored.
    """
    if plain_type(cfg.test_cfg.get('type', 'TestLoop')) != 'LabelLoop':
        raise DataError(f'{cfg.filename}: expected test_cfg.type mmwsss.LabelLoop, of which chains can run alone')
    given = dict(affinity_dir=affinity_dir, feature_dir=feature_dir)
    folders = {key: folder or _stored(cfg, key) for key, folder in given.items()}
    for key, (need, what) in _NEEDS.items():
        folder = folders[key]
        if _needs(cfg, need) and not _is_there(folder):
            raise DataError(
                f'{folder or cfg.filename}: a label chain needs {what}, expected a folder that tools/test.py stored '
                f'with --cfg-options test_cfg.{key}={what}'
            )
    _load_seeds(cfg)
    cfg.model = dict(type='mmwsss.StoredMaps', **folders)
    cfg.test_cfg.update(affinity_dir=None, feature_dir=None, fp16=False)
    for name in (*_OF_TRAINING, *_OF_VALIDATION):
        cfg[name] = None
    cfg.default_hooks = {name: hook for name, hook in (cfg.get('default_hooks') or {}).items() if _is_wanted(hook)}
    cfg.custom_hooks = []


def _is_wanted(hook: Any) -> bool:
    return hook is None or plain_type(hook['type']) not in _HOOKS_OF_NETWORKS


def _stored(cfg: Config, key: str) -> str | None:
    """The folder that a test of the stage stores, or that the stage itself takes for a network."""
    if plain_type(cfg.model['type']) == 'StoredMaps':
        return cfg.model.get(key)
    return _of_stage(cfg, cfg.test_cfg.get(key))


def _needs(cfg: Config, need: str) -> bool:
    return any(need in getattr(MODELS.get(member['type']), 'needs', ()) for member in _members(cfg))


def _members(cfg: Config) -> Iterator[dict]:
    for chain in (cfg.test_cfg.get('chains') or {}).values():
        yield from _members_of(chain)


def _members_of(chain: Mapping[str, Any]) -> Iterator[dict]:
    yield from chain.get('refiners') or ()
    if 'labeler' in chain:
        yield chain['labeler']
    for witness in chain.get('witnesses') or ():
        if isinstance(witness, Mapping):
            yield from _members_of(witness)


def _load_seeds(cfg: Config) -> None:
    dataset = cfg.test_dataloader.dataset
    if not dataset.get('seed_dir'):
        dataset.seed_dir = _written_seeds(cfg)
    pipeline = list(dataset.pipeline)
    if plain_type(pipeline[-1]['type']) == 'TestTimeAug':
        # No network looks at the variants.
        pipeline[-1] = dict(type='mmwsss.PackWeakInputs')
    if not any(plain_type(transform['type']) == 'LoadSeeds' for transform in pipeline):
        # Before the last one, which packs.
        pipeline.insert(len(pipeline) - 1, dict(type='mmwsss.LoadSeeds'))
    dataset.pipeline = pipeline


def _written_seeds(cfg: Config) -> str:
    """The folder that the stage wrote its seeds to, which are not written again."""
    evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
    for evaluator in evaluators:
        if plain_type(evaluator['type']) == 'SeedMetric' and evaluator.get('output_dir'):
            folder = _of_stage(cfg, evaluator.pop('output_dir'))
            # One that only writes has nothing left to do.
            cfg.test_evaluator = [one for one in evaluators if one is not evaluator or not one.get('format_only')]
            if not _is_there(folder):
                raise DataError(f'{folder}: expected seeds that tools/test.py wrote, found no such folder')
            return str(folder)
    raise DataError(f'{cfg.filename}: expected seed_dir of the test data set, or a SeedMetric with an output_dir')


def _of_stage(cfg: Config, folder: str | None) -> str | None:
    """A folder as the stage writes it: a relative one lies in the work directory."""
    return folder if folder is None or is_remote(folder) else os.path.join(cfg.work_dir, folder)


def _is_there(folder: str | None) -> bool:
    return folder is not None and (is_remote(folder) or os.path.isdir(folder))
