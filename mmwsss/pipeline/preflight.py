"""Finds out before hours are spent whether the data and weights that configs name are there."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import cv2
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmengine.registry import DefaultScope

from mmwsss.fileio import DataError, is_remote
from mmwsss.fileio.packaged_weights import SCHEME, find_packaged_weights
from mmwsss.registry import DATASETS

MAX_LISTED = 10


def check_phases(
    phases: Mapping[str, tuple[Config, Sequence[str]]], made_dirs: Iterable[str] = (), skip_bad: bool = False
) -> None:
    """Checks the data sets and weights of stages that are about to run.

    Each image must be a file that OpenCV can decode by its first bytes, each listed image must have labels, each label
    be a class (the data set itself checks that), each mask to evaluate on be there. Images in an object storage are
    left to the stages: a request for each would take too long.

    Args:
        phases (dict[str, tuple[Config, sequence[str]]]): Config of each stage and the phases that will run, by name.
        made_dirs (sequence[str]): Folders that stages fill; masks and weights under them are not asked for.
        skip_bad (bool): Warn of images that cannot be used instead of refusing them. Defaults to False.

    Raises:
        DataError: If something is missing; the message lists the first ten files and what was expected.
    """
    made = tuple(os.path.abspath(folder) + os.sep for folder in made_dirs)
    checked: set[str] = set()
    for name, (cfg, running) in phases.items():
        if 'train' in running:
            check_weights(name, cfg, made)
        for phase in running:
            _, samples = load_dataset(name, cfg.get(f'{phase}_dataloader'), cfg.get('default_scope', 'mmseg'))
            new = [sample for sample in samples if sample['img_path'] not in checked]
            _check_images(name, new, skip_bad)
            checked.update(sample['img_path'] for sample in samples)
            if phase == 'test':
                _check_masks(name, samples, made)


def load_dataset(stage: str, dataloader: Mapping | None, scope: str = 'mmseg') -> tuple[BaseDataset | None, list[dict]]:
    """Builds the data set of a data loader without its transforms.

    Args:
        stage (str): Name, for messages.
        dataloader (dict, optional): Config of the data loader.
        scope (str): Where its types without a scope are looked up. Defaults to 'mmseg'.

    Returns:
        tuple: The data set and its samples; None and no samples where there is no data loader, or what it loads is no
        list of images.

    Raises:
        DataError: If the data set cannot be built or is empty.
    """
    if not dataloader:
        return None, []
    try:
        with DefaultScope.overwrite_default_scope(scope):
            dataset = DATASETS.build({**dataloader['dataset'], 'pipeline': [], 'lazy_init': True})
            samples = dataset.load_data_list() if hasattr(dataset, 'load_data_list') else []
    except DataError:
        raise
    except (AssertionError, OSError, ValueError) as error:
        raise DataError(f'{stage}: the data set cannot be loaded ({error})') from error
    except TypeError:
        # Wrappers such as RepeatDataset take neither pipeline nor lazy_init; the stage itself checks them.
        return None, []
    if not samples:
        raise DataError(f'{stage}: the data set has no images, expected at least one')
    return dataset, [sample for sample in samples if 'img_path' in sample]


def check_weights(stage: str, cfg: Config, made_dirs: tuple[str, ...]) -> None:
    """Refuses a stage whose weights to start from are neither there nor under a folder that stages fill."""
    for init in _pretrained(cfg.get('model')):
        checkpoint = str(init.get('checkpoint'))
        if checkpoint.startswith(SCHEME):
            find_packaged_weights(checkpoint)
        if is_remote(checkpoint) or os.path.abspath(checkpoint).startswith(made_dirs):
            continue
        if not os.path.isfile(checkpoint):
            raise DataError(f'{checkpoint}: expected the weights that {stage} starts from, found no such file')


def _pretrained(value: Any) -> Iterator[Mapping]:
    if isinstance(value, Mapping):
        if value.get('type') == 'Pretrained':
            yield value
        for child in value.values():
            yield from _pretrained(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _pretrained(child)


def _check_images(stage: str, samples: list[dict], skip_bad: bool) -> None:
    paths = [sample['img_path'] for sample in samples if not is_remote(sample['img_path'])]
    for problem, bad in (
        ('images are missing', [path for path in paths if not os.path.isfile(path)]),
        ('files are no images', [path for path in paths if not cv2.haveImageReader(path)]),
    ):
        try:
            _refuse(stage, bad, problem)
        except DataError as error:
            if not skip_bad or len(bad) == len(paths):
                raise
            print_log(f'Going on without {error}', logger='current', level=logging.WARNING)


def _check_masks(stage: str, samples: list[dict], made_dirs: tuple[str, ...]) -> None:
    paths = [sample['seg_map_path'] for sample in samples if sample.get('seg_map_path')]
    given = [path for path in paths if not is_remote(path) and not os.path.abspath(path).startswith(made_dirs)]
    _refuse(stage, [path for path in given if not os.path.isfile(path)], 'masks to evaluate on are missing')


def _refuse(stage: str, paths: list[str], problem: str) -> None:
    if paths:
        listed = '\n  '.join(paths[:MAX_LISTED])
        more = f'\n  and {len(paths) - MAX_LISTED} more' if len(paths) > MAX_LISTED else ''
        raise DataError(f'{stage}: {len(paths)} {problem}:\n  {listed}{more}')


def count_images(samples: Sequence[Mapping]) -> dict[str, int]:
    """How many `images` a data set has, how many of them are `labeled`, and how many are `with_masks`."""
    return dict(
        images=len(samples),
        labeled=sum('gt_class_ids' in sample for sample in samples),
        with_masks=sum(bool(sample.get('seg_map_path')) for sample in samples),
    )
