"""Which photographs a pipeline run was about, and how its seeds and pseudo masks compare with their masks."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.utils import track_iter_progress
from mmseg.registry import DATASETS

from mmwsss.evaluation.functional.confusion import classes_of_truth, confusion_matrix, mean_iou, read_truth
from mmwsss.evaluation.metrics.seed_metric import NUM_BINS, count_seeds
from mmwsss.fileio import DataError, read_mask, read_seeds


@dataclass(frozen=True)
class Photograph:
    """A photograph of the run and the files that the steps made for it.

    Attributes:
        image_id (str): Path under the image folder without suffix.
        path (str): The photograph.
        class_ids (tuple[int]): Data set indices of the classes of its image-level labels.
        seed_path (Path): Its seeds; the file may be missing, as may the next two.
        affinity_label_path (Path): Its affinity labels.
        pseudo_mask_path (Path): Its pseudo mask.
        truth_path (str, optional): Its true mask, where it is one to evaluate on.
        truth_classes (dict, optional): Class index of each index that the true mask stores; None where they
            are the same.
    """

    image_id: str
    path: str
    class_ids: tuple[int, ...]
    seed_path: Path
    affinity_label_path: Path
    pseudo_mask_path: Path
    truth_path: str | None = None
    truth_classes: Mapping[int, int] | None = field(default=None, hash=False)


def step_configs(work_dir: Path, steps: Iterable[str]) -> dict[str, Config]:
    """The resolved configs that the tests of steps left in their folders, by step, in order."""
    configs = {}
    for step in steps:
        files = sorted((work_dir / step).glob('*.py'))
        config = Config.fromfile(files[0]) if files else {}
        if config.get('test_dataloader'):
            configs[step] = config
    return configs


def load_photographs(config: Config, settings: Mapping[str, Any]) -> list[Photograph]:
    """Lists the photographs of the test data set of a step.

    Args:
        config (Config): Resolved config of the step.
        settings (dict): Settings of the run; folders of seeds, affinity labels and pseudo masks are used.

    Returns:
        list[Photograph]: In the order of the data set; empty where that is no segmentation data set.
    """
    with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmseg')):
        dataset = DATASETS.build({**config.test_dataloader.dataset, 'pipeline': [], 'lazy_init': True})
        samples = dataset.load_data_list() if hasattr(dataset, 'load_data_list') else []
    folder = getattr(dataset, 'data_prefix', {}).get('img_path') or ''
    return [_photograph(sample, folder, settings) for sample in samples if 'img_path' in sample]


def _photograph(sample: Mapping[str, Any], folder: str, settings: Mapping[str, Any]) -> Photograph:
    path = sample['img_path']
    image_id = sample.get('image_id') or Path(os.path.relpath(path, folder)).with_suffix('').as_posix()
    truth = sample.get('seg_map_path')
    return Photograph(
        image_id=image_id,
        path=path,
        class_ids=tuple(int(index) for index in sample.get('gt_class_ids', ())),
        seed_path=Path(settings['seed_dir'], f'{image_id}.npz'),
        affinity_label_path=Path(settings['affinity_label_dir'], f'{image_id}.png'),
        pseudo_mask_path=Path(settings['pseudo_mask_dir'], f'{image_id}.png'),
        truth_path=truth if truth and os.path.isfile(truth) else None,
        truth_classes=classes_of_truth(sample),
    )


@dataclass(frozen=True)
class Measured:
    """Pixels of one photograph by true and by predicted class, int64 (C, C + 1).

    Attributes:
        photograph (Photograph): Which one.
        cam (ndarray): Of its activation maps at the configured background score.
        pseudo_mask (ndarray, optional): Of its pseudo mask, None where there is none.
    """

    photograph: Photograph
    cam: np.ndarray
    pseudo_mask: np.ndarray | None

    @property
    def before(self) -> float:
        """mIoU of the activation maps in percent, over the classes of this photograph."""
        return float(mean_iou(self.cam))

    @property
    def after(self) -> float:
        """mIoU of the pseudo mask in percent, that of the activation maps where there is none."""
        return self.before if self.pseudo_mask is None else float(mean_iou(self.pseudo_mask))


def measure(
    photographs: Sequence[Photograph], num_classes: int, background_score: float, with_background: bool = True
) -> tuple[list[Measured], np.ndarray]:
    """Compares seeds and pseudo masks with the true masks, of the photographs that have both.

    Args:
        photographs (sequence[Photograph]): Those without a true mask or without seeds are passed over.
        num_classes (int): Number of classes C.
        background_score (float): Pixels whose strongest activation is below are background.
        with_background (bool): Whether class 0 is the background; without, classes compete among themselves.

    Returns:
        tuple: What was measured of each, and the sum of :func:`count_seeds`, int64 (C, C + 1, NUM_BINS).
    """
    measured = []
    total = np.zeros((num_classes, num_classes + 1, NUM_BINS), np.int64)
    compared = [one for one in photographs if one.truth_path is not None and one.seed_path.is_file()]
    for photograph in track_iter_progress(compared) if compared else ():
        seeds = read_seeds(photograph.seed_path)
        counts = count_seeds(seeds, photograph.truth_path, photograph.truth_classes, num_classes)
        total += counts
        cam = counts.sum(2)
        if with_background:
            cam = counts[:, :, round(background_score * NUM_BINS) :].sum(2)
            cam[:, -1] = 0
            cam[:, 0] += counts.sum((1, 2)) - cam.sum(1)
        measured.append(Measured(photograph, cam, _measure_mask(photograph, seeds.size, num_classes)))
    return measured, total


def _measure_mask(photograph: Photograph, size: tuple[int, int], num_classes: int) -> np.ndarray | None:
    if photograph.truth_path is None or not photograph.pseudo_mask_path.is_file():
        return None
    mask = read_mask(photograph.pseudo_mask_path)
    if mask.shape != tuple(size):
        raise DataError(
            f'{photograph.pseudo_mask_path}: expected a pseudo mask of {tuple(size)} pixels like '
            f'its photograph, got {mask.shape}'
        )
    truth = read_truth(photograph.truth_path, size, num_classes, photograph.truth_classes)
    return confusion_matrix(truth, mask, num_classes)


def sample_evenly(photographs: Sequence[Photograph], number: int, seed: int = 0) -> list[Photograph]:
    """Picks at most `number` photographs at random, the same ones for the same seed, in their order."""
    if len(photographs) <= number:
        return list(photographs)
    chosen = np.random.default_rng(seed).choice(len(photographs), number, replace=False)
    return [photographs[index] for index in sorted(chosen)]


def choose_panels(
    photographs: Sequence[Photograph], measured: Sequence[Measured], number: int = 24, seed: int = 0
) -> dict[str, list[str]]:
    """Chooses the photographs of the gallery.

    A quarter each are those with the best and the worst pseudo masks, those whose mIoU the steps after the
    activation maps changed most, and photographs at random, which make up for what the others lack.

    Args:
        photographs (sequence[Photograph]): All there are.
        measured (sequence[Measured]): Those that were compared with a true mask.
        number (int): How many to choose. Defaults to 24.
        seed (int): Of the random ones. Defaults to 0.

    Returns:
        dict[str, list[str]]: Ids of the photographs, with the reasons for each: 'best', 'worst',
        'most changed', 'random'.
    """
    quarter = number // 4
    ranked = sorted((one for one in measured if np.isfinite(one.after)), key=lambda one: -one.after)
    changed = sorted(
        (one for one in ranked if one.pseudo_mask is not None), key=lambda one: -abs(one.after - one.before)
    )
    reasons: dict[str, list[str]] = {}
    for reason, group in (
        ('best', ranked[:quarter]),
        ('worst', ranked[::-1][:quarter]),
        ('most changed', changed[:quarter]),
    ):
        for one in group:
            reasons.setdefault(one.photograph.image_id, []).append(reason)
    others = [photograph for photograph in photographs if photograph.image_id not in reasons]
    for photograph in sample_evenly(others, number - len(reasons), seed):
        reasons[photograph.image_id] = ['random']
    return reasons
