"""Reads the config of a stage: moved to other folders, with options, and mistakes told in one line."""

import os
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmwsss.fileio import DataError

from .config_errors import check_keys, check_options
from .filled_variables import check_not_filled, check_suffix


def load_config(
    path: str,
    options: Mapping[str, Any] | None = None,
    data_root: str | None = None,
    run_dir: str | None = None,
) -> Config:
    """Reads a config file.

    Two prefixes of the strings in it can be moved: that of the data, ``data_root`` of the config, and the folder that
    holds its ``work_dir``. Options come last and stay as they are given.

    Args:
        path (str): Config file.
        options (dict, optional): Values to override, with dotted keys. Defaults to None.
        data_root (str, optional): Takes the place of the config's own ``data_root`` in all strings. Defaults to None.
        run_dir (str, optional): Takes the place of the folder of ``work_dir`` in all strings. Defaults to None.

    Raises:
        DataError: If the file is missing, no ``.py`` or fails, a key is misspelt, there is no prefix to move, or an
            option names no key or would change nothing.
    """
    if not os.path.isfile(path):
        raise DataError(f'{path}: expected a config, found no such file')
    check_suffix(path)
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config is code and fails as it likes
        raise DataError(f'{path}: the config fails with {type(error).__name__}: {error}') from error
    check_keys(cfg, path)
    check_not_filled(path, options or ())
    if data_root is not None:
        move_prefix(cfg, _data_root(cfg, path), data_root)
    if run_dir is not None:
        move_prefix(cfg, run_folder(cfg, path), run_dir)
    if options:
        _merge(cfg, path, options)
    return cfg


def _merge(cfg: Config, path: str, options: Mapping[str, Any]) -> None:
    if 'data_root' in options:
        raise DataError('--cfg-options: data_root is part of paths already, expected --data-root DIR')
    check_options(cfg, options)
    try:
        cfg.merge_from_dict(dict(options))
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f'--cfg-options: {dict(options)} does not fit the config ({error})') from error


def _data_root(cfg: Config, path: str) -> str:
    root = cfg.get('data_root')
    if not isinstance(root, str) or not root.strip('/.'):
        raise DataError(f'{path}: expected data_root, which --data-root takes the place of, got {root!r}')
    return root


def run_folder(cfg: Config, path: str) -> str:
    """The folder that holds the ``work_dir`` of a config.

    Raises:
        DataError: If the config states none.
    """
    folder = os.path.dirname(str(cfg.get('work_dir') or '').rstrip('/'))
    if not folder:
        raise DataError(f'{path}: expected a work_dir such as work_dirs/run/stage, got {cfg.get("work_dir")!r}')
    return folder


def move_prefix(cfg: Config, old: str, new: str) -> None:
    """Replaces a folder by another in all strings of a config that are this folder or lie below it.

    Args:
        cfg (Config): Changed in place.
        old (str): The folder as the config writes it.
        new (str): The other folder.
    """
    old, new = old.rstrip('/'), new.rstrip('/') or '/'
    for key in list(cfg):
        cfg[key] = _moved(cfg[key], old, new)


def _moved(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        if value.rstrip('/') == old:
            return new
        return os.path.join(new, value[len(old) + 1 :]) if value.startswith(f'{old}/') else value
    if isinstance(value, list | tuple):
        return type(value)(_moved(child, old, new) for child in value)
    if isinstance(value, dict):
        for key in value:
            value[key] = _moved(value[key], old, new)
    return value
