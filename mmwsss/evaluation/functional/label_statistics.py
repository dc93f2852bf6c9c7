"""What masks say of themselves where no ground truth measures them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

# A class covers at least this share of the pixels of a mask in which it occurs.
MIN_SHARE = 1e-4
# A mask is full if less than this share of its pixels is background.
FULL_SHARE = 0.01
EMPTY, FULL, MISSING = 'empty', 'full', 'a class is missing'


def count_labels(
    labels: np.ndarray,
    class_ids: Iterable[int] | None,
    num_classes: int,
    with_background: bool,
    min_share: float = MIN_SHARE,
) -> dict[str, np.ndarray]:
    """Count what the labels of an image hold.

    Args:
        labels (ndarray): uint8 (H, W); 255 is unsure.
        class_ids (iterable[int], optional): Class indices of the image-level labels; None where there are none.
        num_classes (int): Number of classes C.
        with_background (bool): Whether class 0 is the background.
        min_share (float): Share of the pixels that a class covers at least where it occurs. Defaults to
            :data:`MIN_SHARE`.

    Returns:
        dict[str, ndarray]: Integers, to be added up over images: ``pixels`` (C + 1) of each class, the last one unsure;
        ``tags`` (3, C), 0 or 1: the image has the label, its mask has the class, both; ``images`` (4,), 0 or 1: the
        image itself, it has a label, it has one but its mask is empty, its mask is full.

    Examples:
        >>> counts = count_labels(np.array([[0, 0], [255, 0]], np.uint8), [1], 2, True)
        >>> counts['pixels'].tolist(), counts['images'].tolist()
        ([3, 0, 1], [1, 1, 1, 0])
    """
    found = np.bincount(labels.ravel(), minlength=256)
    pixels = np.append(found[:num_classes], found[num_classes:].sum()).astype(np.int64)
    occurs = pixels[:num_classes] >= max(1, min_share * labels.size)
    tagged = np.zeros(num_classes, bool)
    tagged[list(class_ids or ())] = True
    if with_background:
        occurs[0] = False
    empty = tagged.any() and not occurs.any()
    full = with_background and pixels[0] < FULL_SHARE * labels.size and not pixels[-1] > FULL_SHARE * labels.size
    return dict(
        pixels=pixels,
        tags=np.stack([tagged, occurs, tagged & occurs]).astype(np.int64),
        images=np.array([1, tagged.any(), empty, full], np.int64),
    )


def zero_counts(num_classes: int) -> dict[str, np.ndarray]:
    """The sums of :func:`count_labels` over no image."""
    return dict(
        pixels=np.zeros(num_classes + 1, np.int64),
        tags=np.zeros((3, num_classes), np.int64),
        images=np.zeros(4, np.int64),
    )


def problem_of(counts: Mapping[str, np.ndarray]) -> str | None:
    """What of the labels of one image should be looked at: :data:`EMPTY`, :data:`FULL`, :data:`MISSING` or None.

    Args:
        counts (dict): Of :func:`count_labels`.
    """
    _, _, empty, full = counts['images']
    tagged, _, both = counts['tags']
    if empty:
        return EMPTY
    if full:
        return FULL
    return MISSING if (tagged > both).any() else None


def describe_labels(
    total: Mapping[str, np.ndarray], classes: Sequence[str], with_background: bool, named: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """What is kept of labels: shares of the pixels in percent, and numbers of images.

    Args:
        total (dict): Sums of :func:`count_labels`.
        classes (sequence[str]): C names.
        with_background (bool): Whether the first one is the background.
        named (dict[str, sequence[str]]): Ids of images by what :func:`problem_of` says of them.

    Returns:
        dict: ``background`` and ``confident``, shares of the sure and of all pixels; ``images``, ``labeled``, ``empty``
        and ``full``; ``classes``, for each without the background its ``share`` of the sure pixels, and in how many
        images it is ``tagged``, ``found`` and ``both``; ``named``.
    """
    pixels, tags = total['pixels'], total['tags']
    sure = max(1, int(pixels[:-1].sum()))
    images, labeled, empty, full = map(int, total['images'])
    first = int(with_background)
    return dict(
        background=round(100 * float(pixels[0]) / sure, 4) if with_background else None,
        confident=round(100 * float(pixels[:-1].sum()) / max(1, int(pixels.sum())), 4),
        images=images,
        labeled=labeled,
        empty=empty,
        full=full,
        classes={
            name: dict(
                share=round(100 * float(pixels[index]) / sure, 4),
                **dict(zip(('tagged', 'found', 'both'), map(int, tags[:, index]), strict=True)),
            )
            for index, name in enumerate(classes)
            if index >= first
        },
        named={problem: list(image_ids) for problem, image_ids in named.items() if image_ids},
    )


def label_table(described: Mapping[str, Any]) -> str:
    """A printed table of :func:`describe_labels`."""
    width = max(len(name) for name in [*described['classes'], 'background'])
    lines = [f'{"class":{width}}  share  images with the label  its mask has it']
    if described['background'] is not None:
        lines.append(f'{"background":{width}} {described["background"]:6.2f}')
    for name, one in described['classes'].items():
        lines.append(f'{name:{width}} {one["share"]:6.2f} {one["tagged"]:22} {one["both"]:16}')
    lines.append(
        f'{described["images"]} images; {described["empty"]} of {described["labeled"]} with labels are empty, '
        f'{described["full"]} have no background; {described["confident"]:.1f} % of the pixels are sure'
    )
    return '\n'.join(lines)


def describe_image_labels(labels: Iterable[Iterable[int]], classes: Sequence[str]) -> dict[str, Any]:
    """What image-level labels cannot teach: classes that are on every image, and those that are never apart.

    Args:
        labels (iterable[iterable[int]]): Class indices of each image.
        classes (sequence[str]): Names.

    Returns:
        dict: Numbers of ``images`` and of those ``without_labels``; ``everywhere``, names of classes on every image;
        ``together``, pairs of names that occur on the same two or more images, and on no other.

    Examples:
        >>> describe_image_labels([[1, 2], [1, 2], []], ['background', 'rider', 'horse'])['together']
        [['rider', 'horse']]
    """
    shared = np.zeros((len(classes), len(classes)), np.int64)
    images = without = 0
    for class_ids in labels:
        present = list(class_ids)
        shared[np.ix_(present, present)] += 1
        images, without = images + 1, without + (not present)
    numbers = shared.diagonal()
    same = (shared == numbers[:, None]) & (shared == numbers) & (shared > 1)
    return dict(
        images=images,
        without_labels=without,
        everywhere=[name for name, number in zip(classes, numbers, strict=True) if images and number == images],
        together=[[classes[first], classes[second]] for first, second in np.argwhere(np.triu(same, 1))],
    )
