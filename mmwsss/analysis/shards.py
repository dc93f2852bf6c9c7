"""A test that ran in shards: the list of images cut into pieces, each a run with a work directory of its own."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmwsss.engine.launch import CONFUSIONS_FILE, METRICS_FILE
from mmwsss.fileio import DataError


class MergedShards(NamedTuple):
    """What the shards of a test counted together.

    Attributes:
        finished (list[str]): Work directories of the shards that ran to their end.
        lost (list[str]): Those of the others, which have to run again.
        classes (dict[str, list[str]]): Names of the classes, by what was measured, such as 'random_walk'.
        confusions (dict[str, ndarray]): Pixels of the finished shards, rows are the ground truth, int64 (C, C) or
            (C, C + 1).
    """

    finished: list[str]
    lost: list[str]
    classes: dict[str, list[str]]
    confusions: dict[str, np.ndarray]


def merge_shards(work_dirs: Iterable[str | Path]) -> MergedShards:
    """Adds up the confusion matrices that the shards of a test left in their work directories.

    A test writes ``metrics.json`` last: a shard without it was cut off. What it wrote is whole, and running it again
    writes the same.

    Args:
        work_dirs (iterable): Work directory of each shard.

    Raises:
        DataError: If there is none, a file is none that a test wrote, or shards measured different classes.
    """
    merged = MergedShards([], [], {}, {})
    for folder in map(Path, work_dirs):
        if not (folder / METRICS_FILE).is_file():
            merged.lost.append(str(folder))
            continue
        merged.finished.append(str(folder))
        for name, (classes, counts) in _read_confusions(folder / CONFUSIONS_FILE).items():
            known = merged.confusions.setdefault(name, np.zeros_like(counts))
            if merged.classes.setdefault(name, classes) != classes or known.shape != counts.shape:
                raise DataError(f'{folder}: {name} is of the classes {classes}, other shards of {merged.classes[name]}')
            known += counts
    if not merged.finished and not merged.lost:
        raise DataError('shards: expected work directories, got none')
    return merged


def _read_confusions(path: Path) -> dict[str, tuple[list[str], np.ndarray]]:
    try:
        recorded = json.loads(path.read_text(encoding='utf-8'))
        return {name: (one['classes'], np.array(one['counts'], np.int64)) for name, one in recorded.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f'{path}: expected the confusions that a test wrote ({error!r})') from error
