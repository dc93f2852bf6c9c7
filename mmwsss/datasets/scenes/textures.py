"""What coats, heads and grounds look like: colors and patterns."""

import math

import numpy as np
from numpy.typing import ArrayLike

# Two colors (RGB in 0..1) and a pattern each; CLASS_COATS says who wears which.
COATS = (
    ((0.78, 0.60, 0.36), (0.40, 0.25, 0.14), 'stripes'),
    ((0.42, 0.50, 0.62), (0.80, 0.84, 0.88), 'spots'),
    ((0.48, 0.54, 0.24), (0.24, 0.29, 0.12), 'scales'),
    ((0.62, 0.30, 0.24), (0.86, 0.76, 0.62), 'patches'),
    ((0.28, 0.27, 0.33), (0.62, 0.56, 0.40), 'speckles'),
)
CLASS_COATS = {'beetle': (0, 1), 'bird': (1, 2), 'fish': (2, 3), 'lizard': (3, 4), 'turtle': (4, 0)}

# The two colors of each head pattern, see `head_pattern`.
HEADS = {
    'beetle': ((0.88, 0.16, 0.14), (0.97, 0.93, 0.90)),
    'bird': ((0.98, 0.82, 0.12), (0.10, 0.09, 0.10)),
    'fish': ((0.12, 0.72, 0.90), (0.06, 0.16, 0.48)),
    'lizard': ((0.86, 0.22, 0.74), (0.98, 0.84, 0.94)),
    'turtle': ((0.99, 0.52, 0.10), (0.12, 0.42, 0.16)),
}


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Bilinear value noise in [0, 1], float64 (size, size), with about `cells` bumps across."""
    grid = rng.random((cells + 1, cells + 1))
    position = (np.arange(size) + 0.5) / size * cells
    low = np.minimum(position.astype(int), cells - 1)
    weight = np.zeros((size, cells + 1))
    weight[np.arange(size), low] = 1 - (position - low)
    weight[np.arange(size), low + 1] = position - low
    return weight @ grid @ weight.T


def blend(first: ArrayLike, second: ArrayLike, amount: np.ndarray) -> np.ndarray:
    """Mix two colors (3,) by `amount` (H, W) in [0, 1] into (H, W, 3)."""
    first, second = np.asarray(first), np.asarray(second)
    return first + (second - first) * amount[..., None]


def coat_pattern(rng: np.random.Generator, pattern: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of the second color, (H, W) in [0, 1]; `x`, `y` in units of the body."""
    scale = rng.uniform(0.85, 1.2)
    x, y = x / scale + rng.uniform(0, 9), y / scale + rng.uniform(0, 9)
    if pattern == 'stripes':
        wave = np.sin(13 * x + 1.3 * np.sin(4 * y))
    elif pattern == 'spots':
        wave = np.cos(11 * x) * np.cos(11 * y) * 2.2 - 0.9
    elif pattern == 'scales':
        row = np.floor(y * 4)
        wave = np.hypot((x * 4 + 0.5 * row) % 1 - 0.5, y * 4 - row) * 5 - 3.2
    elif pattern == 'patches':
        wave = 2 * (np.sin(5 * x + 2 * np.sin(4 * y)) + np.sin(6 * y + 2 * np.sin(3 * x))) - 1.2
    else:
        wave = np.sin(23 * x + 2 * np.sin(9 * y)) * np.sin(21 * y + 2 * np.sin(8 * x)) * 3 - 1
    return np.clip(0.5 + wave, 0, 1)


def head_pattern(name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of the second color, (H, W) in [0, 1]; `x`, `y` in units of the head's radius."""
    if name == 'beetle':
        wave = np.sin(9 * np.hypot(x, y) + 1.5)
    elif name == 'bird':
        wave = x * 3
    elif name == 'fish':
        wave = 3 * np.sin(5 * x) * np.sin(5 * y)
    elif name == 'lizard':
        wave = 2 * np.sin(9 * y)
    else:
        wave = 4 * (0.5 - np.hypot(x, y))
    return np.clip(0.5 + wave, 0, 1)


def muted_color(rng: np.random.Generator) -> np.ndarray:
    """A natural color (3,): a gray of random lightness with a little of a random hue."""
    hue = rng.uniform(0, 2 * math.pi)
    wheel = np.cos(hue - np.array([0, 2.094, 4.189]))
    return np.clip(rng.uniform(0.3, 0.75) + rng.uniform(0.03, 0.14) * wheel, 0, 1)
