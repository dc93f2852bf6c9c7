import numpy as np
from pycocotools import mask as coco_mask


def encode_rle(mask: np.ndarray) -> dict:
    """Encode a binary mask as COCO's compressed run-length encoding, ready for JSON.

    Args:
        mask (ndarray): bool (H, W).

    Returns:
        dict: ``size`` (``[H, W]``) and ``counts`` (str, ASCII).

    Raises:
        ValueError: If ``mask`` is not two-dimensional bool.
    """
    if mask.dtype != bool or mask.ndim != 2:
        raise ValueError(f'mask must be bool (H, W), got {mask.dtype} {mask.shape}')
    encoded = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return dict(size=list(mask.shape), counts=encoded['counts'].decode())
