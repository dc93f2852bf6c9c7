import math

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms import LoadImageFromFile as MMCVLoadImageFromFile
from PIL import Image

from mmwsss.fileio import DataError, read_class_mask, read_image, read_pixel_weights, read_seeds, size_reduction
from mmwsss.registry import TRANSFORMS
from mmwsss.structures import Seeds

MAX_ASPECT = 100
PIXEL_WEIGHT = 'gt_pixel_weight'


def _path(results: dict, key: str, folder: str) -> str:
    if key not in results:
        raise DataError(f'{results["img_path"]}: no {key} in the sample; set {folder} of ImageLabelDataset')
    return results[key]


@TRANSFORMS.register_module()
class LoadImageFromFile(MMCVLoadImageFromFile):
    """Load ``img`` (uint8 (H, W, 3), BGR) from ``img_path`` with :func:`read_image`, the reader that all stages share.

    In a test pipeline of a segmentor, write ``dict(type='LoadImageFromFile', _scope_='mmwsss')``. MMSegmentation's
    inference replaces a transform of this name, and would not know ``mmwsss.LoadImageFromFile``.

    Args:
        long_side (int, optional): Number of pixels that later transforms need along the long side. A larger JPEG is
            decoded at a half, a quarter or an eighth of its size if that leaves as many, which saves most of the
            time. Defaults to None: full size.
        backend_args (dict, optional): Arguments of mmengine's file backend. Defaults to None.

    Raises:
        DataError: If the image cannot be read, or one side is more than 100 times the other, so that resizing would
            leave nothing of it.
    """

    def __init__(self, long_side: int | None = None, backend_args: dict | None = None) -> None:
        super().__init__(backend_args=backend_args)
        self.long_side = long_side

    def transform(self, results: dict) -> dict:
        path, reduce = results['img_path'], 1
        if self.long_side is not None and self.backend_args is None and path.lower().endswith(('.jpg', '.jpeg')):
            reduce = self._reduction(path, self.long_side)
        image = read_image(path, reduce, self.backend_args)
        if max(image.shape[:2]) > MAX_ASPECT * min(image.shape[:2]):
            raise DataError(
                f'{path}: expected an image whose sides differ by a factor of at most {MAX_ASPECT}, got '
                f'{image.shape[0]} x {image.shape[1]} pixels'
            )
        results['img'] = image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        results['decode_reduction'] = reduce
        return results

    @staticmethod
    def _reduction(path: str, wanted: int) -> int:
        """Factor beside that of an image over ``MAX_PIXELS``; both together are at most 8."""
        try:
            with Image.open(path, formats=('JPEG', 'MPO')) as image:
                base = size_reduction(image.size)
                long_side = max(image.size) // base
                if max(image.size) > MAX_ASPECT * min(image.size):
                    return 1
        except Exception:  # whatever ails the file, reading it names it
            return 1
        return next((factor for factor in (8, 4, 2) if factor * base <= 8 and long_side // factor >= wanted), 1)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(long_side={self.long_side})'


@TRANSFORMS.register_module()
class LoadLabelMap(BaseTransform):
    """Load ``gt_seg_map`` from affinity labels or pseudo masks, in the indices of the configured classes.

    Where the data set has a ``pixel_weight_dir``, the weights of the pixels of a pseudo mask become
    ``gt_pixel_weight``, uint8 (H, W), 255 for a weight of 1. As one of ``seg_fields``, it takes part in what transforms
    do to label maps.

    Args:
        source (str): ``'affinity_label'`` or ``'pseudo_mask'``: which of the files of ``ImageLabelDataset`` to read.
        num_classes (int, optional): Checks the indices against this count. By default, against that of the data set.

    Raises:
        DataError: If the sample names no such file, a file is unreadable, of another size than the image, or has an
            index that is no class.
    """

    def __init__(self, source: str, num_classes: int | None = None) -> None:
        if source not in ('affinity_label', 'pseudo_mask'):
            raise ValueError(f"source must be 'affinity_label' or 'pseudo_mask', got {source!r}")
        self.source = source
        self.num_classes = num_classes

    def transform(self, results: dict) -> dict:
        path = _path(results, f'{self.source}_path', f'{self.source}_dir')
        label_map = read_class_mask(path, self.num_classes or results.get('num_classes', 255))
        self._add(results, 'gt_seg_map', label_map, path)
        if self.source == 'pseudo_mask' and 'pixel_weight_path' in results:
            path = results['pixel_weight_path']
            self._add(results, PIXEL_WEIGHT, read_pixel_weights(path), path)
        return results

    @staticmethod
    def _add(results: dict, key: str, label_map: np.ndarray, path: str) -> None:
        """Adds what a file holds for each pixel, at the size at which the image was decoded."""
        height, width = results['img'].shape[:2]
        reduction = results.get('decode_reduction', 1)
        expected = tuple(math.ceil(side / reduction) for side in label_map.shape)
        if (height, width) != expected:
            raise DataError(f'{path}: expected a mask of the size of {results["img_path"]}, got {label_map.shape}')
        if reduction > 1:
            label_map = cv2.resize(label_map, (width, height), interpolation=cv2.INTER_NEAREST)
        results[key] = label_map
        results.setdefault('seg_fields', []).append(key)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(source={self.source!r})'


def _begin_with_background(results: dict, seeds: Seeds) -> bool:
    return bool(results.get('with_background', True)) and 0 in seeds.class_ids


@TRANSFORMS.register_module()
class LoadSeeds(BaseTransform):
    """Load ``seeds`` (:class:`mmwsss.structures.Seeds`) from ``seed_path``.

    If no image was loaded before, its size, ``ori_shape``, is that of the seeds.

    Raises:
        DataError: If the sample names no such file, it is damaged, of an image of another size, holds an index that
            is no class, or its classes are not those of the image-level labels.
    """

    def transform(self, results: dict) -> dict:
        path = _path(results, 'seed_path', 'seed_dir')
        seeds = read_seeds(path)
        num_classes = results.get('num_classes', 255)
        if len(seeds.class_ids) and seeds.class_ids[-1] >= num_classes:
            raise DataError(f'{path}: class {seeds.class_ids[-1]} is none of the {num_classes} classes')
        if 'ori_shape' in results and tuple(seeds.size) != tuple(results['ori_shape'][:2]):
            raise DataError(
                f'{path}: expected seeds of an image of {tuple(results["ori_shape"][:2])} pixels '
                f'({results["img_path"]}), got {seeds.size}'
            )
        present = results.get('gt_class_ids')
        found = seeds.class_ids[1:] if _begin_with_background(results, seeds) else seeds.class_ids
        if present is not None and list(found) != list(present):
            raise DataError(
                f'{path}: holds classes {list(map(int, seeds.class_ids))}, but the image-level labels of '
                f'{results["image_id"]!r} say {list(map(int, present))}; were the seeds made with other labels?'
            )
        results['seeds'] = seeds
        results.setdefault('ori_shape', seeds.size)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
