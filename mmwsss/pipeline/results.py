"""What a pipeline ends with: the ladder, all metrics, seconds and what they were computed with."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import mmcv
import mmengine
import mmseg
import numpy as np
import torch
from mmengine.config import Config

import mmwsss

from .folder import StageFolder
from .preflight import count_images
from .stages import Stage

MEASURE = 'mIoU'
# Metrics of this name are the best of several settings, as measured with the masks.
PICKED_WITH_MASKS = '_best'
_LABELS_GIVEN = (
    'Image-level labels train the classifier and gate the activation maps. Masks train nothing: they measure '
)
_LABELS_OF_MASKS = (
    'Image-level labels are read off the masks of the training images; they train the classifier and gate the '
    'activation maps. Other than that, masks train nothing: they measure '
)
_MEASURED = (
    'every mIoU here, and pick those of rungs marked *. The segmentor is measured on held-out images and sees no '
    'image-level labels there.'
)


def rungs(stage: str, metrics: Mapping[str, Any]) -> dict[str, str]:
    """Rungs of the ladder that the test of a stage makes, and their metrics.

    Each metric called ``mIoU`` or ``mIoU_best`` is one: of ``cam/mIoU`` the rung is ``cam``, of ``cam/mIoU_best`` it is
    ``cam_best``, and of ``mIoU`` it is called like the stage.
    """
    found = {}
    for metric in metrics:
        prefix, _, name = metric.rpartition('/')
        if name in (MEASURE, MEASURE + PICKED_WITH_MASKS):
            found[(prefix or stage) + name.removeprefix(MEASURE)] = metric
    return found


def summarize(
    stages: Sequence[Stage],
    done: Iterable[StageFolder],
    settings: Mapping[str, Any],
    counts: Mapping[str, int],
    images: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Collects the results of stages.

    Args:
        stages (sequence[Stage]): All stages.
        done (iterable[StageFolder]): Those that are done, in order.
        settings (dict): What was run: command, leaves, options, seeds and folders.
        counts (dict[str, int]): Images, how many have labels, how many have masks.
        images (dict[str, dict], optional): What :func:`measured_on` says of each stage. Defaults to None: nothing.

    Returns:
        dict: `ladder` (mIoU in percent, of the stages that are done), `stages` (that of each rung), `metrics`,
        `seconds`, `memory_mb` (peaks of each phase, as of :func:`mmwsss.engine.memory.note_memory`), `made_by` (code
        and machine) and `measured_on` of each stage, `counts`, `skipped` (images that a stage left out, where it did),
        `settings`, `versions`, `used_ground_truth` (which figures used masks, and what for), and `picked_with_masks`:
        the rungs that are the best of several settings.
    """
    folders = {folder.stage.name: folder for folder in done}
    ladder: dict[str, float | None] = {}
    made_by: dict[str, str] = {}
    for name, folder in folders.items():
        measured = folder.test_metrics() if 'test' in folder.stage.phases else {}
        for rung, metric in rungs(name, measured).items():
            ladder[rung], made_by[rung] = measured[metric], name
    seconds = {name: round(folder.seconds(), 1) for name, folder in folders.items()}
    return dict(
        ladder=ladder,
        stages=made_by,
        unit='mIoU in percent',
        used_ground_truth=(_LABELS_OF_MASKS if labels_are_of_masks(stages) else _LABELS_GIVEN) + _MEASURED,
        picked_with_masks=[rung for rung in ladder if rung.endswith(PICKED_WITH_MASKS)],
        metrics={name: folder.metrics() for name, folder in folders.items()},
        counts=dict(counts),
        skipped={name: len(folder.skipped()) for name, folder in folders.items() if folder.skipped()},
        seconds=dict(**seconds, total=round(sum(seconds.values()), 1)),
        memory_mb={name: folder.memory() for name, folder in folders.items()},
        made_by={name: folder.makers() for name, folder in folders.items()},
        measured_on={name: dict(found) for name, found in (images or {}).items()},
        settings=dict(settings),
        versions=versions(),
    )


def measured_on(config: Config, samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Which images the test of a stage measures.

    Args:
        config (Config): Of the stage.
        samples (sequence[dict]): Of its test data set.

    Returns:
        dict: `list`, the file of images with masks, or of all images where no list of masks is given, as the config
        writes it, None without either; `images`, how many have masks.
    """
    named = [*values(config.test_dataloader, 'mask_list'), *values(config.test_dataloader, 'ann_file')]
    return dict(list=next(filter(None, named), None), images=count_images(samples)['with_masks'])


def labels_are_of_masks(stages: Iterable[Stage]) -> bool:
    """Whether a stage reads its image-level labels from masks."""
    return any('masks' in values(stage.cfg, 'image_labels') for stage in stages)


def values(config: Any, key: str) -> list[Any]:
    """All values of a key in a config, at any depth."""
    if isinstance(config, Config):
        config = config.to_dict()
    if isinstance(config, Mapping):
        own = [config[key]] if config.get(key) is not None else []
        return own + [value for child in config.values() for value in values(child, key)]
    if isinstance(config, list | tuple):
        return [value for child in config for value in values(child, key)]
    return []


def versions() -> dict[str, str | int]:
    """Versions of what computed the results, and the device."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    return dict(
        mmwsss=mmwsss.__version__,
        mmseg=mmseg.__version__,
        mmcv=mmcv.__version__,
        mmengine=mmengine.__version__,
        torch=torch.__version__,
        numpy=np.__version__,
        python=platform.python_version(),
        device=device,
        cpus=os.cpu_count() or 1,
    )


def format_table(results: Mapping[str, Any]) -> str:
    """The ladder as a table: name, mIoU in percent, stage, and the seconds of that stage; * marks what masks picked."""
    rows = [('', 'mIoU', 'stage', 'seconds')]
    picked = results['picked_with_masks']
    for name, value in results['ladder'].items():
        stage = results['stages'][name]
        rows.append(
            (
                f'{name} *' if name in picked else name,
                '-' if value is None else f'{value:.1f}',
                stage,
                f'{results["seconds"][stage]:.0f}',
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ['{:<{}}  {:>{}}  {:<{}}  {:>{}}'.format(*chain(*zip(row, widths, strict=True))) for row in rows]
    return '\n'.join([*lines, *(['* of several settings the best one, picked with the masks'] if picked else [])])
