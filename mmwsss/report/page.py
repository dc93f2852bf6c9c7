"""The report as HTML: pieces of a page, put together without a template engine."""
import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

import numpy as np

from .panels import Panel, classes_shown, data_uri

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def read_asset(name: str) -> str:
    """Text of a file beside this module."""
    return resources.files(__package__).joinpath(name).read_text(encoding='utf-8')


def page(title: str, introduction: str, sections: Sequence[tuple[str, str, str]]) -> str:
    """A whole page.

    Args:
        title (str): Plain text.
        introduction (str): HTML under the title.
        sections (sequence[tuple]): Identifier, plain title and HTML of each section.
    """
    links = ''.join(f'<li><a href="#{name}">{escape(heading)}</a></li>' for name, heading, _ in sections)
    body = '\n'.join(f'<section id="{name}" aria-labelledby="{name}-title">'
                     f'<h2 id="{name}-title">{escape(heading)}</h2>\n{content}\n</section>'
                     for name, heading, content in sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{read_asset('style.css')}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
{introduction}
</header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main>
{body}
</main>
<script>
{read_asset('script.js')}</script>
</body>
</html>
"""


def chart(svg: str, description: str) -> str:
    """A chart as an image whose alternative text is `description`."""
    encoded = base64.b64encode(svg.encode()).decode()
    return f'<img class="chart" src="data:image/svg+xml;base64,{encoded}" alt="{escape(description)}">'


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; numbers are aligned to the right, the first cell of a row is its head."""
    head = ''.join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = ''.join(
        f'<tr><th scope="row">{escape(str(first))}</th>' + ''.join(_cell(value) for value in rest) + '</tr>'
        for first, *rest in rows)
    return ('<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>'
            f'<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return '<td class="number">-</td>'
    if isinstance(value, float):
        return f'<td class="number">{value:.1f}</td>'
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class="number">{value}</td>'
    return f'<td>{escape(str(value))}</td>'


def folded(summary: str, content: str) -> str:
    """Content that is shown when its summary is opened."""
    return f'<details><summary>{escape(summary)}</summary>{content}</details>'


def gallery(panels: Sequence[Panel], reasons: Mapping[str, Sequence[str]],
            scores: Mapping[str, tuple[float, float]], classes: Sequence[str], palette: np.ndarray,
            with_background: bool = True) -> str:
    """The panels with a filter by class, a filter by reason and a slider that blends.

    Args:
        panels (sequence[Panel]): What to show.
        reasons (dict[str, sequence[str]]): Why each photograph was chosen, by id.
        scores (dict[str, tuple]): mIoU of activation maps and of the pseudo mask of photographs, by id.
        classes (sequence[str]): Names of the classes.
        palette (ndarray): uint8 (256, 3).
        with_background (bool): Whether class 0 is the background, which is no filter. Defaults to True.
    """
    first = 1 if with_background else 0
    options = ''.join(f'<option value="{index}">{escape(name)}</option>'
                      for index, name in enumerate(classes) if index >= first)
    known = sorted({reason for chosen in reasons.values() for reason in chosen})
    why = ''.join(f'<option>{escape(reason)}</option>' for reason in known)
    controls = (
        '<div class="controls" role="group" aria-label="What to show">'
        f'<label>Class <select id="class-filter"><option value="">all</option>{options}</select></label>'
        f'<label>Chosen as <select id="reason-filter"><option value="">all</option>{why}</select></label>'
        '<label>Photograph <input id="blend" type="range" min="0" max="100" step="5" value="60" '
        'aria-label="Blend from photograph to mask"> mask</label>'
        '<output id="shown" aria-live="polite"></output></div>')
    swatches = ''.join(_swatch(name, palette[index]) for index, name in enumerate(classes))
    swatches += _swatch('not sure, or no truth', (224, 224, 192))
    body = '\n'.join(_panel(panel, reasons.get(panel.photograph.image_id, ()),
                            scores.get(panel.photograph.image_id), classes, palette, first)
                     for panel in panels)
    return f'{controls}<ul class="legend" aria-label="Colours">{swatches}</ul>\n{body}'


def _swatch(name: str, colour: Sequence[int]) -> str:
    red, green, blue = (int(value) for value in colour)
    return f'<li><span class="swatch" style="background:rgb({red},{green},{blue})"></span>{escape(name)}</li>'


def _panel(panel: Panel, reasons: Sequence[str], scores: tuple[float, float] | None, classes: Sequence[str],
           palette: np.ndarray, first: int) -> str:
    image_id = panel.photograph.image_id
    indices = [index for index in classes_shown(panel) if first <= index < len(classes)]
    names = ', '.join(classes[index] for index in indices) or 'no class'
    notes = [names, *reasons]
    if scores is not None:
        notes.append(f'mIoU {scores[0]:.0f} → {scores[1]:.0f}')
    photo = data_uri(panel.tiles[0].image, palette)
    tiles = ''.join(_tile(tile.name, data_uri(tile.image, palette) if tile.blends else photo,
                          ('mask' if tile.image.ndim == 2 else 'map') if tile.blends else '',
                          f'{tile.name} of {image_id}: {names}', tile.image.shape) for tile in panel.tiles)
    return (f'<article class="panel" data-classes="{" ".join(map(str, indices))}" '
            f'data-reasons="{escape(",".join(reasons))}" style="--photo:url({photo})">'
            f'<h3>{escape(image_id)} <span>{escape(" · ".join(notes))}</span></h3>'
            f'<div class="tiles">{tiles}</div></article>')


def _tile(name: str, source: str, kind: str, description: str, shape: tuple[int, ...]) -> str:
    return (f'<figure class="tile"><div class="picture {kind}">'
            f'<img src="{source}" alt="{escape(description)}" width="{shape[1]}" height="{shape[0]}"></div>'
            f'<figcaption>{escape(name)}</figcaption></figure>')
