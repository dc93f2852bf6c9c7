"""What a pipeline ends with: the ladder, all metrics, seconds and what they were computed with."""

import os
import platform
from collections.abc import Iterable, Mapping
from typing import Any

import mmcv
import mmengine
import mmseg
import numpy as np
import torch

import mmwsss

from .step import StepFolder


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
        `counts`, `skipped` (photographs that a step left out, where it did), `settings`, `versions` and
        `used_ground_truth`.
    """
    folders = {folder.step.name: folder for folder in done}
    metrics = {name: folder.metrics() for name, folder in folders.items()}
    seconds = {name: round(folder.seconds(), 1) for name, folder in folders.items()}
    return dict(
        ladder={name: metrics.get(step, {}).get(metric) for name, (step, metric) in sources.items()},
        unit='mIoU in percent',
        used_ground_truth=used_ground_truth,
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
    """The ladder as a table: name, mIoU in percent, step, and the seconds of that step."""
    rows = [('', 'mIoU', 'step', 'seconds')]
    for name, value in results['ladder'].items():
        step = sources[name][0]
        seconds = results['seconds'].get(step)
        rows.append(
            (
                name,
                '-' if value is None else f'{value:.1f}',
                step,
                '-' if seconds is None else f'{seconds:.0f}',
            )
        )
    name, value, step, seconds = (max(map(len, column)) for column in zip(*rows, strict=True))
    return '\n'.join(f'{row[0]:<{name}}  {row[1]:>{value}}  {row[2]:<{step}}  {row[3]:>{seconds}}' for row in rows)
