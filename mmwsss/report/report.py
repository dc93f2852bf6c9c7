"""Puts a report together from what the stages of a run left in their folders."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config

from mmwsss.evaluation.functional.confusion import class_figures, class_ious
from mmwsss.evaluation.records import choose_evenly
from mmwsss.fileio import atomic_write
from mmwsss.pipeline.results import CLASS_HEADS, PICKED_WITH_MASKS, class_rows, findings

from . import charts
from .images import TO_LOOK_AT, ImageList, choose_images, list_images
from .page import Chart, Section, render
from .panels import Panel, Tile, data_uri, make_panel, whole_panels, write_sheet
from .stages import Source, Stage, read_losses, read_megabytes, title_of

REPORT_FILE = 'report/index.html'
SHEET_FILE = 'report/panels.png'
MAX_ROWS = 16
HELD_OUT = 'held-out'


def write_report(
    run_dir: str | Path, stages: Sequence[tuple[str, str | Path, Config]], results: Mapping[str, Any]
) -> Path:
    """Writes the report of a run.

    It draws what the tests of the stages recorded (:mod:`mmwsss.evaluation.records`) and wrote, measures nothing and
    runs no network. It opens from disk without other files. What a run has not made is left out. Beside it lies
    `panels.png`, some of the panels as one picture.

    Args:
        run_dir (str | Path): Folder of the run; the report goes to its folder `report`.
        stages (sequence[tuple]): In order, also those that have not run: name, folder (`work_dir`) and resolved config
            of each. Of the config, `test_dataloader.dataset` names images and ground truth, and `test_evaluator` the
            folders of what was made of them; a relative `output_dir` lies in the folder of the stage. Images of the
            first stage with a test are shown with what all stages with the same data set made of them, those of other
            data sets as held-out.
        results (dict): What the run ended with: `ladder` (mIoU in percent by rung, None where it was not measured),
            `picked_with_masks` (rungs that ground truth picked), `metrics` (figures by stage), `seconds` (by stage, and
            `total`), `counts`, `versions`, `used_ground_truth`, a sentence or None, and, where something was measured
            without masks, `without_masks` and `verdict`, as of :func:`mmwsss.pipeline.results.summarize`.

    Returns:
        Path: The HTML file, `<run_dir>/report/index.html`.

    Raises:
        DataError: If a data set cannot be listed, or an image, a mask or seeds cannot be read.
    """
    run_dir = Path(run_dir)
    known = [Stage(name, Path(work_dir), config) for name, work_dir, config in stages]
    groups = list(_groups(known))
    sections = [*_without_masks(results), *_ladder(results), *_sweeps(known), *_classes(known), *_trainings(known)]
    sections.append(_costs(known, results))
    if groups:
        to_look_at = (results.get('verdict') or {}).get('images') or {}
        sections.append(_images(groups, run_dir / SHEET_FILE, to_look_at))
    sections.append(_settings(known, results))
    path = run_dir / REPORT_FILE
    atomic_write(path, render(f'{_title(run_dir)}: report', results, sections).encode())
    return path


def _title(run_dir: Path) -> str:
    """Name of a run: its folder below `work_dirs`, such as 'affinitynet/scenes/r18', else the name of its folder."""
    parts = run_dir.absolute().parts
    return '/'.join(parts[parts.index('work_dirs') + 1 :]) if 'work_dirs' in parts[:-1] else run_dir.name


def _listed(names: Iterable[str], values: Iterable[float], digits: int = 0) -> str:
    return ', '.join(f'{name} {value:.{digits}f}' for name, value in zip(names, values, strict=True))


def _without_masks(results: Mapping[str, Any]) -> Iterator[Section]:
    if not results.get('without_masks'):
        return
    verdict = results['verdict']
    content = dict(
        line=verdict['line'],
        notes=verdict['notes'],
        findings=findings(results),
        heads=CLASS_HEADS,
        rows=class_rows(results),
        images=list(verdict['images'].items()),
    )
    yield Section('without_masks', 'Without masks', content, wide=True)


def _ladder(results: Mapping[str, Any]) -> Iterator[Section]:
    if all(value is None for value in results['ladder'].values()):
        return
    rungs = {title_of(name): value for name, value in results['ladder'].items()}
    picked = [title_of(name) for name in results.get('picked_with_masks', ())]
    listed = ', '.join(
        f'{name}{" (chosen with ground truth)" if name in picked else ""} '
        f'{"not measured" if value is None else f"{value:.1f}"}'
        for name, value in rungs.items()
    )
    drawn = Chart.of_svg(charts.draw_ladder(rungs, picked), f'Bar chart of mIoU in percent: {listed}')
    yield Section('ladder', 'Ladder', dict(chart=drawn, picked=picked))


def _sweeps(stages: Sequence[Stage]) -> Iterator[Section]:
    curves = [record['curve'] for stage in stages for record in stage.records.values() if 'curve' in record]
    if curves:
        drawn = [_sweep(curve) for curve in curves]
        yield Section('sweep', 'CAM mIoU by background score', dict(charts=drawn))


def _sweep(curve: Mapping[str, Any]) -> Chart:
    scores, ious = curve['background_score'], curve['mIoU']
    marked = {'configured': curve['configured'], 'best, chosen with ground truth': curve['best_picked_with_masks']}
    if curve['otsu_picked_without_masks'] is not None:
        marked['by Otsu, without ground truth'] = curve['otsu_picked_without_masks']
    places = {name: min(range(len(scores)), key=lambda at: abs(scores[at] - score)) for name, score in marked.items()}
    listed = ', '.join(f'{name}: {ious[at]:.1f} at {scores[at]:.2f}' for name, at in places.items())
    description = (
        'Curve of the mIoU of the CAMs in percent over the background score: '
        f'{ious[0]:.0f} at 0, {ious[-1]:.0f} at 1; {listed}'
    )
    return Chart.of_svg(charts.draw_sweep(scores, ious, places), description)


def _classes(stages: Sequence[Stage]) -> Iterator[Section]:
    measured = [one for stage in stages for one in stage.confusions]
    if not measured:
        return
    classes = measured[0][1]
    confusions = {title_of(name): counts for name, named, counts in measured if named == classes}
    series = {name: class_ious(counts) for name, counts in confusions.items()}
    rows = [(name, *map(float, values)) for name, *values in zip(classes, *series.values(), strict=True)]
    listed = '; '.join(f'{name} ' + ' to '.join(f'{value:.0f}' for value in values) for name, *values in rows)
    bars = Chart.of_svg(charts.draw_class_bars(classes, series), f'IoU of each class in percent: {listed}')
    errors = {name: _errors(classes, counts) for name, counts in confusions.items()}
    yield Section('classes', 'IoU of each class', dict(chart=bars, names=list(series), rows=rows, errors=errors))
    matrices = {name: _matrix(name, classes, counts) for name, counts in confusions.items()}
    yield Section('confusion', 'Confusion matrices', dict(charts=matrices))


def _errors(classes: Sequence[str], confusion: np.ndarray) -> list[tuple]:
    columns = class_figures(confusion)
    del columns['iou']
    return [(name, *map(float, values)) for name, *values in zip(classes, *columns.values(), strict=True)]


def _matrix(name: str, classes: Sequence[str], confusion: np.ndarray) -> Chart:
    recalls = 100 * np.diagonal(confusion) / confusion.sum(1).clip(1)
    description = (
        f'Confusion matrix of {name}; percent of the pixels of each class that are right: {_listed(classes, recalls)}'
    )
    return Chart.of_svg(charts.draw_confusion(confusion, classes), description)


def _trainings(stages: Sequence[Stage]) -> Iterator[Section]:
    drawn = []
    for stage in stages:
        losses = read_losses(stage.work_dir)
        if losses:
            ends = ', '.join(f'{name} ends at {values[-1]:.3f}' for name, (_, values) in losses.items())
            svg = charts.draw_losses(losses, stage.name)
            drawn.append(Chart.of_svg(svg, f'Training losses of {stage.name}: {ends}'))
    if drawn:
        yield Section('training', 'Training', dict(charts=drawn), wide=True)


def _costs(stages: Sequence[Stage], results: Mapping[str, Any]) -> Section:
    seconds = {name: float(value) for name, value in results['seconds'].items() if name != 'total'}
    description = f'Bar chart of the seconds of each stage: {_listed(seconds, seconds.values())}'
    rows: list[tuple] = []
    for stage in stages:
        memory = stage.memory
        peaks = (memory.get(name) for name in ('process', 'worker', 'gpu'))
        rows.append((stage.name, seconds.get(stage.name), *peaks, read_megabytes(stage.work_dir)))
    rows.append(('total', float(results['seconds'].get('total', sum(seconds.values()))), *[None] * 4))
    outputs = [(stage.name, source.folder) for stage in stages for source in stage.sources if source.is_output]
    rows += [(f'of these, {name}/{folder.name}', *[None] * 4, read_megabytes(folder)) for name, folder in outputs]
    drawn = Chart.of_svg(charts.draw_seconds(seconds), description) if seconds else None
    return Section('costs', 'Time, memory and disk', dict(chart=drawn, rows=rows), wide=True)


class _Group(NamedTuple):
    """The images of a test, and the stages that are tested on them."""

    listed: ImageList
    stages: list[Stage]
    # Of stages that trained on these images and are tested on others.
    trained: list[Source]

    @property
    def shown(self) -> list[str]:
        """Ids of the images that no stage has left out."""
        skipped = {image_id for stage in self.stages for image_id in stage.skipped}
        return [image_id for image_id in self.listed.images if image_id not in skipped]

    @property
    def ious(self) -> tuple[dict[str, float], dict[str, float]]:
        """mIoU of single images on the first and on the last rung that they were measured on."""
        rungs = [record['mIoU_of_images'] for stage in self.stages for record in stage.records.values()]
        return (rungs[0], rungs[-1]) if rungs else ({}, {})

    @property
    def sources(self) -> list[Source]:
        """What there is of the images. A title that several stages have is followed by the name of the stage."""
        titles = Counter(title for stage in self.stages for title in {source.title for source in stage.sources})
        named = [
            source._replace(title=f'{source.title}, {stage.name}') if titles[source.title] > 1 else source
            for stage in self.stages
            for source in stage.sources
        ]
        return named + self.trained

    def panel(self, image_id: str) -> Panel:
        return make_panel(self.listed.images[image_id], self.sources, len(self.listed.classes), self.listed.palette)

    def score(self, image_id: str) -> list[str]:
        """How good the masks of an image are, in words; nothing where it was not measured."""
        first, last = self.ious
        if image_id not in last:
            return []
        before = f'{first[image_id]:.0f} → ' if first is not last and image_id in first else ''
        return [f'mIoU {before}{last[image_id]:.0f}']


def _groups(stages: Sequence[Stage]) -> Iterator[_Group]:
    members: list[tuple[Any, list[Stage]]] = []
    for stage in stages:
        if not stage.config.get('test_dataloader'):
            continue
        images = _images_of(stage.config.test_dataloader)
        same = [group for known, group in members if known == images]
        if same:
            same[0].append(stage)
        else:
            members.append((images, [stage]))
    for images, group in members:
        listed = list_images(group[0].config)
        if listed is not None:
            learners = [one for one in stages if one not in group and _images_of(one.config.get('train_dataloader'))]
            trained = [one for one in learners if _images_of(one.config.train_dataloader) == images]
            yield _Group(listed, group, [source for one in trained for source in one.trained_sources])


def _images_of(dataloader: Mapping[str, Any] | None) -> Any:
    """The data set that gives the images: of an ImageLabelDataset, what it wraps; stages give it different folders."""
    dataset = (dataloader or {}).get('dataset') or {}
    return dataset.get('dataset', dataset)


def _images(groups: Sequence[_Group], sheet: Path, to_look_at: Collection[str]) -> Section:
    listed = groups[0].listed
    blocks: list[list[Panel]] = []
    shown: list[dict[str, Any]] = []
    for number, group in enumerate(groups):
        pictured = [image_id for image_id in group.shown if image_id in group.listed.pictured]
        reasons = {image_id: [HELD_OUT] + [TO_LOOK_AT] * (image_id in to_look_at) for image_id in pictured}
        if number == 0:
            reasons = choose_images(group.shown, group.listed.pictured, *group.ious, to_look_at)
        panels: list[Panel] = []
        for image_id, why in reasons.items():
            panel = group.panel(image_id)
            if panel.shows_results:
                panels.append(panel)
                shown.append(_panel(panel, why, group.score(image_id), listed))
        if panels:
            whole = whole_panels(panels)
            blocks.append([whole[at] for at in choose_evenly(len(whole), MAX_ROWS // len(groups))])
    if blocks:
        write_sheet(sheet, blocks, listed.palette, with_background=listed.with_background)
    first = int(listed.with_background)
    content = dict(
        panels=shown,
        measured=any(last for _, last in (group.ious for group in groups)),
        classes=list(enumerate(listed.classes))[first:],
        reasons=list(dict.fromkeys(reason for one in shown for reason in one['reasons'])),
        swatches=[*zip(listed.classes, listed.palette.tolist()), ('not sure, or no ground truth', listed.palette[255])],
    )
    return Section('images', 'Images', content, wide=True)


def _panel(panel: Panel, reasons: Sequence[str], score: Sequence[str], listed: ImageList) -> dict[str, Any]:
    """What the template shows of a panel."""
    indices = [index for index in panel.class_ids if listed.with_background <= index < len(listed.classes)]
    names = ', '.join(listed.classes[index] for index in indices) or 'no class'
    return dict(
        image_id=panel.image.image_id,
        indices=indices,
        names=names,
        reasons=reasons,
        notes=' · '.join([names, *reasons, *score]),
        tiles=[_tile(tile, listed) for tile in panel.tiles],
    )


def _tile(tile: Tile, listed: ImageList) -> dict[str, Any]:
    height, width = tile.pixels.shape[:2]
    source = data_uri(tile.pixels, listed.palette, listed.with_background)
    return dict(name=tile.name, kind=tile.kind, source=source, height=height, width=width)


def _settings(stages: Sequence[Stage], results: Mapping[str, Any]) -> Section:
    metrics = [
        (f'{stage}: {name}{" (chosen with ground truth)" if name.endswith(PICKED_WITH_MASKS) else ""}', value)
        for stage, measured in results['metrics'].items()
        for name, value in measured.items()
    ]
    skipped = {image_id: reason for stage in reversed(stages) for image_id, reason in stage.skipped.items()}
    content = dict(
        metrics=metrics,
        configs=[(stage.name, stage.config.pretty_text) for stage in stages],
        skipped=list(skipped.items()),
        versions=list(results['versions'].items()),
    )
    return Section('settings', 'Settings and versions', content, wide=True)
