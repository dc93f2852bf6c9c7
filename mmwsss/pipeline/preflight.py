"""Finds out before hours are spent whether the data and weights that configs name are there."""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from mmseg.registry import DATASETS

from mmwsss.datasets import ImageLabelDataset
from mmwsss.datasets.image_labels import read_image_labels
from mmwsss.fileio import DataError, check_image_id, is_remote

MAX_LISTED = 10


def check_configs(
    configs: Mapping[str, Config], made_dirs: Iterable[str] = (), skip_bad: bool = False
) -> dict[str, int]:
    """Checks the data sets and weights of steps that are about to run.

    Each photograph must be a file that OpenCV can decode by its first bytes, each listed photograph must
    have labels, each label be a class (the data set itself checks that), each mask to evaluate on be there.
    Photographs in an object storage are left to the steps: a request for each would take too long.

    Args:
        configs (dict[str, Config]): Config of each step, by name.
        made_dirs (sequence[str]): Folders that steps fill; masks and weights under them are not asked for.
        skip_bad (bool): Warn of photographs that cannot be used instead of refusing them. Defaults to False.

    Returns:
        dict[str, int]: Of the photographs that pseudo masks are made for (those of the first test data set):
        `photographs`, `labelled` and `with_masks`.

    Raises:
        DataError: If something is missing; the message lists the first ten files and what was expected.
    """
    counts: dict[str, int] = {}
    made = tuple(os.path.abspath(folder) + os.sep for folder in made_dirs)
    checked: set[str] = set()
    for name, cfg in configs.items():
        check_weights(name, cfg, made)
        with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmseg')):
            for loader in ('train_dataloader', 'test_dataloader'):
                _, samples = load_dataset(name, cfg.get(loader))
                new = [sample for sample in samples if sample['img_path'] not in checked]
                _check_photographs(name, new, skip_bad)
                checked.update(sample['img_path'] for sample in samples)
                if samples and loader == 'test_dataloader':
                    _check_masks(name, samples, made)
                    counts = counts or _count(samples)
    return counts


def load_dataset(step: str, dataloader: Mapping | None) -> tuple[BaseDataset | None, list[dict]]:
    """Builds the data set of a dataloader without its pipeline.

    Returns:
        tuple: The data set and its samples; None and no samples where there is no dataloader, or what it loads is no
        list of photographs.

    Raises:
        DataError: If the data set cannot be built or is empty.
    """
    if not dataloader:
        return None, []
    try:
        dataset = DATASETS.build({**dataloader['dataset'], 'pipeline': [], 'lazy_init': True})
        samples = dataset.load_data_list() if hasattr(dataset, 'load_data_list') else []
    except DataError:
        raise
    except (AssertionError, OSError, ValueError) as error:
        raise DataError(f'{step}: the data set cannot be loaded ({error})') from error
    except TypeError:
        # Wrappers such as RepeatDataset take neither pipeline nor lazy_init; the step itself checks them.
        return None, []
    if not samples:
        raise DataError(f'{step}: the data set has no photographs, expected at least one')
    return dataset, [sample for sample in samples if 'img_path' in sample]


def check_weights(step: str, cfg: Config, made_dirs: tuple[str, ...]) -> None:
    """Refuses a step whose weights to start from are neither there nor under a folder that steps fill."""
    for init in _pretrained(cfg.get('model')):
        checkpoint = str(init.get('checkpoint'))
        if is_remote(checkpoint) or os.path.abspath(checkpoint).startswith(made_dirs):
            continue
        if not os.path.isfile(checkpoint):
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


def _check_photographs(step: str, samples: list[dict], skip_bad: bool) -> None:
    paths = [sample['img_path'] for sample in samples if not is_remote(sample['img_path'])]
    for problem, bad in (
        ('photographs are missing', [path for path in paths if not os.path.isfile(path)]),
        ('files are no photographs', [path for path in paths if not cv2.haveImageReader(path)]),
    ):
        try:
            _refuse(step, bad, problem)
        except DataError as error:
            if not skip_bad or len(bad) == len(paths):
                raise
            print_log(f'Going on without {error}', logger='current', level=logging.WARNING)


def _check_masks(step: str, samples: list[dict], made_dirs: tuple[str, ...]) -> None:
    paths = [sample['seg_map_path'] for sample in samples if sample.get('seg_map_path')]
    given = [path for path in paths if not is_remote(path) and not os.path.abspath(path).startswith(made_dirs)]
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
        with_masks=sum(bool(sample.get('seg_map_path')) for sample in samples),
    )


def read_image_ids(settings: Mapping[str, Any]) -> list[str]:
    """Ids of the photographs that pseudo masks are made for.

    They are the lines of `train_list` (a path, or one relative to `data_root`), or without such a list all
    photographs of the data set `train_photos`, or without this all that `image_labels` has labels of.

    Raises:
        DataError: If none of these is there, or the list is empty, has an id twice, or one that is no path below a
            folder.
    """
    train_list, labels = settings.get('train_list'), settings.get('image_labels')
    if not train_list:
        if 'train_photos' in settings:
            with DefaultScope.overwrite_default_scope('mmseg'):
                photos = ImageLabelDataset(settings['train_photos'], lazy_init=True)
            return [sample['image_id'] for sample in photos.load_data_list()]
        if not labels:
            raise DataError('settings: expected a train_list or image_labels')
        return sorted(read_image_labels(labels))
    candidates = [os.path.join(str(settings.get('data_root', '')), train_list), train_list]
    path = next((path for path in candidates if os.path.isfile(path)), None)
    if path is None:
        raise DataError(f'{candidates[0]}: expected the list of training photographs, found no such file')
    try:
        lines = Path(path).read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{path}: expected a list of photographs in UTF-8 ({error})') from error
    ids = [line.strip() for line in lines if line.strip()]
    if not ids:
        raise DataError(f'{path}: expected image ids, one a line, got none')
    for image_id in ids:
        check_image_id(image_id, path)
    repeated = [image_id for image_id, count in Counter(ids).items() if count > 1]
    if repeated:
        raise DataError(f'{path}: image ids are there twice: {", ".join(repeated[:MAX_LISTED])}')
    return ids
