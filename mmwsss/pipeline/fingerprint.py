"""What a training and a test depend on, each as one short hash."""

import functools
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

import mmwsss
from mmwsss.engine.config_errors import KNOWN_KEYS
from mmwsss.engine.tool_options import plain_type

_ONLY_TESTING = ('test_', 'val_', 'tta_')
# They say where results go, how they are shown, or which processes make them.
_NO_RESULT = frozenset(
    {'experiment_name', 'launcher', 'log_level', 'log_processor', 'resume', 'vis_backends', 'visualizer', 'work_dir'}
)
_PROCESSES = frozenset({'num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor'})
_OBSERVING_HOOKS = frozenset(
    {
        'CheckClassesHook',
        'CheckpointHook',
        'FinalCheckpointHook',
        'IterTimerHook',
        'LoggerHook',
        'MapVisualizationHook',
        'PredictionVisualizationHook',
        'ProgressHook',
        'RecordHook',
        'SegVisualizationHook',
    }
)
_TEST_HOOKS = frozenset({'EvaluationPrecisionHook', 'FuseConvBNHook', 'RecordHook'})
_TEST_KEYS = frozenset(
    {'custom_hooks', 'custom_imports', 'default_hooks', 'default_scope', 'env_cfg', 'load_from', 'model', 'randomness'}
)
_BLOCK = 1 << 20


def part_of_training(cfg: Config) -> dict[str, Any]:
    """The values of a config that a training depends on.

    Left out are validation and test, ``model.test_cfg``, what is logged and drawn, numbers of processes, and variables
    of the config that the runner does not know.
    """
    kept = {
        name: value
        for name, value in cfg.to_dict().items()
        if name in KNOWN_KEYS and name not in _NO_RESULT and not name.startswith(_ONLY_TESTING)
    }
    if isinstance(kept.get('model'), dict):
        kept['model'].pop('test_cfg', None)
    return _without(_with_hooks(kept, _OBSERVING_HOOKS | _TEST_HOOKS), _PROCESSES)


def part_of_test(cfg: Config) -> dict[str, Any]:
    """The values of a config that a test depends on, beside the training before it."""
    augmented = bool(cfg.get('test_tta'))
    kept = {
        name: value
        for name, value in cfg.to_dict().items()
        if name in _TEST_KEYS or name.startswith('test_') or (augmented and name.startswith('tta_'))
    }
    return _without(_with_hooks(kept, _OBSERVING_HOOKS), _PROCESSES)


def _with_hooks(part: dict[str, Any], left_out: frozenset[str]) -> dict[str, Any]:
    """A part of a config without some of its hooks, whatever they are called."""

    def wanted(hook: Any) -> bool:
        return isinstance(hook, dict) and plain_type(hook.get('type', '')) not in left_out

    default, custom = part.get('default_hooks') or {}, part.get('custom_hooks') or []
    part['default_hooks'] = {name: hook for name, hook in default.items() if wanted(hook)}
    part['custom_hooks'] = [hook for hook in custom if wanted(hook)]
    return part


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(child, names) for name, child in value.items() if name not in names}
    if isinstance(value, list | tuple):
        return [_without(child, names) for child in value]
    return value


def fingerprint(part: Mapping[str, Any], run_folder: str, inputs: Mapping[str, str]) -> str:
    """Hashes what a phase of a stage is made from.

    That is its part of the config, the contents of each file that it names (lists, labels, weights), the results of
    other stages that it reads and the version of the package. The folder of the run does not count, so that it can be
    moved.

    Args:
        part (dict): As of :func:`part_of_training` or :func:`part_of_test`.
        run_folder (str): Folder of the stages.
        inputs (dict[str, str]): Digest of each result of a stage, by its path.

    Returns:
        str: 32 hexadecimal digits.
    """
    below = os.path.abspath(run_folder) + os.sep
    named = sorted({path for path in named_files(part) if not os.path.abspath(path).startswith(below)})
    content = dict(
        config=_relative(part, run_folder),
        files={path: _hash_file(path) for path in named},
        inputs={_relative(path, run_folder): digest for path, digest in inputs.items()},
        version=mmwsss.__version__,
    )
    text = json.dumps(content, sort_keys=True, default=_describe)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _relative(value: Any, run_folder: str) -> Any:
    if isinstance(value, str):
        inside = value == run_folder or value.startswith(f'{run_folder}/')
        return f'<run>{value[len(run_folder) :]}' if inside else value
    if isinstance(value, Mapping):
        return {name: _relative(child, run_folder) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [_relative(child, run_folder) for child in value]
    return value


def _describe(value: Any) -> str:
    return getattr(value, '__qualname__', None) or repr(value)


def strings(value: Any) -> Iterator[str]:
    """All strings in a config, at any depth."""
    if isinstance(value, Mapping):
        for child in value.values():
            yield from strings(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from strings(child)
    elif isinstance(value, str):
        yield value


def named_files(part: Mapping[str, Any]) -> Iterator[str]:
    """Files that a config names, also relative to one of its data roots."""
    roots = ['', *sorted(_data_roots(part))]
    for text in strings(part):
        if '.' in text and '://' not in text:
            for root in roots:
                path = os.path.join(root, text)
                if os.path.isfile(path):
                    yield path


def _data_roots(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        own = {value['data_root']} if isinstance(value.get('data_root'), str) else set()
        return own.union(*map(_data_roots, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(_data_roots, value))
    return set()


def _hash_file(path: str) -> str:
    status = os.stat(path)
    return _hash_contents(path, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _hash_contents(path: str, _size: int, _changed: int) -> str:
    return digest_of_files([path], os.path.dirname(path))


def digest_of_files(paths: list[str], folder: str) -> str:
    """Hashes the contents of files and their places in a folder.

    Returns:
        str: 32 hexadecimal digits, the same for the same files in another folder.
    """
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f'{Path(path).relative_to(folder or ".").as_posix()}\0{os.path.getsize(path)}\0'.encode())
        with open(path, 'rb') as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()[:32]
