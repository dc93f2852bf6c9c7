"""Tries settings of steps 2 and 4 over stored seeds and affinities, without running a network."""

import csv
import io
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from mmwsss.evaluation.functional.confusion import (
    class_ious,
    classes_of_ground_truth,
    confusion_matrix,
    mean_iou,
    read_ground_truth,
)
from mmwsss.fileio import DataError, atomic_write, read_affinity, read_seeds
from mmwsss.models import (
    ArgmaxLabeler,
    Background,
    DenseCRF,
    LabelChain,
    RandomWalk,
    RefineContext,
    Refiner,
)
from mmwsss.processes import worker_pool
from mmwsss.structures import ScoreMaps, affinity_of_file
from mmwsss.visualization.progress_bar import track


class Crf(NamedTuple):
    """Settings of :func:`mmwsss.ops.dense_crf`."""

    num_iters: int
    bilateral: tuple[float, float, float]

    def __str__(self) -> str:
        return f'{self.num_iters}:' + ','.join(f'{value:g}' for value in self.bilateral)


class Setting(NamedTuple):
    """One way to make masks of seeds.

    Attributes:
        alpha (float | None): Exponent of the background score.
        background (float | None): Constant background score in the place of alpha.
        beta (float | None): Exponent of the affinities; None without a random walk.
        num_steps (int | None): Steps of the walk.
        crf (Crf | None): Final dense CRF.
    """

    alpha: float | None = None
    background: float | None = None
    beta: float | None = None
    num_steps: int | None = None
    crf: Crf | None = None


@dataclass(frozen=True)
class SweepImage:
    """Files of one image.

    Attributes:
        seed_path (str): Seeds.
        affinity_path (str | None): Affinities; None where no setting walks.
        img_path (str): Image, for the dense CRF.
        seg_map_path (str): True mask.
        label_map (dict | None): What its indices mean, as :func:`read_ground_truth` takes it.
    """

    seed_path: str
    affinity_path: str | None
    img_path: str
    seg_map_path: str
    label_map: Mapping[int, int] | None = None


def combine_settings(
    alphas: Sequence[float] = (),
    backgrounds: Sequence[float] = (),
    betas: Sequence[float] = (),
    num_steps: Sequence[int] = (),
) -> list[Setting]:
    """All combinations, with and without a walk; the dense CRF is left out.

    Raises:
        DataError: If a value is out of range, or there is no background at all.
    """
    for name, values, valid in (
        ('alpha', alphas, lambda value: value > 0),
        ('background score', backgrounds, lambda value: 0 <= value <= 1),
        ('beta', betas, lambda value: value > 0),
        ('number of steps', num_steps, lambda value: value > 0),
    ):
        wrong = [value for value in values if not valid(value)]
        if wrong:
            raise DataError(f'{name} must be positive, a score in [0, 1], got {wrong[0]}')
    levels = [Setting(alpha=value) for value in alphas] + [Setting(background=value) for value in backgrounds]
    if not levels:
        raise DataError('expected at least one alpha or background score')
    walks = itertools.product(betas, num_steps, levels)
    return levels + [level._replace(beta=beta, num_steps=steps) for beta, steps, level in walks]


def samples_to_sweep(samples: Iterable[dict], affinity_dir: str | Path | None) -> list[SweepImage]:
    """The images of an :class:`ImageLabelDataset` that have a mask.

    Raises:
        DataError: If none has one.
    """
    images = []
    for sample in samples:
        if sample.get('seg_map_path') is None:
            continue
        affinity = None if affinity_dir is None else os.path.join(affinity_dir, f'{sample["image_id"]}.npz')
        truth = (sample['seg_map_path'], classes_of_ground_truth(sample))
        images.append(SweepImage(sample['seed_path'], affinity, sample['img_path'], *truth))
    if not images:
        raise DataError('a sweep compares settings by masks, but no image has one')
    return images


def chain_of(setting: Setting) -> LabelChain:
    """The label chain of a setting: a walk and the background, in their order, then the dense CRF."""
    refiners: list[Refiner] = []
    if setting.beta is not None and setting.num_steps is not None:
        refiners.append(RandomWalk(setting.beta, setting.num_steps, setting.alpha))
    refiners.append(Background(setting.background, None if setting.background is not None else setting.alpha))
    if setting.crf is not None:
        refiners.append(DenseCRF(setting.crf.num_iters, bilateral=setting.crf.bilateral))
    return LabelChain(ArgmaxLabeler(), refiners)


def sweep_image(image: SweepImage, settings: Sequence[Setting], num_classes: int) -> np.ndarray:
    """Confusion matrices of one image under every setting.

    Args:
        image (SweepImage): Its files.
        settings (sequence[Setting]): What to try.
        num_classes (int): Number of classes C, with the background.

    Returns:
        ndarray: int64 (S, C, C + 1), rows are the ground truth.

    Raises:
        DataError: If a file is missing or unusable.
    """
    seeds = read_seeds(image.seed_path)
    truth = read_ground_truth(image.seg_map_path, seeds.size, num_classes, image.label_map)
    affinity = None
    if any(setting.beta is not None for setting in settings):
        if image.affinity_path is None:
            raise DataError(f'{settings[0]}: a setting that walks needs affinities, but their folder is not given')
        affinity = affinity_of_file(read_affinity(image.affinity_path))
    context = RefineContext([image.img_path], affinity)
    maps = ScoreMaps.of_seeds(seeds, with_background=True)
    if maps.has_background:
        raise DataError(
            f'{image.seed_path}: expected class maps without the background, whose score a sweep tries; for seeds of a '
            'segmentor, try chains with tools/refine.py'
        )
    confusions = np.zeros((len(settings), num_classes, num_classes + 1), np.int64)
    begun: dict[Setting, tuple[ScoreMaps, ...]] = {}
    for place, setting in enumerate(settings):
        # Settings that differ in the dense CRF alone share the maps before it.
        plain = setting._replace(crf=None)
        result = chain_of(setting)(begun.get(plain, (maps,)), context)
        begun[plain] = result.maps if setting.crf is None else result.maps[:-1]
        confusions[place] = confusion_matrix(truth, result.labels.best[0].numpy(), num_classes)
    return confusions


def run_sweep(
    images: Sequence[SweepImage], settings: Sequence[Setting], num_classes: int, num_workers: int = 0
) -> np.ndarray:
    """Add up :func:`sweep_image` over images, in processes and under a progress bar with the time left.

    A process holds one image at a time.

    Args:
        images (sequence[SweepImage]): What to sweep over.
        settings (sequence[Setting]): What to try, each once.
        num_classes (int): Number of classes C, with the background.
        num_workers (int): Processes; 0 works in this one. Defaults to 0.

    Returns:
        ndarray: int64 (S, C, C + 1).

    Raises:
        DataError: The first one of any image.
    """
    sweep = partial(sweep_image, settings=list(settings), num_classes=num_classes)
    total = np.zeros((len(settings), num_classes, num_classes + 1), np.int64)
    if num_workers == 0:
        for counts in track(map(sweep, images), len(images)):
            total += counts
        return total
    with worker_pool(num_workers) as pool:
        try:
            for counts in track(pool.map(sweep, images), len(images)):
                total += counts
        finally:
            pool.shutdown(cancel_futures=True)
    return total


def sweep_rows(settings: Sequence[Setting], confusions: Sequence[np.ndarray], classes: Sequence[str]) -> list[dict]:
    """A row of figures in percent for each setting, the best first.

    Every order and choice among the rows is one made with masks; ``rank_picked_with_masks`` says so.
    """
    miou = mean_iou(np.stack(confusions))
    rows = []
    for rank, index in enumerate(np.argsort(-miou, kind='stable'), 1):
        setting = settings[index]
        rows.append(
            dict(
                rank_picked_with_masks=rank,
                maps='CAM' if setting.beta is None else 'random walk',
                **setting._asdict(),
                mIoU=round(float(miou[index]), 3),
                **{f'IoU {name}': round(float(iou), 2) for name, iou in zip(classes, class_ious(confusions[index]))},
            )
        )
    return rows


def refined_settings(rows: Sequence[dict], crfs: Sequence[Crf], count: int) -> list[Setting]:
    """The best settings of the CAMs and of the walk, ``count`` of each, with every dense CRF: picked with masks."""
    settings = []
    for maps in ('CAM', 'random walk'):
        best = [row for row in rows if row['maps'] == maps][:count]
        plain = [Setting(**{name: row[name] for name in Setting._fields}) for row in best]
        settings += [setting._replace(crf=crf) for setting in plain for crf in crfs]
    return settings


def sweep_table(rows: Sequence[dict], count: int = 20) -> str:
    """The first rows as they are printed."""
    lines = ['rank  maps         alpha  background   beta  steps  dense CRF           mIoU']
    for row in rows[:count]:
        cells = ['-' if row[name] is None else str(row[name]) for name in Setting._fields]
        alpha, background, beta, steps, crf = cells
        lines.append(
            f'{row["rank_picked_with_masks"]:4}  {row["maps"]:11}  {alpha:>5}  {background:>10}  {beta:>5}  '
            f'{steps:>5}  {crf:18} {row["mIoU"]:5.2f}'
        )
    more = [f'and {len(rows) - count} more'] if len(rows) > count else []
    return '\n'.join([*lines, *more, 'Ranked with masks: whatever is taken from the top was picked with ground truth.'])


def write_rows(path: str | Path, rows: Sequence[dict]) -> None:
    """Write rows as CSV, an empty cell where a setting does not apply."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, rows[0], lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    atomic_write(path, buffer.getvalue().encode())


def write_plot(path: str | Path, rows: Sequence[dict]) -> None:
    """Draw mIoU over alpha and over the constant background score, a line for each walk and dense CRF.

    Args:
        path (str | Path): Target, ``.png`` or ``.svg``.
        rows (sequence[dict]): As of :func:`sweep_rows`.
    """
    axis_labels = {'alpha': 'exponent alpha of the background', 'background': 'constant background score'}
    axes_wanted = [name for name in axis_labels if any(row[name] is not None for row in rows)]
    figure = Figure(figsize=(5.6 * len(axes_wanted), 5.2), layout='constrained')
    for place, name in enumerate(axes_wanted, 1):
        axes = figure.add_subplot(1, len(axes_wanted), place)
        lines: dict[tuple, list[dict]] = {}
        for row in rows:
            if row[name] is not None:
                lines.setdefault((row['maps'], row['beta'], row['num_steps'], row['crf']), []).append(row)
        for (maps, beta, steps, crf), members in sorted(lines.items(), key=lambda item: -item[1][0]['mIoU']):
            members = sorted(members, key=lambda row: row[name])
            label = maps if beta is None else f'walk, beta {beta:g}, {steps} steps'
            label += '' if crf is None else f', CRF {crf}'
            values, figures = [row[name] for row in members], [row['mIoU'] for row in members]
            axes.plot(values, figures, label=label, marker='o', markersize=3, linestyle='-' if crf is None else '--')
        axes.set(
            xlabel=axis_labels[name],
            ylabel='mIoU in percent',
            title='compared by masks: a choice is one with ground truth',
        )
        axes.grid(color='#e3e6ea')
        axes.legend(fontsize=7, frameon=False, loc='upper center', bbox_to_anchor=(0.5, -0.14), ncols=2)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=Path(path).suffix.lstrip('.'), dpi=120)
    atomic_write(path, buffer.getvalue())
