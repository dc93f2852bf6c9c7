from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from mmwsss.fileio import FULL_WEIGHT
from mmwsss.registry import TRANSFORMS

from .loading import PIXEL_WEIGHT


@TRANSFORMS.register_module()
class RandomCropOrPad(BaseTransform):
    """Crop a large image at a random place, and put a small one at a random place of the crop, each side on its own.

    Unlike mmseg's ``RandomCrop``, the result always has the size of the crop, and a small image is not always in the
    upper left corner. The window that it covers, ``valid_box``, becomes meta information.

    Args:
        crop_size (tuple[int, int]): Height and width in pixels.
        pad_val (sequence[float]): Value of each channel around a small image, in the order of ``img``. The mean of the
            normalization becomes zero afterwards.
        seg_pad_val (int): Value around a small label map. Defaults to 255.
    """

    def __init__(
        self, crop_size: tuple[int, int], pad_val: Sequence[float] = (0, 0, 0), seg_pad_val: int = 255
    ) -> None:
        if len(crop_size) != 2 or min(crop_size) < 1:
            raise ValueError(f'crop_size must be a positive height and width, got {crop_size}')
        self.crop_size = tuple(crop_size)
        self.pad_val = pad_val
        self.seg_pad_val = seg_pad_val

    def transform(self, results: dict) -> dict:
        windows = [self._window(side, crop) for side, crop in zip(results['img'].shape[:2], self.crop_size)]
        results['img'] = self._place(results['img'], windows, self.pad_val)
        for key in results.get('seg_fields', ()):
            # The weight around a mask is a full one, whatever label stands there.
            results[key] = self._place(results[key], windows, FULL_WEIGHT if key == PIXEL_WEIGHT else self.seg_pad_val)
        results['img_shape'] = self.crop_size
        (_, rows), (_, columns) = windows
        results['valid_box'] = (rows.start, columns.start, rows.stop, columns.stop)
        return results

    @staticmethod
    def _window(side: int, crop: int) -> tuple[slice, slice]:
        """Where to read in the image and where to write in the crop, along one side."""
        length = min(side, crop)
        read = np.random.randint(side - length + 1)
        write = np.random.randint(crop - length + 1)
        return slice(read, read + length), slice(write, write + length)

    def _place(
        self, array: np.ndarray, windows: list[tuple[slice, slice]], value: float | Sequence[float]
    ) -> np.ndarray:
        (read_y, write_y), (read_x, write_x) = windows
        canvas = np.empty((*self.crop_size, *array.shape[2:]), array.dtype)
        canvas[...] = np.asarray(value).astype(array.dtype)
        canvas[write_y, write_x] = array[read_y, read_x]
        return canvas

    def __repr__(self) -> str:
        return f'{type(self).__name__}(crop_size={self.crop_size})'
