import numpy as np


def encode_rle(mask: np.ndarray) -> dict:
    """Encode a binary mask as COCO's compressed run-length encoding, as `pycocotools` reads it.

    Runs go down the columns, the first one of zeros. Each length, from the fourth on minus the length two before
    it, is written in groups of five bits, the lowest first, each as one printable character.

    Args:
        mask (ndarray): bool (H, W).

    Returns:
        dict: ``size`` (``[H, W]``) and ``counts`` (str, ASCII).

    Raises:
        ValueError: If ``mask`` is not two-dimensional bool.
    """
    if mask.dtype != bool or mask.ndim != 2:
        raise ValueError(f'mask must be bool (H, W), got {mask.dtype} {mask.shape}')
    flat = mask.ravel(order='F')
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate([[0], changes, [flat.size]])
    runs = np.diff(bounds)
    if flat.size and flat[0]:
        runs = np.concatenate([[0], runs])
    differences = runs.copy()
    differences[3:] -= runs[1:-2]
    return dict(size=list(mask.shape), counts=''.join(map(_encode_number, differences.tolist())))


def _encode_number(value: int) -> str:
    characters = []
    while True:
        group = value & 31
        value >>= 5
        # The highest bit of the last group is the sign of the number.
        last = value == (-1 if group & 16 else 0)
        characters.append(chr(48 + (group if last else group | 32)))
        if last:
            return ''.join(characters)
