"""Ids of COCO's annotations, checked against those of its images and categories."""

from collections.abc import Iterable, Mapping
from typing import Any

from .errors import DataError

_KINDS = {int: 'integer', str: 'string'}
_LISTS = dict(image='images', category='categories')
_MAX_NAMED = 5


def check_references(source: str, what: str, referred: Iterable[Any], known: Mapping[Any, Any] | set) -> None:
    """Refuses annotations of an image or a category that is not in the file.

    Args:
        source (str): The file, for the message.
        what (str): ``'image'`` or ``'category'``.
        referred (iterable): Id that each annotation names, in their order.
        known (set | dict): Ids that the file has.

    Raises:
        DataError: Naming the first annotation and its id, how many there are, and which others; and where the ids of
            annotations and of what they are about are of two kinds, such as strings and integers.
    """
    wrong = [(position, value) for position, value in enumerate(referred) if not _is_in(value, known)]
    if not wrong:
        return
    position, value = wrong[0]
    ids = dict.fromkeys(repr(other) for _, other in wrong)
    listed = ', '.join(list(ids)[:_MAX_NAMED]) + (f' and {len(ids) - _MAX_NAMED} more' if len(ids) > _MAX_NAMED else '')
    example = next(iter(known), None)
    hint = ''
    if example is not None and type(example) is not type(value):
        hint = f'; ids are {_kind(value)} in annotations and {_kind(example)}, such as {example!r}, in {_LISTS[what]}'
    raise DataError(
        f'{source}: annotations[{position}] has {what}_id {value!r}, but the file has no such {what}; '
        f'{len(wrong)} of the annotations have {what} ids that are not there: {listed}{hint}'
    )


def check_unique(source: str, what: str, ids: Iterable[Any]) -> None:
    """Refuses images or categories of which two have one id, or one has an id that can be none.

    Raises:
        DataError: Naming the id.
    """
    seen = set()
    for value in ids:
        if isinstance(value, list | dict):
            raise DataError(f'{source}: expected {what} ids that are integers or strings, got {value!r}')
        if value in seen:
            raise DataError(f'{source}: the {what} id {value!r} is there twice')
        seen.add(value)


def _is_in(value: Any, known: Mapping[Any, Any] | set) -> bool:
    try:
        return value in known
    except TypeError:  # a list or a dictionary
        return False


def _kind(value: Any) -> str:
    return f'{_KINDS.get(type(value), type(value).__name__)}s'
