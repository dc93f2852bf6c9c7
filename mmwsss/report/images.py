"""Which images a run was about, and which of them the report shows."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmwsss.evaluation.functional.confusion import classes_of_ground_truth
from mmwsss.evaluation.records import NUM_PICTURES, choose_evenly, image_id_of
from mmwsss.fileio import IGNORE_COLOR
from mmwsss.registry import DATASETS

# Of each kind of extreme: best, worst and most changed.
NUM_EXTREMES = 4
# Of those that a run without masks says to look at.
NUM_TO_LOOK_AT = 24
TO_LOOK_AT = 'to look at'


@dataclass(frozen=True)
class ReportImage:
    """An image of the run.

    Attributes:
        image_id (str): Path under the image folder without suffix.
        path (str): The file.
        class_ids (tuple[int]): Data set indices of the classes of its image-level labels.
        truth_path (str, optional): Its ground truth, where there is one to evaluate on.
        truth_classes (dict, optional): Class index of each index that the ground truth stores; None where they are
            the same.
    """

    image_id: str
    path: str
    class_ids: tuple[int, ...] = ()
    truth_path: str | None = None
    truth_classes: Mapping[int, int] | None = field(default=None, hash=False)


class ImageList(NamedTuple):
    """The images of a test.

    Attributes:
        images (dict[str, ReportImage]): By id, in the order of the data set.
        pictured (list[str]): Ids of those that its test keeps pictures of.
        classes (list[str]): Names of the classes.
        palette (ndarray): uint8 (256, 3), RGB color of each index of a mask.
        with_background (bool): Whether class 0 is the background.
    """

    images: dict[str, ReportImage]
    pictured: list[str]
    classes: list[str]
    palette: np.ndarray
    with_background: bool


def list_images(config: Config) -> ImageList | None:
    """Lists the images of the test of a stage; None where there is no test of segmentation.

    Raises:
        DataError: If the data set cannot be read.
    """
    if not config.get('test_dataloader'):
        return None
    with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmseg')):
        dataset = DATASETS.build({**config.test_dataloader.dataset, 'pipeline': []})
    samples = map(dataset.get_data_info, range(len(dataset))) if hasattr(dataset, 'get_data_info') else ()
    folder = (getattr(dataset, 'data_prefix', None) or {}).get('img_path') or ''
    images = [_image(sample, folder) for sample in samples if 'img_path' in sample]
    if not images or not dataset.metainfo.get('classes'):
        return None
    return ImageList(
        {image.image_id: image for image in images},
        [images[index].image_id for index in choose_evenly(len(images), NUM_PICTURES)],
        list(dataset.metainfo['classes']),
        _palette(dataset.metainfo.get('palette') or ()),
        bool(dataset.metainfo.get('with_background', True)),
    )


def _image(sample: Mapping[str, Any], folder: str) -> ReportImage:
    truth = sample.get('seg_map_path')
    return ReportImage(
        image_id=image_id_of(sample, folder),
        path=sample['img_path'],
        class_ids=tuple(int(index) for index in sample.get('gt_class_ids', ())),
        truth_path=truth if truth and os.path.isfile(truth) else None,
        truth_classes=classes_of_ground_truth(sample),
    )


def _palette(colors: Sequence[Sequence[int]]) -> np.ndarray:
    palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    if len(colors):
        palette[: len(colors)] = colors
    palette[255] = IGNORE_COLOR
    return palette


def choose_images(
    listed: Sequence[str],
    sampled: Sequence[str],
    before: Mapping[str, float],
    after: Mapping[str, float],
    to_look_at: Collection[str] = (),
) -> dict[str, list[str]]:
    """Chooses the images of the gallery: a sample, those with the best and the worst masks, and the most changed.

    Images to look at are added, whether or not there is ground truth.

    Args:
        listed (sequence[str]): Ids of all images that can be shown.
        sampled (sequence[str]): Ids of the sample.
        before (dict[str, float]): mIoU of the first rung of the ladder, by id, of the images that were measured.
        after (dict[str, float]): mIoU of the last one.
        to_look_at (collection[str]): Ids of images that something is the matter with. Defaults to none.

    Returns:
        dict[str, list[str]]: Ids of images, with the reasons for each.
    """
    known = set(listed)
    suspicious = [one for one in listed if one in to_look_at]
    ranked = sorted((one for one in after if one in known), key=lambda one: -after[one])
    changes = {one: abs(after[one] - before[one]) for one in ranked if one in before}
    changed = sorted((one for one, change in changes.items() if change), key=lambda one: -changes[one])
    reasons: dict[str, list[str]] = {}
    for reason, group in (
        ('sample', [one for one in sampled if one in known]),
        ('best', ranked[:NUM_EXTREMES]),
        ('worst', ranked[::-1][:NUM_EXTREMES]),
        ('most changed', changed[:NUM_EXTREMES]),
        (TO_LOOK_AT, [suspicious[at] for at in choose_evenly(len(suspicious), NUM_TO_LOOK_AT)]),
    ):
        for one in group:
            reasons.setdefault(one, []).append(reason)
    return reasons
