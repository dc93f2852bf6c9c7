"""The 1,000 classes of ImageNet that published networks name."""

import difflib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mmwsss.fileio import DataError

_FILE = Path(__file__).with_name('imagenet_classes.txt')
_MAX_NAMED = 8


@cache
def imagenet_names() -> tuple[tuple[str, ...], ...]:
    """The names of each class, in the order of a network's outputs, that of the synsets of ILSVRC 2012.

    The first name is no other class's. The others are synonyms of WordNet, which two classes may share.

    Returns:
        tuple[tuple[str]]: Names of each of the 1,000 classes.

    Examples:
        >>> imagenet_names()[207], imagenet_names()[281]
        (('golden retriever',), ('tabby', 'tabby cat'))
    """
    lines = _FILE.read_text(encoding='utf-8').splitlines()
    return tuple(tuple(line.split(', ')) for line in lines)


def imagenet_indices(tags: Iterable[str]) -> list[int]:
    """Finds classes by their names, whatever the case.

    Args:
        tags (iterable[str]): A first name or a synonym of each class.

    Returns:
        list[int]: Index of each, in the order of the tags.

    Raises:
        DataError: If a tag is none of the names, or means several classes.

    Examples:
        >>> imagenet_indices(['Golden retriever', 'tabby cat'])
        [207, 281]
    """
    return [_index(tag) for tag in tags]


def _index(tag: str) -> int:
    wanted = ' '.join(tag.split()).casefold()
    first, others = _by_name()
    if wanted in first:
        return first[wanted]
    meant = others.get(wanted, ())
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise DataError(f'{tag!r} may be {_listed(meant)}; expected one of these names')
    # Classes whose name holds the word, then names of another spelling.
    holding = [
        index for index, names in enumerate(imagenet_names()) if wanted and wanted in ', '.join(names).casefold()
    ]
    similar = [first[name] for name in difflib.get_close_matches(wanted, first, 3, 0.8)]
    advice = f'; there are {_listed([*dict.fromkeys([*similar, *holding])])}' if similar or holding else ''
    raise DataError(f"{tag!r} is none of ImageNet's 1,000 classes{advice}")


def _listed(indices: Iterable[int]) -> str:
    names = [imagenet_names()[index][0] for index in indices]
    return ', '.join(map(repr, names[:_MAX_NAMED])) + (
        f' and {len(names) - _MAX_NAMED} more' if names[_MAX_NAMED:] else ''
    )


@cache
def _by_name() -> tuple[dict[str, int], dict[str, list[int]]]:
    """Class of each first name, and classes of each synonym."""
    first = {names[0].casefold(): index for index, names in enumerate(imagenet_names())}
    others: dict[str, list[int]] = {}
    for index, names in enumerate(imagenet_names()):
        for name in names[1:]:
            others.setdefault(name.casefold(), []).append(index)
    return first, others
