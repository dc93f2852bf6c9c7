"""Settings: the plain values that all step configs of a data set share."""

import ast
import os
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmwsss.fileio import DataError, atomic_write

_FOLDERS = {'seed_dir': 'seeds', 'affinity_label_dir': 'affinity_labels', 'pseudo_mask_dir': 'pseudo_masks'}
# Settings that choose a base config by its name.
_CHOICES = ('network', 'segmentor')


class _OverriddenNamespace(dict):
    """Where a settings file is run: an overridden name keeps its value, what is derived from it follows."""

    def __init__(self, overrides: Mapping[str, Any]) -> None:
        super().__init__()
        self.overrides = overrides

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self.overrides:
            given = self.overrides[name]
            value = tuple(given) if isinstance(value, tuple) and isinstance(given, list) else given
        super().__setitem__(name, value)


def load_settings(path: str | Path, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Reads a settings file.

    It is ordinary Python that assigns plain values. Another settings file that it names as `_base_` comes first; what
    both assign is as the later one says. Overrides take effect where a name is assigned, so
    `labels_file = f'{data_root}/labels.json'` follows an overridden `data_root`. Derived are
    `num_classes` and `num_labels` from `classes`, and from `work_dir`, unless they are overridden themselves,
    `seed_dir`, `affinity_label_dir` and `pseudo_mask_dir`.

    Args:
        path (str | Path): The file.
        overrides (dict, optional): Values by name; a dotted name reaches into a dict. Defaults to None.

    Returns:
        dict: The settings, in the order of the file.

    Raises:
        DataError: If the file is missing or fails, a value is not plain, or an override names no setting.
    """
    path = Path(path)
    overrides = dict(overrides or {})
    namespace = _OverriddenNamespace(overrides)
    _run(path, namespace)
    settings = {
        name: value
        for name, value in namespace.items()
        if not name.startswith('_') and not isinstance(value, types.ModuleType | types.FunctionType)
    }
    for name, value in overrides.items():
        _override(settings, name, value, path)
    _derive(settings, overrides)
    _check_plain(settings, path)
    return settings


def _run(path: Path, namespace: dict) -> None:
    """Runs a settings file in a namespace, after the one that it inherits."""
    try:
        tree = ast.parse(path.read_text(encoding='utf-8'), str(path))
        base = _base_of(tree)
        if base is not None:
            _run(path.parent / base, namespace)
        exec(compile(tree, str(path), 'exec'), namespace)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f'{path}: the settings cannot be read ({error.strerror})') from error
    except Exception as error:
        raise DataError(f'{path}: the settings fail with {type(error).__name__}: {error}') from error


def _base_of(tree: ast.Module) -> str | None:
    """What a settings file assigns to `_base_`, as text between quotes."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == '_base_':
            base = ast.literal_eval(statement.value)
            if not isinstance(base, str):
                raise ValueError(f'_base_ must be one settings file, got {base!r}')
            return base
    return None


def _override(settings: dict, name: str, value: Any, path: Path) -> None:
    *parents, last = name.split('.')
    target: Any = settings
    for parent in parents:
        target = target.get(parent)
        if not isinstance(target, dict):
            raise DataError(f'{name}: {path} has no dict {parent!r} to override a value of')
    if last not in target and last not in _FOLDERS:
        raise DataError(f'{name}: no such setting in {path}; expected one of {", ".join(sorted(target))}')
    if target is not settings or last not in settings:
        target[last] = value


def _derive(settings: dict, overrides: Mapping[str, Any]) -> None:
    if 'work_dir' in settings:
        folders = {name: f'{settings["work_dir"]}/{folder}' for name, folder in _FOLDERS.items()}
        settings.update((name, folder) for name, folder in folders.items() if name not in overrides)
    if 'classes' in settings:
        num_classes = len(settings['classes'])
        settings['num_classes'] = num_classes
        settings['num_labels'] = num_classes - bool(settings.get('with_background', True))


def _check_plain(settings: dict, path: Path) -> None:
    for name, value in settings.items():
        try:
            plain = ast.literal_eval(repr(value)) == value
        except (ValueError, SyntaxError, TypeError):
            plain = False
        if not plain:
            raise DataError(f'{path}: {name} must be a plain value, got {value!r}')


def choose_networks(settings: Mapping[str, Any]) -> None:
    """Sets `MMWSSS_NETWORK` and `MMWSSS_SEGMENTOR` in the environment, which the `_base_` of step configs read."""
    for name in _CHOICES:
        if name in settings:
            os.environ[f'MMWSSS_{name.upper()}'] = str(settings[name])
        else:
            os.environ.pop(f'MMWSSS_{name.upper()}', None)


def settings_text(settings: Mapping[str, Any]) -> str:
    """Python source that assigns the settings."""
    return ''.join(f'{name} = {value!r}\n' for name, value in settings.items())


def write_settings(path: str | Path, settings: Mapping[str, Any]) -> None:
    """Writes settings to a file that configs can use as base, whole or not at all."""
    atomic_write(path, settings_text(settings).encode())
