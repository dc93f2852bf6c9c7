from collections.abc import Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform, to_tensor
from mmengine.structures import LabelData, PixelData
from mmseg.structures import SegDataSample

from mmwsss.fileio import DataError
from mmwsss.registry import TRANSFORMS

from .loading import PIXEL_WEIGHT


@TRANSFORMS.register_module()
class PackWeakInputs(BaseTransform):
    """Pack an image with its image-level labels, seeds and label map.

    Gives ``inputs``, uint8 (3, H, W), and ``data_samples``, a ``SegDataSample``. Where no image was loaded, ``inputs``
    is empty, (3, 0, 0). The sample has

    - ``gt_label``: ``LabelData`` whose ``score`` is the multi-hot float32 label,
    - ``gt_sem_seg``: ``PixelData`` whose ``data`` is the label map, int64 (1, H, W),
    - ``gt_pixel_weight``: ``PixelData`` whose ``data`` is the weight of each pixel, uint8 (1, H, W), 255 for 1,
    - ``seeds``: the :class:`mmwsss.structures.Seeds`,

    each if it was loaded.

    Args:
        meta_keys (sequence[str]): Keys copied to the sample's meta information where present.

    Raises:
        DataError: If a transform has changed the size of the label map and not that of the weights of its pixels.
    """

    def __init__(
        self,
        meta_keys: Sequence[str] = (
            'image_id',
            'img_path',
            'seg_map_path',
            'label_map',
            'gt_class_ids',
            'ori_shape',
            'img_shape',
            'valid_box',
            'flip',
            'flip_direction',
            'reduce_zero_label',
            'with_background',
        ),
    ) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict) -> dict:
        sample = SegDataSample(metainfo={key: results[key] for key in self.meta_keys if key in results})
        if 'gt_label' in results:
            sample.set_field(LabelData(score=torch.from_numpy(results['gt_label'])), 'gt_label')
        if 'gt_seg_map' in results:
            label_map = to_tensor(results['gt_seg_map'][None].astype(np.int64))
            sample.gt_sem_seg = PixelData(data=label_map)
        if PIXEL_WEIGHT in results:
            if results[PIXEL_WEIGHT].shape != results['gt_seg_map'].shape:
                raise DataError(
                    f'{results["img_path"]}: the weights of the pixels, {results[PIXEL_WEIGHT].shape}, are not of the '
                    f'size of the mask, {results["gt_seg_map"].shape}; where Pad, which leaves them out, is among the '
                    'transforms, expected mmwsss.RandomCropOrPad in its place'
                )
            weights = to_tensor(np.ascontiguousarray(results[PIXEL_WEIGHT][None]))
            sample.set_field(PixelData(data=weights), PIXEL_WEIGHT)
        if 'seeds' in results:
            sample.set_field(results['seeds'], 'seeds')
        image = results.get('img', np.empty((0, 0, 3), np.uint8))
        return dict(inputs=torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))), data_samples=sample)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(meta_keys={self.meta_keys})'
