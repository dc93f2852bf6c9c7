"""Masks that say less than was meant: a class that was saved as white, 255, which is no class."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from .errors import DataError
from .masks import read_mask

_NO_CLASS = 255
# Void borders of PASCAL VOC are some 5 percent of the pixels.
_LARGE_SHARE = 0.1


def holds_a_class(mask: np.ndarray) -> bool:
    """Whether a mask holds another stored index than 0 and 255.

    Args:
        mask (ndarray): uint8 (H, W).
    """
    counts = np.bincount(mask.ravel(), minlength=256)
    return bool(counts[1:_NO_CLASS].any())


def describe_white_masks(paths: Iterable[str | Path]) -> str | None:
    """Says what is wrong with masks that hold nothing but 0 and 255.

    Reads masks until one holds another index, which the first of most data sets does.

    Args:
        paths (iterable): Masks. Those that cannot be read are passed over.

    Returns:
        str | None: One line with the cure; None where a mask holds another index, or none holds 255.
    """
    number, white = 0, False
    for path in paths:
        try:
            mask = read_mask(path)
        except DataError:
            continue
        if holds_a_class(mask):
            return None
        number, white = number + 1, white or bool((mask == _NO_CLASS).any())
    return say_that_masks_are_white(number) if white else None


def say_that_masks_are_white(number: int) -> str:
    """What is wrong with a number of masks of 0 and 255, and the cure."""
    return (
        f'the masks ({number}) hold nothing but 0 and 255, and 255 is no class but marks pixels without a label; '
        'expected class indices: where white stands for a class, write its index, as in mask[mask == 255] = 1'
    )


def check_white_masks(paths: Iterable[str | Path], source: str) -> None:
    """Refuses masks that hold nothing but 0 and 255.

    Args:
        paths (iterable): Masks, as of :func:`describe_white_masks`.
        source (str): Where they lie, for the message.

    Raises:
        DataError: With the cure.
    """
    problem = describe_white_masks(paths)
    if problem is not None:
        raise DataError(f'{source}: {problem}')


def missing_classes(
    pixels: np.ndarray, ignored: int, classes: Sequence[str], labeled: Mapping[str, int] | None = None
) -> list[str]:
    """Says which classes masks do not hold though they should.

    Args:
        pixels (ndarray): Pixels of each class (C,).
        ignored (int): Pixels of no class, 255.
        classes (sequence[str]): Names of the classes.
        labeled (dict, optional): Number of images with a mask whose image-level labels name a class. Defaults to None.

    Returns:
        list[str]: A line for each class that occurs in no mask while its label does, or while 255 fills more than a
        tenth of all masks.
    """
    total = int(pixels.sum()) + ignored
    share = ignored / total if total else 0.0
    found = []
    for name, count in zip(classes, pixels, strict=True):
        images = (labeled or {}).get(name, 0)
        if count or not (images or share > _LARGE_SHARE):
            continue
        reason = f'labels name it for {images} of the images that have one' if images else 'it is in the classes'
        found.append(
            f'class {name!r} is in no mask, but {reason}; 255, no class, fills {share:.0%} of the masks: was it saved '
            'under another index?'
        )
    return found
