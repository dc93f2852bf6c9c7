"""One scene: ground, clutter, creatures, leaves and light."""

import math
from typing import NamedTuple

import numpy as np

from .creatures import capsule, ellipse, render_creature
from .textures import COATS, blend, muted_color, smooth_noise

CLASSES = ('background', 'beetle', 'bird', 'fish', 'lizard', 'turtle')
SPLITS = ('train', 'val')
MAX_TRIES = 24
# Shares of scenes with one, two and three creatures.
COUNT_SHARES = (0.45, 0.35, 0.2)


class Scene(NamedTuple):
    """One generated scene.

    Attributes:
        image (ndarray): RGB image, uint8 (size, size, 3).
        mask (ndarray): Class indices of `CLASSES`, uint8 (size, size).
        labels (list[str]): Names of the foreground classes that occur in the mask, in the order of `CLASSES`.
        instances (ndarray): Number of the creature of each pixel, from 1 in the order they were drawn, 0 where there is
            none, uint8 (size, size).
    """

    image: np.ndarray
    mask: np.ndarray
    labels: list[str]
    instances: np.ndarray


class _Drawn(NamedTuple):
    """A creature in the image: the pixels (size, size) seen of it and its head, and how many there were."""

    body: np.ndarray
    head: np.ndarray
    body_area: int
    head_area: int


def _background(rng: np.random.Generator, size: int) -> np.ndarray:
    """Two or three kinds of ground with stones, leaves and sticks, (size, size, 3) in about [0, 1]."""
    grid = (np.arange(size) + 0.5) / size
    x, y = grid[None, :], grid[:, None]
    image = np.zeros((size, size, 3))
    best = np.full((size, size), -1.0)
    mood = muted_color(rng)
    for _ in range(int(rng.integers(2, 4))):
        region = smooth_noise(rng, size, 3)
        texture = 0.5 * smooth_noise(rng, size, int(rng.integers(4, 9)))
        texture = texture + 0.5 * smooth_noise(rng, size, int(rng.integers(14, 40)))
        first, second = (0.5 * (mood + muted_color(rng)) for _ in range(2))
        ground = blend(first, second, texture)
        image = np.where((region > best)[..., None], ground, image)
        best = np.maximum(best, region)
    texture = 0.85 + 0.3 * smooth_noise(rng, size, 24)[..., None]
    for _ in range(int(rng.integers(8, 17))):
        image = _draw_clutter(rng, image, texture, x, y)
    return image


def _draw_clutter(
    rng: np.random.Generator, image: np.ndarray, texture: np.ndarray, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Draw one stone, leaf or stick over the image; coordinates are in units of the image."""
    cx, cy = rng.random(2)
    angle = rng.uniform(0, math.pi)
    kind = int(rng.integers(3))
    if kind == 0:
        radius = rng.uniform(0.025, 0.08)
        distance = ellipse(cx, cy, radius, radius * rng.uniform(0.6, 1), angle)
    elif kind == 1:
        radius = rng.uniform(0.05, 0.12)
        distance = ellipse(cx, cy, radius, radius * 0.35, angle)
    else:
        reach = rng.uniform(0.08, 0.25)
        distance = capsule(cx, cy, cx + reach * math.cos(angle), cy + reach * math.sin(angle), 0.014, 0.01)
    alpha = np.clip(0.5 - distance(x, y) * len(image), 0, 1)[..., None]
    color = muted_color(rng)
    if rng.random() < 0.3:
        first, second, _ = COATS[int(rng.integers(len(COATS)))]
        color = np.asarray(first if rng.random() < 0.5 else second)
    return image + (color * texture - image) * alpha


def make_scene(index: int, split: str = 'train', seed: int = 0, size: int = 128) -> Scene:
    """Generate one scene.

    It depends on its arguments alone: scenes may be made in any order and by any number of processes.

    Args:
        index (int): Number of the scene within its split, from 0.
        split (str): 'train' or 'val'. Defaults to 'train'.
        seed (int): Seed of the data set, from 0. Defaults to 0.
        size (int): Height and width in pixels, at least 32. Defaults to 128.

    Returns:
        Scene: image, mask, labels and instances of one to three creatures. Those in front hide at most a fifth of a
        head and a quarter of a body; a head that is not tucked in lies inside the image.

    Raises:
        ValueError: If an argument is out of its range.
    """
    if split not in SPLITS:
        raise ValueError(f'split must be one of {SPLITS}, got {split!r}')
    if index < 0 or seed < 0:
        raise ValueError(f'index and seed must be 0 or more, got index={index}, seed={seed}')
    if size < 32:
        raise ValueError(f'size must be at least 32, got {size}')
    rng = np.random.default_rng([seed, SPLITS.index(split), index])
    image = _background(rng, size)
    mask = np.zeros((size, size), dtype=np.uint8)
    instances = np.zeros((size, size), dtype=np.uint8)
    drawn: list[_Drawn] = []
    wanted = int(rng.choice(3, p=COUNT_SHARES)) + 1
    for _ in range(MAX_TRIES):
        class_id = int(rng.integers(1, len(CLASSES)))
        color, coverage, head = render_creature(rng, CLASSES[class_id], size)
        new = _Drawn(coverage > 0.5, head > 0.5, (coverage > 0.5).sum(), (head > 0.5).sum())
        if not _is_fair(drawn, new):
            continue
        image += (color - image) * coverage[..., None]
        mask[new.body] = class_id
        instances[new.body] = len(drawn) + 1
        drawn = [old._replace(body=old.body & ~new.body, head=old.head & ~new.body) for old in drawn] + [new]
        if len(drawn) == wanted:
            break
    image, mask = _finish(rng, image, mask, size)
    labels = [CLASSES[class_id] for class_id in np.unique(mask) if class_id]
    return Scene(image, mask, labels, np.where(mask > 0, instances, 0).astype(np.uint8))


def _is_fair(drawn: list[_Drawn], new: _Drawn) -> bool:
    """Whether a new creature is large enough, has its head inside, and leaves enough of those behind it."""
    inside = new.head[2:-2, 2:-2].sum() == new.head_area and new.body_area >= 0.02 * new.body.size
    return inside and all(
        (old.body & ~new.body).sum() >= 0.75 * old.body_area and (old.head & ~new.body).sum() >= 0.8 * old.head_area
        for old in drawn
    )


def _finish(rng: np.random.Generator, image: np.ndarray, mask: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Leaves in front, light, noise, and rounding to uint8."""
    grid = (np.arange(size) + 0.5) / size
    for _ in range(int(rng.integers(0, 3))):
        cx, cy = rng.random(2)
        angle = rng.uniform(0, math.pi)
        radius = rng.uniform(0.08, 0.16)
        distance = ellipse(cx, cy, radius, radius * 0.22, angle)(grid[None, :], grid[:, None])
        alpha = np.clip(0.5 - distance * size, 0, 1)
        image = image + (muted_color(rng) * [0.8, 1.0, 0.7] - image) * alpha[..., None]
        mask = np.where(alpha > 0.5, 0, mask).astype(np.uint8)
    light = rng.uniform(0.8, 1.15) * (1 + 0.3 * (smooth_noise(rng, size, 2) - 0.5))
    image = image * light[..., None] * rng.uniform(0.95, 1.05, 3) + rng.normal(0, 0.02, image.shape)
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8), mask
