"""Objects as files of COCO's format: one for each image while they are made, and one of all."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine import fileio

from .atomic import atomic_write
from .errors import DataError
from .rle import encode_rle


def describe_object(mask: np.ndarray) -> dict[str, Any]:
    """COCO's ``segmentation``, ``area``, ``bbox`` (left, top, width, height) and ``iscrowd`` of an object.

    Args:
        mask (ndarray): bool (H, W), not empty.

    Examples:
        >>> one = describe_object(np.array([[False, True, True], [False, False, True]]))
        >>> one['area'], one['bbox']
        (3, [1, 0, 2, 2])
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    return dict(
        segmentation=encode_rle(mask),
        area=int(mask.sum()),
        bbox=[left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
        iscrowd=0,
    )


def write_instances(
    path: str | Path, file_name: str, masks: np.ndarray, class_ids: Sequence[int], scores: Sequence[float]
) -> None:
    """Write the objects of one image, whole or not at all.

    Args:
        path (str | Path): Target ``.json``, to be read by :func:`merge_instances`.
        file_name (str): Name of the image, as COCO's ``file_name``.
        masks (ndarray): bool (N, H, W), none of them empty.
        class_ids (sequence[int]): Class index of each.
        scores (sequence[float]): In [0, 1], how sure each is.

    Raises:
        ValueError: If the arguments are not of one length, or a mask is empty or not bool (H, W).
    """
    annotations = []
    for mask, class_id, score in zip(masks, class_ids, scores, strict=True):
        if not mask.any():
            raise ValueError(f'objects for {path} must have pixels, got an empty mask')
        annotations.append(dict(category_id=int(class_id), **describe_object(mask), score=float(score)))
    image = dict(file_name=file_name, height=int(masks.shape[1]), width=int(masks.shape[2]))
    atomic_write(path, json.dumps(dict(image=image, annotations=annotations)).encode())


def read_instances(path: str | Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Read what :func:`write_instances` wrote: the image, and its annotations.

    Raises:
        DataError: If the file is missing, or none that it wrote.
    """
    try:
        value = json.loads(fileio.get_text(str(path)))
        return dict(value['image']), [dict(one) for one in value['annotations']]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f'{path}: expected the objects of one image (.json), got {error!r}') from error


def merge_instances(path: str | Path, sources: Iterable[str | Path], categories: Mapping[int, str]) -> int:
    """Write the objects of all images as one data set of COCO, whole or not at all.

    Its annotations have a ``score`` beside COCO's own keys, so that the list of them is one of results, too.

    Args:
        path (str | Path): Target ``.json``.
        sources (iterable[str | Path]): Files of :func:`write_instances`, in the order of the images.
        categories (mapping[int, str]): Names of classes by their indices.

    Returns:
        int: Number of annotations.

    Raises:
        DataError: If a file is missing or damaged.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for source in sources:
        image, found = read_instances(source)
        images.append(dict(id=len(images) + 1, **image))
        for one in found:
            annotations.append(dict(id=len(annotations) + 1, image_id=len(images), **one))
    named = [dict(id=index, name=name) for index, name in categories.items()]
    atomic_write(path, json.dumps(dict(images=images, categories=named, annotations=annotations)).encode())
    return len(annotations)
