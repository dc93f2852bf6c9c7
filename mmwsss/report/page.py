"""From what the sections hold to HTML, by the templates beside this module."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined


class Chart(NamedTuple):
    """A chart as an image.

    Attributes:
        source (str): Data URI.
        description (str): What it shows, in words.
    """

    source: str
    description: str

    @classmethod
    def of_svg(cls, svg: str, description: str) -> 'Chart':
        return cls(f'data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}', description)


@dataclass(frozen=True)
class Section:
    """A part of the page, drawn by the template of its name.

    Attributes:
        name (str): Identifier in the page.
        title (str): Its heading.
        content (dict): What the template names.
        wide (bool): Whether it takes the whole width. Defaults to False.
    """

    name: str
    title: str
    content: Mapping[str, Any]
    wide: bool = False


def render(title: str, results: Mapping[str, Any], sections: Sequence[Section]) -> str:
    """A whole page that needs no other file."""
    assets = {name: _read_asset(f'{name}.{suffix}') for name, suffix in (('style', 'css'), ('script', 'js'))}
    return _environment().get_template('page.html').render(title=title, results=results, sections=sections, **assets)


def format_cell(value: Any) -> str:
    """Text of a cell of a table; None and what is no finite number are a dash."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return '-'
    return f'{value:.{1 if abs(value) >= 10 else 2}f}' if isinstance(value, float) else str(value)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader('mmwsss.report'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters['cell'] = format_cell
    return environment


def _read_asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding='utf-8')
