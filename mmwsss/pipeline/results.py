"""What a pipeline ends with: the ladder, all metrics, seconds and what they were computed with."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import mmcv
import mmengine
import mmseg
import numpy as np
import torch
from mmengine.config import Config

import mmwsss
from mmwsss.evaluation.functional.verdict import judge, last_of_kind, pseudo_masks

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
    image_labels: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Collects the results of stages.

    Args:
        stages (sequence[Stage]): All stages.
        done (iterable[StageFolder]): Those that are done, in order.
        settings (dict): What was run: command, leaves, options, seeds and folders.
        counts (dict[str, int]): Images, how many have labels, how many have masks.
        images (dict[str, dict], optional): What :func:`measured_on` says of each stage. Defaults to None: nothing.
        image_labels (dict, optional): What :func:`describe_image_labels` says of the labels. Defaults to None.

    Returns:
        dict: `ladder` (mIoU in percent, of the stages that are done), `stages` (that of each rung), `metrics`,
        `seconds`, `memory_mb` (peaks of each phase, as of :func:`mmwsss.engine.memory.note_memory`), `made_by` (code
        and machine) and `measured_on` of each stage, `counts`, `skipped` (images that a stage left out, where it did),
        `settings`, `versions`, `used_ground_truth` (which figures used masks, and what for), `picked_with_masks`: the
        rungs that are the best of several settings, `without_masks`: what each stage measured without masks, by name,
        and `verdict` on that: `line`, `usable`, `notes`, and `images` to look at with the reasons.
    """
    folders = {folder.stage.name: folder for folder in done}
    ladder: dict[str, float | None] = {}
    made_by: dict[str, str] = {}
    for name, folder in folders.items():
        measured = folder.test_metrics() if 'test' in folder.stage.phases else {}
        for rung, metric in rungs(name, measured).items():
            ladder[rung], made_by[rung] = measured[metric], name
    statistics = {name: folder.statistics() for name, folder in folders.items()}
    seconds = {name: round(folder.seconds(), 1) for name, folder in folders.items()}
    return dict(
        ladder=ladder,
        stages=made_by,
        unit='mIoU in percent',
        used_ground_truth=(_LABELS_OF_MASKS if labels_are_of_masks(stages) else _LABELS_GIVEN) + _MEASURED,
        picked_with_masks=[rung for rung in ladder if rung.endswith(PICKED_WITH_MASKS)],
        metrics={name: folder.metrics() for name, folder in folders.items()},
        without_masks={name: measured for name, measured in statistics.items() if measured},
        verdict=_verdict(statistics, image_labels),
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


def _verdict(statistics: Mapping[str, Mapping[str, Any]], image_labels: Mapping[str, Any] | None) -> dict[str, Any]:
    # Stages of several rounds measure under the same names.
    records = {f'{stage}/{name}': one for stage, measured in statistics.items() for name, one in measured.items()}
    if image_labels is not None:
        records['image_labels'] = dict(image_labels, kind='image_labels')
    verdict = judge(records)
    return dict(line=verdict.line, usable=verdict.usable, notes=list(verdict.notes), images=dict(verdict.images))


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
    """The ladder as a table: name, mIoU in percent, stage, and the seconds of that stage; * marks what masks picked.

    Where no mask measured anything, the table has the stages and their seconds.
    """
    rows: list[tuple[str, ...]] = [('', 'mIoU', 'stage', 'seconds')]
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
    if not results['ladder']:
        rows = [('stage', 'seconds'), *((name, f'{seconds:.0f}') for name, seconds in results['seconds'].items())]
    return '\n'.join(
        [*aligned(rows), *(['* of several settings the best one, picked with the masks'] if picked else [])]
    )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, whose numbers are on the right."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [all(not one or one[0].isdigit() or one == '-' for one in column[1:]) for column in columns]
    lines = []
    for row in rows:
        cells = zip(row, widths, right, strict=True)
        lines.append('  '.join(f'{cell:{">" if number else "<"}{width}}' for cell, width, number in cells).rstrip())
    return lines


class ClassRow(NamedTuple):
    """What is known of a class without masks.

    Attributes:
        name (str): The class.
        precision (float, optional): Average precision of the classifier on held-out images, in percent.
        guessed (float, optional): What guessing gives.
        share (float, optional): Its share of the pseudo masks, in percent.
        tagged (int, optional): Images that have its label.
        found (int, optional): Those of them whose pseudo mask has it.
        f1 (float, optional): F1 of the label in the segmentor's masks of held-out images, in percent.
    """

    name: str
    precision: float | None = None
    guessed: float | None = None
    share: float | None = None
    tagged: int | None = None
    found: int | None = None
    f1: float | None = None


CLASS_HEADS = ('class', 'AP', 'guessing', 'share', 'images', 'in mask', 'F1')


def class_rows(results: Mapping[str, Any]) -> list[ClassRow]:
    """A row for each class, and one for the background, of what was measured without masks; None where it was not.

    Of several rounds, the last one counts, as for the verdict.
    """
    records = [one for measured in results['without_masks'].values() for one in measured.values()]
    numbered = {str(number): one for number, one in enumerate(records)}
    classifier, segmentor = (last_of_kind(numbered, kind) or {} for kind in ('classifier', 'segmentor'))
    masks = pseudo_masks(numbered) or {}
    known = [one.get('classes', {}) for one in (classifier, masks, segmentor)]
    rows = [ClassRow('background', share=masks['background'])] if masks.get('background') is not None else []
    for name in dict.fromkeys(name for classes in known for name in classes):
        scored, labeled, predicted = (classes.get(name, {}) for classes in known)
        rows.append(
            ClassRow(
                name,
                scored.get('AP'),
                scored.get('guessed'),
                labeled.get('share'),
                labeled.get('tagged'),
                labeled.get('both'),
                predicted.get('F1'),
            )
        )
    return rows


def findings(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was measured without masks, in words, each with what it is about."""
    found = []
    for stage, measured in results['without_masks'].items():
        for name, one in measured.items():
            match one['kind']:
                case 'classifier':
                    text = f'mAP {one["mAP"]:.1f}, guessing {one["guessed"]:.1f}, on {one["images"]} held-out images'
                case 'labels':
                    text = _labels_in_words(one)
                case 'segmentor':
                    text = _segmentor_in_words(one)
                case _:
                    text = f'on {one["images"]} training images'
            found.append((f'{stage}: {name}', text))
            agreed = {other: iou for other, iou in (one.get('agreement') or {}).items() if iou is not None}
            if agreed:
                listed = ', '.join(f'{other} {iou:.1f}' for other, iou in agreed.items())
                found.append(('', f'agrees with {listed} (mIoU)'))
    return found


def _labels_in_words(one: Mapping[str, Any]) -> str:
    parts = [f'{one["images"]} images', f'{one["confident"]:.1f} % of the pixels are sure']
    if one['background'] is not None:
        parts.append(f'{one["background"]:.1f} % of these are background')
    parts.append(f'{one["empty"]} masks are empty')
    if one['background'] is not None:
        parts.append(f'{one["full"]} are full')
    return ', '.join(parts)


def _segmentor_in_words(one: Mapping[str, Any]) -> str:
    scores = ', '.join(f'{name} {one[name]:.1f}' for name in ('F1', 'precision', 'recall') if one[name] is not None)
    background = '' if one['background'] is None else f', {one["background"]:.1f} % background'
    return f'labels in the masks of {one["images"]} held-out images: {scores or "none"}{background}'


def format_without_masks(results: Mapping[str, Any], listed: str | None = None) -> str:
    """What was measured without masks as text: a line for each finding, a table of the classes, and the verdict.

    Args:
        results (dict): Of :func:`summarize`.
        listed (str, optional): File that lists the images to look at. Defaults to None: there are none.

    Returns:
        str: Several lines; empty where nothing was measured.
    """
    if not results['without_masks']:
        return ''
    rows = [[row.name, *map(_cell, row[1:])] for row in class_rows(results)]
    lines = ['Measured without masks, in percent', *aligned([('', ''), *findings(results)])[1:]]
    if rows:
        lines += ['', *aligned([CLASS_HEADS, *rows])]
    verdict = results['verdict']
    lines += ['', f'Verdict: {verdict["line"]}', *(f'Note: {note}' for note in verdict['notes'])]
    if listed:
        lines.append(f'To look at: {len(verdict["images"])} images, listed in {listed}')
    return '\n'.join(lines)


def _cell(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}' if isinstance(value, float) else str(value)
