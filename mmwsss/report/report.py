"""Puts a report together from the work directory of a pipeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from mmwsss.evaluation.functional.confusion import class_figures, class_ious, confusion_matrix, mean_iou
from mmwsss.evaluation.metrics.seed_metric import NUM_BINS, sweep_confusions
from mmwsss.fileio import atomic_write
from mmwsss.pipeline.results import PICKED_WITH_MASKS

from . import charts
from .page import Section, chart, folded, gallery, page, row, table
from .panels import Panel, make_panel, read_palette, write_sheet
from .photographs import (
    Measured,
    Photograph,
    choose_panels,
    load_photographs,
    measure,
    sample_evenly,
    step_configs,
)
from .predictions import predict_photographs
from .records import read_confusions, read_losses, read_megabytes, read_memory, read_skipped

REPORT_FILE = 'report/index.html'
SHEET_FILE = 'report/panels.png'
NUM_PANELS = 24
NUM_HELD_OUT = 8
MAX_ROWS = 16
MAX_MEASURED = 1500
HELD_OUT = 'held-out'
_NAMES = dict(
    cam='CAM',
    cam_best='CAM, best background score',
    cam_dcrf='CAM + dCRF',
    random_walk='random walk',
    random_walk_dcrf='random walk + dCRF',
    segmentor='segmentor, held-out',
)


def write_report(work_dir: str | Path, settings: Mapping[str, Any], results: Mapping[str, Any]) -> Path:
    """Writes the report of a pipeline run.

    It opens from disk without a network. What a run has not made is left out. Beside it lies `panels.png`,
    some of the same panels as one picture.

    Args:
        work_dir (str | Path): Work directory of the pipeline, with the folders of its steps.
        settings (dict): Settings of the run: `classes`, `seed_dir`, `affinity_label_dir`, `pseudo_mask_dir`,
            `background_score` and `with_background` are used where they are there.
        results (dict): What the run ended with: `ladder`, `metrics`, `seconds`, `counts`, `versions`,
            `used_ground_truth`, `picked_with_masks`.

    Returns:
        Path: The HTML file, `<work_dir>/report/index.html`.

    Raises:
        DataError: If a photograph, a mask, seeds or a checkpoint cannot be read.
    """
    work_dir = Path(work_dir)
    run = _Run(work_dir, settings, results, list(settings.get('classes', ())))
    sections = [_ladder(results)]
    configs = step_configs(work_dir, results['metrics']) if run.classes else {}
    listed = load_photographs(next(iter(configs.values())), settings) if configs else []
    skipped = read_skipped(work_dir, run.steps)
    photographs = [photograph for photograph in listed if photograph.image_id not in skipped]
    measured, counts, note = _measure(run, photographs)
    if counts is not None and measured and run.with_background:
        sections.append(_sweep(run, counts, note))
    sections += _classes(run, measured, note)
    sections += _trainings(run)
    sections.append(_costs(run))
    if photographs:
        sections.append(_photographs(run, configs, photographs, measured))
    sections.append(_settings(run))
    path = work_dir / REPORT_FILE
    atomic_write(path, page(f'{work_dir.name}: report', _introduction(results), sections).encode())
    return path


@dataclass(frozen=True)
class _Run:
    work_dir: Path
    settings: Mapping[str, Any]
    results: Mapping[str, Any]
    classes: list[str]

    @property
    def steps(self) -> list[str]:
        return list(self.results['metrics'])

    @property
    def metrics(self) -> list[tuple[str, float]]:
        return [(name, value) for measured in self.results['metrics'].values() for name, value in measured.items()]

    @property
    def with_background(self) -> bool:
        return self.settings.get('with_background', True)

    @property
    def background_score(self) -> float:
        return self.settings.get('background_score', 0.0)


def _introduction(results: Mapping[str, Any]) -> str:
    counts = ', '.join(f'{number} {name.replace("_", " ")}' for name, number in results['counts'].items())
    parts = [f'<p>{escape(counts)}</p>' if counts else '']
    if results.get('used_ground_truth'):
        parts.append(f'<p class="soft">What used ground truth: {escape(results["used_ground_truth"])}</p>')
    return ''.join(parts)


def _name(name: str) -> str:
    return _NAMES.get(name, name.replace('_', ' '))


def _ladder(results: Mapping[str, Any]) -> Section:
    rungs = {_name(name): value for name, value in results['ladder'].items()}
    picked = [_name(name) for name in results.get('picked_with_masks', ())]
    listed = ', '.join(
        f'{name}{" (picked with masks)" if name in picked else ""} '
        f'{"not measured" if value is None else f"{value:.1f}"}'
        for name, value in rungs.items()
    )
    drawn = chart(charts.draw_ladder(rungs, picked), f'Bar chart of mIoU in percent: {listed}')
    note = '<p class="soft">Hatched: of several settings the best one, picked with the masks.</p>' if picked else ''
    return Section('ladder', 'Ladder', drawn + note)


def _measure(run: _Run, photographs: Sequence[Photograph]) -> tuple[list[Measured], np.ndarray | None, str]:
    candidates = [photograph for photograph in photographs if photograph.truth_path is not None]
    if not candidates:
        return [], None, ''
    sampled = sample_evenly(candidates, MAX_MEASURED)
    measured, counts = measure(sampled, len(run.classes), run.background_score, run.with_background)
    note = f'Measured on the true masks of {len(measured)} photographs'
    note += f', picked at random from {len(candidates)}.' if len(sampled) < len(candidates) else '.'
    return measured, counts, f'<p class="soft">{note}</p>'


def _sweep(run: _Run, counts: np.ndarray, note: str) -> Section:
    curve = mean_iou(sweep_confusions(counts))
    scores = [index / NUM_BINS for index in range(NUM_BINS + 1)]
    marked = {
        'configured': round(run.background_score * NUM_BINS),
        'best, picked with masks': int(np.nanargmax(curve)),
    }
    otsu = [value for name, value in run.metrics if name.endswith('background_otsu')]
    if otsu:
        marked['by Otsu, picked without masks'] = round(otsu[0] * NUM_BINS)
    listed = ', '.join(f'{name}: {curve[at]:.1f} at {scores[at]:.2f}' for name, at in marked.items())
    description = (
        'Curve of the mIoU of the CAMs in percent over the background score: '
        f'{curve[0]:.0f} at 0, {curve[-1]:.0f} at 1; {listed}'
    )
    drawn = charts.draw_sweep(scores, curve, marked)
    return Section('sweep', 'CAM mIoU by background score', chart(drawn, description) + note)


def _classes(run: _Run, measured: Sequence[Measured], note: str) -> list[Section]:
    """IoU of each class and confusions, as the tests recorded them, else as measured on files."""
    recorded = read_confusions(run.work_dir, run.steps)
    confusions = {_name(name): confusion for name, confusion in recorded.items() if len(confusion) == len(run.classes)}
    masks = [one.pseudo_mask for one in measured if one.pseudo_mask is not None]
    if confusions:
        note = '<p class="soft">As the tests of the steps measured it.</p>'
    elif measured:
        confusions['CAM'] = np.sum([one.cam for one in measured], axis=0)
        if masks:
            confusions['pseudo mask'] = np.sum(masks, axis=0)
    if not confusions:
        return []
    series = {name: class_ious(confusion) for name, confusion in confusions.items()}
    rows = [(name, *map(float, values)) for name, *values in zip(run.classes, *series.values(), strict=True)]
    listed = '; '.join(f'{name} ' + ' to '.join(f'{value:.0f}' for value in values) for name, *values in rows)
    bars = chart(charts.draw_class_bars(run.classes, series), f'IoU of each class in percent: {listed}')
    numbers = folded('Numbers', table('IoU of each class', ['class', *(f'IoU of {name}' for name in series)], rows))
    for name, confusion in confusions.items():
        numbers += folded(f'Errors of {name}', _class_table(name, run.classes, confusion))
    matrices = ''.join(
        _matrix(name, confusion, run.classes, number == len(confusions) - 1)
        for number, (name, confusion) in enumerate(confusions.items())
    )
    return [
        Section('classes', 'IoU of each class', bars + note + numbers),
        Section('confusion', 'Confusion matrices', matrices + note),
    ]


def _class_table(name: str, classes: Sequence[str], confusion: np.ndarray) -> str:
    columns = class_figures(confusion)
    del columns['iou']
    rows = [(label, *map(float, values)) for label, *values in zip(classes, *columns.values(), strict=True)]
    heads = ['class', 'precision', 'recall', 'over-activation, FP/TP', 'under-activation, FN/TP']
    return table(f'Errors of {name} by class', heads, rows)


def _matrix(name: str, confusion: np.ndarray, classes: Sequence[str], is_open: bool) -> str:
    recalls = 100 * np.diagonal(confusion) / confusion.sum(1).clip(1)
    listed = ', '.join(f'{label} {recall:.0f}' for label, recall in zip(classes, recalls, strict=True))
    description = f'Confusion matrix of {name}; percent of the pixels of each class that are right: {listed}'
    return folded(name, chart(charts.draw_confusion(confusion, classes), description), is_open)


def _trainings(run: _Run) -> list[Section]:
    drawn = []
    for step in run.steps:
        losses = read_losses(run.work_dir / step)
        if losses:
            ends = ', '.join(f'{name} ends at {values[-1]:.3f}' for name, (_, values) in losses.items())
            drawn.append(chart(charts.draw_losses(losses, step), f'Training losses of {step}: {ends}'))
    return [Section('training', 'Training', row(*drawn), wide=True)] if drawn else []


def _costs(run: _Run) -> Section:
    seconds = {name: value for name, value in run.results['seconds'].items() if name != 'total'}
    listed = ', '.join(f'{name} {value:.0f}' for name, value in seconds.items())
    description = f'Bar chart of the seconds of each step: {listed}'
    drawn = chart(charts.draw_seconds(seconds), description) if seconds else ''
    rows: list[tuple] = []
    for name, value in seconds.items():
        memory = read_memory(run.work_dir / name)
        rows.append(
            (
                name,
                float(value),
                memory.get('process'),
                memory.get('worker'),
                memory.get('gpu'),
                read_megabytes(run.work_dir / name),
            )
        )
    rows.append(('total', float(run.results['seconds'].get('total', sum(seconds.values()))), *[None] * 4))
    for name in ('seed_dir', 'affinity_label_dir', 'pseudo_mask_dir'):
        if name in run.settings:
            label = name.removesuffix('_dir').replace('_', ' ') + 's'
            rows.append((label, None, None, None, None, read_megabytes(Path(run.settings[name]))))
    note = (
        '<p class="soft">Memory and disk in MB: peak of the main process, of the largest process that it '
        'started, and of tensors on the GPU; size of the folder.</p>'
    )
    heads = ['', 'seconds', 'memory', 'worker', 'GPU', 'disk']
    measured = table('Seconds, memory and disk of each step', heads, rows) + note
    return Section('costs', 'Time, memory and disk', row(drawn, measured) if drawn else measured, wide=True)


def _photographs(
    run: _Run, configs: Mapping[str, Config], photographs: Sequence[Photograph], measured: Sequence[Measured]
) -> Section:
    reasons = choose_panels(photographs, measured, NUM_PANELS)
    by_id = {photograph.image_id: photograph for photograph in photographs}
    chosen = [by_id[image_id] for image_id in reasons]
    predicted, held_out = _predict(run, configs, chosen)
    written = [path for one in chosen for path in (one.pseudo_mask_path, one.affinity_label_path)]
    made = [path for path in written if path.is_file()]
    if not made:
        return Section('photographs', 'Photographs', '<p>No step has made masks yet.</p>', wide=True)
    palette = read_palette(made[0])
    mask_name = 'dCRF: pseudo mask' if run.results['ladder'].get('random_walk_dcrf') is not None else 'pseudo mask'
    num_classes = len(run.classes)
    panels = [make_panel(one, num_classes, palette, predicted.get(one.image_id), mask_name) for one in chosen]
    scores = {one.photograph.image_id: _change(one) for one in measured}
    for photograph, drawn in held_out:
        panel = make_panel(photograph, num_classes, palette, drawn)
        panels.append(panel)
        reasons[photograph.image_id] = [HELD_OUT]
        scores[photograph.image_id] = _score(panel, num_classes)
    write_sheet(run.work_dir / SHEET_FILE, panels[:: -(-len(panels) // MAX_ROWS)], palette)
    note = (
        '<p class="soft">mIoU is over the classes of the photograph, from its CAM to its pseudo mask; of '
        'held-out photographs, it is that of the segmentor. Best, worst and most changed are picked with '
        'masks. The blend goes from the photograph to what a step made of it.</p>'
    )
    shown = gallery(panels, reasons, scores, run.classes, palette, run.with_background)
    return Section('photographs', 'Photographs', note + shown, wide=True)


def _predict(
    run: _Run, configs: Mapping[str, Config], chosen: Sequence[Photograph]
) -> tuple[dict[str, dict[str, np.ndarray]], list[tuple[Photograph, dict[str, np.ndarray]]]]:
    """Runs the networks of the steps after the first, on the chosen photographs and some held-out ones."""
    predicted: dict[str, dict[str, np.ndarray]] = {}
    held_out = []
    with_seeds = [photograph for photograph in chosen if photograph.seed_path.is_file()]
    for config in list(configs.values())[1:]:
        if not config.get('load_from'):
            continue
        for image_id, drawn in predict_photographs(config, with_seeds):
            predicted.setdefault(image_id, {}).update(drawn)
        if any('segmentor' in drawn for drawn in predicted.values()):
            skipped = read_skipped(run.work_dir, run.steps)
            candidates = [
                one
                for one in load_photographs(config, run.settings)
                if one.truth_path is not None and one.image_id not in skipped
            ]
            sampled = sample_evenly(candidates, NUM_HELD_OUT)
            held_out = list(zip(sampled, (drawn for _, drawn in predict_photographs(config, sampled)), strict=True))
    return predicted, held_out


def _change(measured: Measured) -> str:
    if measured.pseudo_mask is None:
        return f'mIoU {measured.before:.0f}'
    return f'mIoU {measured.before:.0f} → {measured.after:.0f}'


def _score(panel: Panel, num_classes: int) -> str:
    tiles = {tile.name: tile.image for tile in panel.tiles}
    return f'mIoU {mean_iou(confusion_matrix(tiles["truth"], tiles["segmentor"], num_classes)):.0f}'


def _settings(run: _Run) -> Section:
    left_out = read_skipped(run.work_dir, run.steps)
    skipped = folded(
        f'Skipped photographs: {len(left_out)}',
        table('Skipped photographs', ['photograph', 'reason'], left_out.items()),
    )
    metrics = [
        (f'{step}: {name}{" (picked with masks)" if name.endswith(PICKED_WITH_MASKS) else ""}', value)
        for step, measured in run.results['metrics'].items()
        for name, value in measured.items()
    ]
    content = (
        folded('All metrics', table('All metrics', ['metric', 'value'], metrics))
        + folded('Settings', table('Settings', ['setting', 'value'], run.settings.items()))
        + (skipped if left_out else '')
        + folded('Versions', table('Versions', ['of', 'version'], run.results['versions'].items()), is_open=True)
    )
    return Section('settings', 'Settings and versions', content, wide=True)
