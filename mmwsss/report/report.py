"""Puts a report together from the work directory of a pipeline."""
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from mmwsss.evaluation.confusion import class_ious, mean_iou
from mmwsss.evaluation.seed_metric import NUM_BINS, sweep_confusions
from mmwsss.fileio import atomic_write

from . import charts
from .page import chart, folded, gallery, page, table
from .panels import make_panel, read_palette, write_sheet
from .photographs import Measured, Photograph, choose_panels, load_photographs, measure, sample_evenly

REPORT_FILE = 'report/index.html'
SHEET_FILE = 'report/panels.png'
NUM_PANELS = 24
MAX_MEASURED = 1500
_RUNGS = dict(
    cam='CAM', cam_best='CAM, best background score', cam_dcrf='CAM + dCRF', random_walk='random walk',
    random_walk_dcrf='random walk + dCRF', segmentor='segmentor')
_PICKED = ('cam_best', )


def write_report(work_dir: str | Path, settings: Mapping[str, Any], results: Mapping[str, Any]) -> Path:
    """Writes the report of a pipeline run.

    It opens from disk without a network. What a run has not made is left out. Beside it lies `panels.png`,
    the same panels as one picture.

    Args:
        work_dir (str | Path): Work directory of the pipeline, with the folders of its steps.
        settings (dict): Settings of the run: `classes`, `seed_dir`, `affinity_label_dir`, `pseudo_mask_dir`,
            `background_score` and `with_background` are used where they are there.
        results (dict): What the run ended with: `ladder`, `metrics`, `seconds`, `counts`, `versions`,
            `used_ground_truth`.

    Returns:
        Path: The HTML file, `<work_dir>/report/index.html`.

    Raises:
        DataError: If a photograph, a mask or seeds cannot be read.
    """
    work_dir = Path(work_dir)
    sections = [('ladder', 'Ladder', _ladder(results))]
    classes = list(settings.get('classes', ()))
    photographs = load_photographs(work_dir, results['metrics'], settings) if classes else []
    if photographs:
        candidates = [photograph for photograph in photographs if photograph.truth_path is not None]
        sampled = sample_evenly(candidates, MAX_MEASURED)
        measured, counts = measure(sampled, len(classes), settings.get('background_score', 0.0),
                                   settings.get('with_background', True))
        if measured:
            note = f'Measured on the true masks of {len(measured)} photographs'
            note += f', picked at random from {len(candidates)}.' if len(sampled) < len(candidates) else '.'
            sections += _measurements(measured, counts, settings, classes, f'<p class="soft">{note}</p>')
        sections.append(('gallery', 'Photographs', _gallery(work_dir, photographs, measured, settings)))
    sections += _trainings(work_dir, results['metrics'])
    sections.append(('seconds', 'Time and disk', _costs(work_dir, results, settings)))
    sections.append(('settings', 'Settings and versions', _settings(settings, results)))
    path = work_dir / REPORT_FILE
    atomic_write(path, page(f'{work_dir.name}: report', _introduction(results), sections).encode())
    return path


def _introduction(results: Mapping[str, Any]) -> str:
    counts = ', '.join(f'{number} {name.replace("_", " ")}' for name, number in results['counts'].items())
    parts = [f'<p>{escape(counts)}</p>' if counts else '']
    if results.get('used_ground_truth'):
        parts.append(f'<p class="soft">What used ground truth: {escape(results["used_ground_truth"])}</p>')
    return ''.join(parts)


def _ladder(results: Mapping[str, Any]) -> str:
    rungs = {_RUNGS.get(name, name.replace('_', ' ')): value for name, value in results['ladder'].items()}
    picked = [_RUNGS[name] for name in _PICKED]
    listed = ', '.join(f'{name} {"not measured" if value is None else f"{value:.1f}"}'
                       for name, value in rungs.items())
    note = '<p class="soft">mIoU in percent. The hatched bar picked its background score with masks.</p>'
    return chart(charts.draw_ladder(rungs, picked), f'Bar chart of mIoU in percent: {listed}') + note


def _measurements(measured: list[Measured], counts: np.ndarray, settings: Mapping[str, Any],
                  classes: list[str], note: str) -> list[tuple[str, str, str]]:
    sections = []
    if settings.get('with_background', True):
        curve = mean_iou(sweep_confusions(counts))
        scores = [index / NUM_BINS for index in range(NUM_BINS + 1)]
        best = int(np.nanargmax(curve))
        description = (f'Curve of the mIoU of the CAMs over the background score; best {curve[best]:.1f} at '
                       f'{scores[best]:.2f}')
        drawn = charts.draw_sweep(scores, curve, settings.get('background_score', 0.0))
        sections.append(('sweep', 'CAM mIoU by background score', chart(drawn, description) + note))
    series = {'CAM': class_ious(sum(one.cam for one in measured))}
    masks = [one.pseudo_mask for one in measured if one.pseudo_mask is not None]
    if masks:
        series['pseudo mask'] = class_ious(sum(masks))
    rows = [(name, *map(float, values)) for name, *values in zip(classes, *series.values(), strict=True)]
    listed = '; '.join(f'{name} ' + ' to '.join(f'{value:.0f}' for value in values) for name, *values in rows)
    bars = chart(charts.draw_class_bars(classes, series), f'Bar chart of the IoU of each class: {listed}')
    numbers = folded('Numbers', table(['class', *(f'IoU of {name}' for name in series)], rows))
    sections.append(('classes', 'IoU of each class', bars + note + numbers))
    if masks:
        drawn = charts.draw_confusion(sum(masks), classes)
        description = 'Confusion matrix of the pseudo masks: percent of the pixels of each true class'
        sections.append(('confusion', 'Confusion of the pseudo masks', chart(drawn, description) + note))
    return sections


def _gallery(work_dir: Path, photographs: list[Photograph], measured: list[Measured],
             settings: Mapping[str, Any]) -> str:
    reasons = choose_panels(photographs, measured, NUM_PANELS)
    by_id = {photograph.image_id: photograph for photograph in photographs}
    chosen = [by_id[image_id] for image_id in reasons]
    written = [path for one in chosen for path in (one.pseudo_mask_path, one.affinity_label_path)]
    made = [path for path in written if path.is_file()]
    if not made:
        return '<p>No step has made masks yet.</p>'
    palette = read_palette(made[0])
    panels = [make_panel(photograph, len(settings['classes']), palette) for photograph in chosen]
    write_sheet(work_dir / SHEET_FILE, panels, palette)
    scores = {one.photograph.image_id: (one.before, one.after) for one in measured}
    return gallery(panels, reasons, scores, list(settings['classes']), palette,
                   settings.get('with_background', True))


def _trainings(work_dir: Path, steps: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    drawn = []
    for step in steps:
        losses = read_losses(work_dir / step)
        if losses:
            ends = ', '.join(f'{name} ends at {values[-1]:.3f}' for name, (_, values) in losses.items())
            drawn.append(chart(charts.draw_losses(losses, step), f'Training losses of {step}: {ends}'))
    return [('training', 'Training', f'<div class="columns">{"".join(drawn)}</div>')] if drawn else []


def read_losses(folder: Path) -> dict[str, tuple[list[int], list[float]]]:
    """Losses that the trainings of a step logged, by name: iterations and values.

    Where a training was resumed, what the later run logged of an iteration counts.
    """
    by_name: dict[str, dict[int, float]] = {}
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in path.read_text(encoding='utf-8').splitlines():
            logged = json.loads(line)
            for name, value in logged.items():
                if name.startswith('loss') or '.loss' in name:
                    by_name.setdefault(name, {})[logged['step']] = value
    if len(by_name) == 2:
        by_name.pop('loss', None)
    return {name: (sorted(values), [values[at] for at in sorted(values)]) for name, values in by_name.items()}


def _costs(work_dir: Path, results: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    seconds = {name: value for name, value in results['seconds'].items() if name != 'total'}
    listed = ', '.join(f'{name} {value:.0f}' for name, value in seconds.items())
    description = f'Bar chart of the seconds of each step: {listed}'
    drawn = chart(charts.draw_seconds(seconds), description) if seconds else ''
    rows = [(name, float(value), _megabytes(work_dir / name)) for name, value in seconds.items()]
    rows += [(name.removesuffix('_dir').replace('_', ' '), None, _megabytes(Path(settings[name])))
             for name in ('seed_dir', 'affinity_label_dir', 'pseudo_mask_dir') if name in settings]
    return drawn + table(['step or folder', 'seconds', 'MB on disk'], rows)


def _megabytes(folder: Path) -> float | None:
    if not folder.is_dir():
        return None
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()) / 1e6


def _settings(settings: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    metrics = [(f'{step}: {name}', value) for step, measured in results['metrics'].items()
               for name, value in measured.items()]
    return (folded('All metrics', table(['metric', 'value'], metrics))
            + folded('Settings', table(['setting', 'value'], settings.items()))
            + folded('Versions', table(['of', 'version'], results['versions'].items())))
