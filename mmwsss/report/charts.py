"""The charts of a report, as SVG text."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE, GRAY = '#1f5fa8', '#c4560a', '#1b7a4b', '#7a3e9d', '#6b7280'
_MARKS = (('o', ORANGE), ('*', GREEN), ('s', PURPLE))
SERIES = (GRAY, BLUE, ORANGE, GREEN, PURPLE)
# Narrow, so that letters are large enough where a phone shrinks the chart to its screen.
_WIDTH = 4.6
_STYLE: dict[Any, Any] = {
    'svg.fonttype': 'path',
    'svg.hashsalt': 'mmwsss',
    'font.size': 10,
    'text.parse_math': False,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.grid': True,
    'axes.axisbelow': True,
    'grid.color': '#e3e6ea',
}


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format='svg', bbox_inches='tight', metadata={'Date': None})
    return buffer.getvalue()


def draw_ladder(rungs: Mapping[str, float | None], picked: Sequence[str] = ()) -> str:
    """Horizontal bars of mIoU in percent.

    Args:
        rungs (dict[str, float | None]): mIoU by name, None where it was not measured.
        picked (sequence[str]): Names of those that used masks to pick something; they are hatched.
    """
    names, values = list(rungs), [value or 0.0 for value in rungs.values()]
    with matplotlib.rc_context(_STYLE):
        figure = Figure(layout='constrained', figsize=(_WIDTH, 0.4 * len(names) + 0.8))
        axes = figure.add_subplot()
        bars = axes.barh(range(len(names)), values, color=BLUE, height=0.62)
        for bar, name, value in zip(bars, names, rungs.values(), strict=True):
            if name in picked:
                bar.set(facecolor='#c9d8ea', edgecolor=BLUE, hatch='///')
            text = 'not measured' if value is None else f'{value:.1f}'
            axes.text(bar.get_width() + 0.8, bar.get_y() + bar.get_height() / 2, text, va='center')
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set(xlim=(0, 100), xlabel='mIoU in percent')
        axes.grid(axis='y', visible=False)
        return _svg(figure)


def draw_sweep(scores: Sequence[float], curve: np.ndarray, marked: Mapping[str, int]) -> str:
    """mIoU over the background score.

    Args:
        scores (sequence[float]): Background scores.
        curve (sequence[float]): mIoU in percent at each.
        marked (dict[str, int]): Indices of those to mark, by how they were chosen; at most three.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(layout='constrained', figsize=(_WIDTH, 3.6))
        axes = figure.add_subplot()
        axes.plot(scores, curve, color=BLUE, linewidth=2)
        for (name, at), (symbol, color) in zip(marked.items(), _MARKS, strict=False):
            label = f'{name}: {scores[at]:.2f} gives {curve[at]:.1f}'
            axes.plot(scores[at], curve[at], symbol, color=color, markersize=10, label=label)
        axes.set(xlabel='background score', ylabel='mIoU in percent', xlim=(0, 1), ylim=(0, None))
        figure.legend(loc='outside lower left', frameon=False)
        return _svg(figure)


def draw_class_bars(classes: Sequence[str], series: Mapping[str, np.ndarray]) -> str:
    """IoU of each class, a bar for each of several predictions.

    Args:
        classes (sequence[str]): C names.
        series (dict[str, ndarray]): (C,) IoU in percent by name; NaN where a class does not occur.
    """
    positions = np.arange(len(classes))
    height = 0.8 / len(series)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(layout='constrained', figsize=(_WIDTH, len(classes) * (0.11 * len(series) + 0.14) + 1.1))
        axes = figure.add_subplot()
        for number, (name, values) in enumerate(series.items()):
            axes.barh(
                positions + (number - (len(series) - 1) / 2) * height,
                np.nan_to_num(values),
                height,
                color=SERIES[number % len(SERIES)],
                label=name,
            )
        axes.set_yticks(positions, classes)
        axes.invert_yaxis()
        axes.set(xlim=(0, 100), xlabel='IoU in percent')
        axes.grid(axis='y', visible=False)
        figure.legend(loc='outside upper center', ncols=2, frameon=False)
        return _svg(figure)


def draw_confusion(confusion: np.ndarray, classes: Sequence[str]) -> str:
    """Share of the pixels of each class of the ground truth that each class was predicted for, in percent.

    Args:
        confusion (ndarray): (C, C) or (C, C + 1) counts, rows are the ground truth.
        classes (sequence[str]): C names.
    """
    num_classes = len(classes)
    shares = 100 * confusion[:, :num_classes] / confusion.sum(1, keepdims=True).clip(1)
    side = 0.42 * num_classes + 1.6
    with matplotlib.rc_context({**_STYLE, 'axes.grid': False}):
        figure = Figure(figsize=(side, side))
        axes = figure.add_subplot()
        axes.imshow(shares, cmap='Blues', vmin=0, vmax=100)
        axes.set_xticks(range(num_classes), classes, rotation=60, ha='right')
        axes.set_yticks(range(num_classes), classes)
        axes.set(xlabel='predicted', ylabel='ground truth')
        for row, column in np.argwhere(shares >= 0.5):
            axes.text(
                column,
                row,
                f'{shares[row, column]:.0f}',
                ha='center',
                va='center',
                fontsize=8,
                color='white' if shares[row, column] > 55 else 'black',
            )
        return _svg(figure)


def draw_seconds(seconds: Mapping[str, float]) -> str:
    """Horizontal bars of the minutes that each stage took."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(layout='constrained', figsize=(_WIDTH, 0.38 * len(seconds) + 0.8))
        axes = figure.add_subplot()
        bars = axes.barh(list(seconds), [value / 60 for value in seconds.values()], color=BLUE, height=0.62)
        axes.bar_label(bars, [f' {value:.0f} s' for value in seconds.values()])
        axes.invert_yaxis()
        axes.margins(x=0.14)
        axes.set_xlabel('minutes')
        axes.grid(axis='y', visible=False)
        return _svg(figure)


def draw_losses(losses: Mapping[str, tuple[Sequence[int], Sequence[float]]], title: str) -> str:
    """Training losses over iterations.

    Args:
        losses (dict[str, tuple]): Iterations and values of each loss by name.
        title (str): Name of the stage.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(layout='constrained', figsize=(_WIDTH, 2.8))
        axes = figure.add_subplot()
        for number, (name, (iterations, values)) in enumerate(losses.items()):
            axes.plot(
                iterations,
                values,
                color=SERIES[(number + 1) % len(SERIES)],
                label=name,
                linewidth=1.5,
                marker='.' if len(values) < 10 else None,
            )
        axes.set(xlabel='iteration', ylabel='loss', title=title)
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)
        return _svg(figure)
