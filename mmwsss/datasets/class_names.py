"""Names of classes, checked before anything is made of them."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mmwsss.fileio import DataError

BACKGROUND = 'background'


def check_class_names(classes: Any, source: str) -> None:
    """Refuses what is no list of names of classes.

    Args:
        classes (sequence[str]): Names, such as ``['background', 'cat']``.
        source (str): Where they come from, for the message.

    Raises:
        DataError: If they are one text, numbers or other values, empty, fewer than two, or one is there twice.
    """
    if isinstance(classes, str):
        raise DataError(
            f"{source}: expected a list of class names, such as ['background', {classes!r}], got {classes!r}"
        )
    if not isinstance(classes, Sequence) or not classes:
        raise DataError(f'{source}: expected class names under classes of metainfo, got {classes or "none"}')
    for name in classes:
        if not isinstance(name, str) or not name.strip():
            quoted = f'{name!r} ({type(name).__name__})'
            raise DataError(f'{source}: expected names of classes in quotes, in a config file, got {quoted}')
    repeated = [name for name, count in Counter(classes).items() if count > 1]
    if repeated:
        raise DataError(f'{source}: expected each class once, found {", ".join(map(repr, repeated))} several times')
    if len(classes) == 1:
        raise DataError(
            f'{source}: expected two classes at least, got {list(classes)}; where there is a background, '
            "'background' is the first"
        )


def check_given_classes(metainfo: Any, source: str) -> None:
    """Checks the classes of a ``metainfo`` of a config, if it has some; a file of them is left to mmengine.

    Raises:
        DataError: As of :func:`check_class_names`.
    """
    classes = (metainfo or {}).get('classes')
    if classes is not None and not (isinstance(classes, str) and os.path.isfile(classes)):
        check_class_names(classes, source)


def has_background(metainfo: Mapping[str, Any]) -> bool:
    """Whether class 0 is the background: as ``with_background`` of a metainfo says, else if it is called background."""
    first = next(iter(metainfo.get('classes') or ()), None)
    return bool(metainfo.get('with_background', first == BACKGROUND))
