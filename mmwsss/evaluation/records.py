"""What a test keeps for the report, so that the report measures nothing and runs no network.

Confusion matrices, and what is measured without masks, go to the message hub of the run, and from there to files of the
stage. The rest lies in the folder
:data:`RECORD_DIR` of the work directory: ``<name>.json`` holds the mIoU of single images and what else a metric noted,
``<name>/<image_id>.png`` the pictures, where the name is that of what was measured.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.dist import all_gather_object, is_main_process
from mmengine.logging import MessageHub

from mmwsss.evaluation.functional.confusion import mean_iou
from mmwsss.fileio import atomic_write_json

RECORD_DIR = 'recorded'
BOUNDARY_NAME = 'affinity_boundaries'
# What a segmentor makes of images that it trained on.
TRAINING_IMAGES = 'segmentor_on_training_images'
NUM_PICTURES = 24
NUM_MEASURED = 1500
# Longer side of a picture in pixels.
PICTURE_SIDE = 300
# Ids of images of one kind that are kept, such as those with empty masks.
NUM_NAMED = 1000
_PREFIX = 'confusion/'
_STATISTICS = 'statistics/'


def record_confusion(name: str, confusion: np.ndarray, classes: Sequence[str]) -> None:
    """Notes a confusion matrix in the message hub of the run; checkpoints leave it out.

    Args:
        name (str): What was measured, such as 'random_walk'.
        confusion (ndarray): Counts of pixels (C, C) or (C, C + 1), rows are the ground truth.
        classes (sequence[str]): C names.
    """
    noted = dict(classes=list(classes), counts=np.asarray(confusion).tolist())
    MessageHub.get_current_instance().update_info(_PREFIX + name, noted, resumed=False)


def recorded_confusions(hub: MessageHub) -> dict[str, Mapping[str, Any]]:
    """The matrices that metrics noted in a message hub, by name: `classes` and `counts`."""
    return {name.removeprefix(_PREFIX): noted for name, noted in hub.runtime_info.items() if name.startswith(_PREFIX)}


def record_statistics(name: str, kind: str, **values: Any) -> None:
    """Notes what was measured without masks in the message hub of the run; checkpoints leave it out.

    Args:
        name (str): What was measured, such as 'random_walk'.
        kind (str): Which values these are: 'classifier', 'labels', 'segmentor' or 'training_images'.
        **values: What JSON can hold.
    """
    MessageHub.get_current_instance().update_info(_STATISTICS + name, dict(kind=kind, **values), resumed=False)


def recorded_statistics(hub: MessageHub) -> dict[str, Mapping[str, Any]]:
    """What :func:`record_statistics` noted in a message hub, by name."""
    noted = {name: values for name, values in hub.runtime_info.items() if name.startswith(_STATISTICS)}
    return {name.removeprefix(_STATISTICS): values for name, values in noted.items()}


def gather_names(named: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Ids of images by what is said of them, those of all processes: at most :data:`NUM_NAMED` each, sorted.

    Each process must call it.
    """
    parts = all_gather_object({key: list(image_ids) for key, image_ids in named.items()})
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: sorted({one for part in parts for one in part.get(key, ())})[:NUM_NAMED] for key in sorted(keys)}


def choose_evenly(total: int, number: int) -> list[int]:
    """Positions of at most ``number`` of ``total`` items, evenly spread over them, in their order.

    Examples:
        >>> choose_evenly(5, 3)
        [0, 2, 4]
    """
    return np.linspace(0, total - 1, min(total, number)).round().astype(int).tolist()


def image_id_of(sample: Mapping[str, Any], folder: str = '') -> str:
    """Name of an image: ``image_id`` of its sample, else its path under the image folder, without suffix.

    Args:
        sample (dict): With ``image_id`` or ``img_path``.
        folder (str): Image folder of the data set. Defaults to '': the name of the file is taken.
    """
    if sample.get('image_id'):
        return str(sample['image_id'])
    path = os.path.relpath(sample['img_path'], folder) if folder else os.path.basename(sample['img_path'])
    return Path(os.path.basename(path) if path.startswith('..') else path).with_suffix('').as_posix()


def picture_size(size: Sequence[int]) -> tuple[int, int]:
    """Height and width of the picture of an image, whose longer side is at most :data:`PICTURE_SIDE`."""
    scale = min(1.0, PICTURE_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrink_mask(mask: np.ndarray) -> np.ndarray:
    """A mask, uint8 (H, W), at the size of its picture."""
    return cv2.resize(mask, picture_size(mask.shape)[::-1], interpolation=cv2.INTER_NEAREST)


@dataclass(frozen=True)
class RecordedImages:
    """Which images of a test something is kept of.

    Both groups are evenly spread over the list of images and depend on nothing else: stages that are tested on one list
    keep pictures of the same images, whichever process sees them.

    Attributes:
        pictured (frozenset[str]): Those that pictures are kept of in any case, at most :data:`NUM_PICTURES`.
        measured (frozenset[str]): Those whose own mIoU is kept, and a picture where it is measured, at most
            :data:`NUM_MEASURED`.
        folder (str): Image folder of the data set. Defaults to ''.
    """

    pictured: frozenset[str]
    measured: frozenset[str]
    folder: str = ''

    @classmethod
    def of_dataset(cls, dataset: Any) -> 'RecordedImages':
        """Chooses images of a ``BaseDataset``; none of a data set that does not say which images it has."""
        if not hasattr(dataset, 'get_data_info'):
            return cls(frozenset(), frozenset())
        folder = (getattr(dataset, 'data_prefix', None) or {}).get('img_path') or ''

        def choose(number: int) -> frozenset[str]:
            chosen = (dataset.get_data_info(index) for index in choose_evenly(len(dataset), number))
            return frozenset(image_id_of(sample, folder) for sample in chosen)

        return cls(choose(NUM_PICTURES), choose(NUM_MEASURED), folder)


class Record:
    """What a metric keeps of a test, beside its figures.

    Args:
        folder (str | Path): :data:`RECORD_DIR` of the work directory.
        name (str): What is measured, such as 'random_walk'.
        images (RecordedImages): Which images something is kept of.
    """

    def __init__(self, folder: str | Path, name: str, images: RecordedImages) -> None:
        self.folder, self.name, self.images = Path(folder), name, images
        self._ious: dict[str, float] = {}
        self._noted: dict[str, Any] = {}

    def picture(self, sample: Mapping[str, Any], measured: bool = False) -> str | None:
        """File of the picture of an image; None where none is kept.

        Args:
            sample (dict): With ``image_id`` or ``img_path``.
            measured (bool): Whether the mIoU of the image is measured: then it may turn out to be among the best or the
                worst, which are shown. Defaults to False.
        """
        image_id = image_id_of(sample, self.images.folder)
        kept = image_id in self.images.pictured or (measured and image_id in self.images.measured)
        return str(self.folder / self.name / f'{image_id}.png') if kept else None

    def measures(self, sample: Mapping[str, Any]) -> bool:
        """Whether the mIoU of an image is kept."""
        return image_id_of(sample, self.images.folder) in self.images.measured

    def measure(self, sample: Mapping[str, Any], confusion: np.ndarray) -> None:
        """Keeps the mIoU of an image, from its counts (C, C) or (C, C + 1); nothing where no class occurs."""
        iou = float(mean_iou(confusion))
        if np.isfinite(iou):
            self._ious[image_id_of(sample, self.images.folder)] = round(iou, 2)

    def note(self, **values: Any) -> None:
        """Keeps values that all processes know."""
        self._noted.update(values)

    def write(self) -> None:
        """Writes what all processes kept, in the first of them; each of them must call it."""
        parts = all_gather_object(self._ious)
        ious = {image_id: iou for part in parts for image_id, iou in part.items()}
        if is_main_process() and (ious or self._noted):
            content = dict(self._noted, mIoU_of_images=dict(sorted(ious.items())))
            atomic_write_json(self.folder / f'{self.name}.json', content)
        self._ious, self._noted = {}, {}
