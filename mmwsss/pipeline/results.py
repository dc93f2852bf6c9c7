"""What a pipeline ends with: the ladder, all metrics, seconds and what they were computed with."""

import os
import platform
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import mmcv
import mmengine
import mmseg
import numpy as np
import torch

import mmwsss

from .folder import StepFolder

# Metrics of this name are the best of several settings, as measured with the masks.
PICKED_WITH_MASKS = '_best'


def summarise(
    done: Iterable[StepFolder],
    sources: Mapping[str, tuple[str, str]],
    settings: Mapping[str, Any],
    counts: Mapping[str, int],
    used_ground_truth: str | None = None,
) -> dict[str, Any]:
    """Collects the results of steps.

    Args:
        done (iterable[StepFolder]): The steps that are done.
        sources (dict[str, tuple[str, str]]): Step and metric of each rung of the ladder.
        settings (dict): The settings of the run.
        counts (dict[str, int]): Photographs, how many have labels, how many have masks.
        used_ground_truth (str, optional): Which figures used masks, and what for. Defaults to None.

    Returns:
        dict: `ladder` (mIoU in percent, None where a step is not done), `metrics` and `seconds` of each step,
        `counts`, `skipped` (photographs that a step left out, where it did), `settings`, `versions`,
        `used_ground_truth`, and `picked_with_masks`: the rungs that are the best of several settings.
    """
    folders = {folder.step.name: folder for folder in done}
    metrics = {name: folder.metrics() for name, folder in folders.items()}
    seconds = {name: round(folder.seconds(), 1) for name, folder in folders.items()}
    return dict(
        ladder={name: metrics.get(step, {}).get(metric) for name, (step, metric) in sources.items()},
        unit='mIoU in percent',
        used_ground_truth=used_ground_truth,
        picked_with_masks=[name for name, (_, metric) in sources.items() if metric.endswith(PICKED_WITH_MASKS)],
        metrics=metrics,
        counts=dict(counts),
        skipped={name: len(folder.skipped()) for name, folder in folders.items() if folder.skipped()},
        seconds=dict(**seconds, total=round(sum(seconds.values()), 1)),
        settings=dict(settings),
        versions=versions(),
    )


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


def format_table(results: Mapping[str, Any], sources: Mapping[str, tuple[str, str]]) -> str:
    """The ladder as a table: name, mIoU in percent, step, and the seconds of that step; * marks what masks picked."""
    rows = [('', 'mIoU', 'step', 'seconds')]
    picked = results['picked_with_masks']
    for name, value in results['ladder'].items():
        step = sources[name][0]
        seconds = results['seconds'].get(step)
        rows.append(
            (
                f'{name} *' if name in picked else name,
                '-' if value is None else f'{value:.1f}',
                step,
                '-' if seconds is None else f'{seconds:.0f}',
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ['{:<{}}  {:>{}}  {:<{}}  {:>{}}'.format(*chain(*zip(row, widths, strict=True))) for row in rows]
    return '\n'.join([*lines, *(['* of several settings the best one, picked with the masks'] if picked else [])])
