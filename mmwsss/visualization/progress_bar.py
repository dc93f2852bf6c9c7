"""A bar on the terminal that says how far a loop is; nothing in a log file."""

from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Item = TypeVar('Item')


def track(
    items: Iterable[Item], total: int | None = None, description: str = '', console: Console | None = None
) -> Iterator[Item]:
    """Goes through items and shows on the terminal how many are done.

    Args:
        items (iterable): The items.
        total (int, optional): How many there are. Defaults to None: their length, if they have one.
        description (str): What is done, before the bar. Defaults to ''.
        console (Console, optional): Where to. Defaults to standard error.

    Yields:
        The items. Where the output is no terminal, nothing is written.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield from items
        return
    if total is None and isinstance(items, Sized):
        total = len(items)
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield from progress.track(items, total, description=description)
