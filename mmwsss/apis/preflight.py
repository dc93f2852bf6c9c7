"""Finds out before hours are spent whether the data and weights that configs name are there."""
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import cv2
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.registry import DATASETS

from mmwsss.fileio import DataError

MAX_LISTED = 10


def check_configs(configs: Mapping[str, Config], made_dirs: Iterable[str] = ()) -> dict[str, int]:
    """Checks the data sets and weights of steps that are about to run.

    Each photograph must be a file that OpenCV can decode by its first bytes, each listed photograph must have
    labels and each label be a class (the data set itself checks that), each mask to evaluate on must be there.

    Args:
        configs (dict[str, Config]): Config of each step, by name.
        made_dirs (sequence[str]): Folders that steps fill; masks under them are not asked for.

    Returns:
        dict[str, int]: Of the photographs that pseudo masks are made for (those of the first test data set):
        `photographs`, `labelled` and `with_masks`.

    Raises:
        DataError: If something is missing; the message lists the first ten files and what was expected.
    """
    counts: dict[str, int] = {}
    checked = set()
    for name, cfg in configs.items():
        _check_weights(name, cfg)
        with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmseg')):
            for loader in ('train_dataloader', 'test_dataloader'):
                samples = _load_samples(name, cfg.get(loader))
                _check_photographs(name, [sample for sample in samples if sample['img_path'] not in checked])
                checked.update(sample['img_path'] for sample in samples)
                if loader == 'test_dataloader':
                    _check_masks(name, samples, tuple(os.path.abspath(folder) + os.sep for folder in made_dirs))
                    counts = counts or _count(samples)
    return counts


def _load_samples(step: str, dataloader: Mapping | None) -> list[dict]:
    if not dataloader:
        return []
    try:
        dataset = DATASETS.build({**dataloader['dataset'], 'pipeline': [], 'lazy_init': True})
        samples = dataset.load_data_list() if hasattr(dataset, 'load_data_list') else []
    except DataError:
        raise
    except (AssertionError, OSError, ValueError) as error:
        raise DataError(f'{step}: the data set cannot be loaded ({error})') from error
    except TypeError:
        # Wrappers such as RepeatDataset take neither pipeline nor lazy_init; the step itself checks them.
        return []
    if not samples:
        raise DataError(f'{step}: the data set has no photographs, expected at least one')
    return [sample for sample in samples if 'img_path' in sample]


def _check_weights(step: str, cfg: Config) -> None:
    for init in _pretrained(cfg.get('model')):
        checkpoint = init.get('checkpoint')
        if not isinstance(checkpoint, str) or ('://' not in checkpoint and not os.path.isfile(checkpoint)):
            raise DataError(f'{checkpoint}: expected the weights that {step} starts from, found no such file')


def _pretrained(value: Any) -> Iterator[Mapping]:
    if isinstance(value, Mapping):
        if value.get('type') == 'Pretrained':
            yield value
        for child in value.values():
            yield from _pretrained(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _pretrained(child)


def _check_photographs(step: str, samples: list[dict]) -> None:
    paths = [sample['img_path'] for sample in samples]
    missing = [path for path in paths if not os.path.isfile(path)]
    _refuse(step, missing, 'photographs are missing')
    _refuse(step, [path for path in paths if not cv2.haveImageReader(path)], 'files are no photographs')


def _check_masks(step: str, samples: list[dict], made_dirs: tuple[str, ...]) -> None:
    paths = [sample['seg_map_path'] for sample in samples if sample.get('seg_map_path')]
    given = [path for path in paths if not os.path.abspath(path).startswith(made_dirs or ('\0', ))]
    _refuse(step, [path for path in given if not os.path.isfile(path)], 'masks to evaluate on are missing')


def _refuse(step: str, paths: list[str], problem: str) -> None:
    if paths:
        listed = '\n  '.join(paths[:MAX_LISTED])
        more = f'\n  and {len(paths) - MAX_LISTED} more' if len(paths) > MAX_LISTED else ''
        raise DataError(f'{step}: {len(paths)} {problem}:\n  {listed}{more}')


def _count(samples: list[dict]) -> dict[str, int]:
    return dict(
        photographs=len(samples),
        labelled=sum('gt_label' in sample for sample in samples),
        with_masks=sum(bool(sample.get('seg_map_path')) for sample in samples))
