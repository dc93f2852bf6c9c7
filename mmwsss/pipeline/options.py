"""Options of a pipeline: ``STAGE.key=value``."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from mmengine.config import DictAction

from mmwsss.fileio import DataError

# Keys that a flag moves in all stages at once.
_FLAGS = {'data_root': '--data-root DIR', 'work_dir': '--run-dir DIR'}


def options_by_stage(options: Iterable[str], stages: Sequence[str]) -> dict[str, list[str]]:
    """Sorts options by the stage that they name.

    Args:
        options (iterable[str]): Such as ``'cam.train_cfg.max_iters=6'``.
        stages (sequence[str]): Names.

    Returns:
        dict[str, list[str]]: ``key=value`` as it was given, by stage; all stages are there.

    Raises:
        DataError: If an option has no value, names no stage, or is a folder that a flag moves.
    """
    found: dict[str, list[str]] = {name: [] for name in stages}
    for option in options:
        key, equals, _ = option.partition('=')
        stage, _, rest = key.partition('.')
        if not equals:
            raise DataError(f'--cfg-options: expected STAGE.key=value, got {option!r}')
        for name, flag in _FLAGS.items():
            if key == name or (stage in found and rest == name):
                raise DataError(f'--cfg-options: {key} is part of paths already, expected {flag}')
        if stage not in found or not rest:
            expected = ', '.join(f'{name}.{key}' for name in stages)
            raise DataError(f'--cfg-options: {option} names no stage, expected one of {expected}')
        found[stage].append(option.partition('.')[2])
    return found


def parse_options(options: Sequence[str]) -> dict[str, Any]:
    """Values of ``key=value``, as ``--cfg-options`` of the other tools reads them."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument('--options', nargs='+', action=DictAction, default={})
    try:
        return parser.parse_args(['--options', *options]).options if options else {}
    except (argparse.ArgumentError, ValueError, AssertionError) as error:
        raise DataError(f'--cfg-options: {" ".join(options)} cannot be read ({error})') from error
