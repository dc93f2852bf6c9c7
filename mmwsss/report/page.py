"""The report as HTML: pieces of a page, put together without a template engine."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

import numpy as np

from mmwsss.fileio import IGNORE_COLOR

from .panels import Panel, classes_shown, data_uri

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        name (str): Identifier in the page.
        title (str): Plain text.
        content (str): HTML.
        wide (bool): Whether it takes the whole width.
    """

    name: str
    title: str
    content: str
    wide: bool = False


def read_asset(name: str) -> str:
    """Text of a file beside this module."""
    return resources.files(__package__).joinpath(name).read_text(encoding='utf-8')


def page(title: str, introduction: str, sections: Sequence[Section]) -> str:
    """A whole page that needs no other file.

    Args:
        title (str): Plain text.
        introduction (str): HTML under the title.
        sections (sequence[Section]): In their order.
    """
    links = ''.join(f'<li><a href="#{one.name}">{escape(one.title)}</a></li>' for one in sections)
    body = '\n'.join(
        f'<section id="{one.name}" class="{"wide" if one.wide else "half"}" '
        f'aria-labelledby="{one.name}-title"><h2 id="{one.name}-title">{escape(one.title)}</h2>'
        f'\n{one.content}\n</section>'
        for one in sections
    )
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
<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
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


def row(*contents: str) -> str:
    """Pieces side by side where there is room, else below each other."""
    return f'<div class="row">{"".join(f"<div>{content}</div>" for content in contents)}</div>'


def table(label: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; numbers are aligned to the right, the first cell of a row is its head.

    Args:
        label (str): What it is, for screen readers; plain text.
        heads (sequence[str]): Of the columns.
        rows (iterable[sequence]): Cells; None and NaN are a dash.
    """
    head = ''.join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = ''.join(
        f'<tr><th scope="row">{escape(str(first))}</th>' + ''.join(_cell(value) for value in rest) + '</tr>'
        for first, *rest in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(label)}"><table>'
        f'<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return '<td class="number">-</td>'
    if isinstance(value, float):
        return f'<td class="number">{value:.{1 if abs(value) >= 10 else 2}f}</td>'
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class="number">{value}</td>'
    return f'<td>{escape(str(value))}</td>'


def folded(summary: str, content: str, is_open: bool = False) -> str:
    """Content that is shown when its summary is opened."""
    return f'<details{" open" if is_open else ""}><summary>{escape(summary)}</summary>{content}</details>'


def gallery(
    panels: Sequence[Panel],
    reasons: Mapping[str, Sequence[str]],
    scores: Mapping[str, str],
    classes: Sequence[str],
    palette: np.ndarray,
    with_background: bool = True,
) -> str:
    """The panels with a filter by class, a filter by reason and a slider that blends.

    Args:
        panels (sequence[Panel]): What to show.
        reasons (dict[str, sequence[str]]): Why each photograph was chosen, by id.
        scores (dict[str, str]): How good its masks are, by id, for those that were measured.
        classes (sequence[str]): Names of the classes.
        palette (ndarray): uint8 (256, 3).
        with_background (bool): Whether class 0 is the background, which is no filter. Defaults to True.
    """
    first = 1 if with_background else 0
    options = ''.join(
        f'<option value="{index}">{escape(name)}</option>' for index, name in enumerate(classes) if index >= first
    )
    known = dict.fromkeys(reason for chosen in reasons.values() for reason in chosen)
    why = ''.join(f'<option>{escape(reason)}</option>' for reason in known)
    controls = (
        '<div class="controls" role="group" aria-label="What to show">'
        f'<label>Class <select id="class-filter"><option value="">all</option>{options}</select></label>'
        f'<label>Chosen as <select id="reason-filter"><option value="">all</option>{why}</select></label>'
        f'{_slider("blend")}<output id="shown" aria-live="polite"></output></div>'
    )
    swatches = ''.join(_swatch(name, palette[index]) for index, name in enumerate(classes))
    swatches += _swatch('not sure, or no truth', IGNORE_COLOR)
    body = '\n'.join(
        _panel(
            panel,
            reasons.get(panel.photograph.image_id, ()),
            scores.get(panel.photograph.image_id),
            classes,
            palette,
            first,
        )
        for panel in panels
    )
    viewer = (
        '<dialog id="viewer" aria-labelledby="viewer-title"><div class="controls">'
        '<button type="button" id="viewer-previous">Previous</button>'
        '<button type="button" id="viewer-next">Next</button>'
        f'{_slider("viewer-blend")}<button type="button" id="viewer-close">Close</button></div>'
        '<p id="viewer-title" aria-live="polite"></p><div id="viewer-picture"></div></dialog>'
    )
    return f'{controls}<ul class="legend" aria-label="Colours">{swatches}</ul>\n{body}\n{viewer}'


def _slider(name: str) -> str:
    return (
        f'<label>Photograph <input id="{name}" type="range" min="0" max="100" step="5" value="50" '
        'aria-label="Blend from photograph to mask"> mask</label>'
    )


def _swatch(name: str, colour: Sequence[int]) -> str:
    red, green, blue = (int(value) for value in colour)
    return f'<li><span class="swatch" style="background:rgb({red},{green},{blue})"></span>{escape(name)}</li>'


def _panel(
    panel: Panel, reasons: Sequence[str], score: str | None, classes: Sequence[str], palette: np.ndarray, first: int
) -> str:
    image_id = panel.photograph.image_id
    indices = [index for index in classes_shown(panel) if first <= index < len(classes)]
    names = ', '.join(classes[index] for index in indices) or 'no class'
    notes = escape(' · '.join([names, *reasons, *([score] if score else [])]))
    photo = data_uri(panel.tiles[0].image, palette)
    tiles = []
    for tile in panel.tiles:
        kind = '' if not tile.blends else ' mask' if tile.image.ndim == 2 else ' map'
        source = data_uri(tile.image, palette) if tile.blends else photo
        height, width = tile.image.shape[:2]
        tiles.append(
            f'<figure class="tile"><button type="button" class="picture{kind}"><img src="{source}" '
            f'alt="{escape(tile.name)} of {escape(image_id)}: {escape(names)}" width="{width}" '
            f'height="{height}"></button><figcaption>{escape(tile.name)}</figcaption></figure>'
        )
    return (
        f'<article class="panel" data-classes="{" ".join(map(str, indices))}" '
        f'data-reasons="{escape(",".join(reasons))}" style="--photo:url({photo})">'
        f'<h3>{escape(image_id)} <span>{notes}</span></h3>'
        f'<div class="tiles">{"".join(tiles)}</div></article>'
    )
