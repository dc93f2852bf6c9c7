"""Images and what is said of them, brought together where their names are spelt in different ways."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from mmwsss.fileio import DataError

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.heic', '.heif')
_MAX_NAMED = 10


def spelling_key(name: str) -> str:
    """What spellings of one image id have in common.

    That is the name without a suffix of images, in one case, in Unicode's composed form (macOS writes the decomposed
    one), and a number without the leading zeros that spreadsheets drop.

    Examples:
        >>> spelling_key('sub/B.JPG'), spelling_key('sub/007.png'), spelling_key('cafe\\u0301') == 'caf\\xe9'
        ('sub/b', 'sub/7', True)
    """
    stem, suffix = os.path.splitext(name)
    if suffix.lower() not in SUFFIXES:
        stem = name
    folder, _, last = unicodedata.normalize('NFC', stem.replace(os.sep, '/')).rpartition('/')
    if last.isdecimal():
        last = last.lstrip('0') or '0'
    return f'{folder}/{last}'.lstrip('/').casefold()


def match_image_ids(image_ids: Iterable[str], names: Iterable[str], source: str) -> dict[str, str]:
    """Finds the image that each name means.

    A name that is an image id means this image. Of the others, one means the image whose id is another spelling of it,
    as of :func:`spelling_key`, if there is one such image and one such name.

    Args:
        image_ids (iterable[str]): Ids of the images.
        names (iterable[str]): Names that labels, lists or masks are under.
        source (str): Where the names come from, for the message.

    Returns:
        dict[str, str]: Image id by name; without the names that mean no image.

    Raises:
        DataError: If several names or images are spellings of one, naming each pair.

    Examples:
        >>> match_image_ids(['a', 'b'], ['a', 'B.jpg', 'c'], 'labels.csv')
        {'a': 'a', 'B.jpg': 'b'}
    """
    known, given = set(image_ids), list(dict.fromkeys(names))
    matched = {name: name for name in given if name in known}
    images: dict[str, list[str]] = defaultdict(list)
    for image_id in sorted(known - matched.keys()):
        images[spelling_key(image_id)].append(image_id)
    spellings: dict[str, list[str]] = defaultdict(list)
    for name in given:
        if name not in matched and spelling_key(name) in images:
            spellings[spelling_key(name)].append(name)
    unclear = []
    for key, found in spellings.items():
        if len(found) == len(images[key]) == 1:
            matched[found[0]] = images[key][0]
        else:
            unclear += [f'{name!r} and {image_id!r}' for name in found for image_id in images[key]]
    if unclear:
        more = f' and {len(unclear) - _MAX_NAMED} more' if len(unclear) > _MAX_NAMED else ''
        pairs = '; '.join(unclear[:_MAX_NAMED]) + more
        raise DataError(
            f'{source}: expected one name for each image, but these names and images could be meant: {pairs}'
        )
    return matched
