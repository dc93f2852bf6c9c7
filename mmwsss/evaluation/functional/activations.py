"""Activations of class maps in hundredths."""

import numpy as np

NUM_BINS = 100


def strongest_activation(cams: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the strongest of maps (K, H, W), K at least 1, and its activation in hundredths, both intp (H, W)."""
    strongest = cams.argmax(0) if len(cams) > 1 else np.zeros(cams.shape[1:], np.intp)
    level = cams[0] if len(cams) == 1 else cams.max(0)
    return strongest, np.minimum((level * NUM_BINS).astype(np.intp), NUM_BINS - 1)
