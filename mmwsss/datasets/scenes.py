"""The built-in data set: generated scenes of textured, articulated creatures over clutter.

It needs no download and trains from scratch in about a minute per network on two CPU cores, so that the whole
method can be run, tested and shown anywhere.

Why the ladder CAM -> random walk -> segmentor rises on it:

* Every creature has a *head* with a pattern that no other class has, and a much larger *body* (trunk, limbs,
  tail, fins) in one of a few *coats*. Each coat is worn by two classes and each class wears two coats, so
  that the coat alone never tells the class. A classifier that only sees image-level labels is rewarded most
  for finding the head. Now and then a head is tucked in, as a cat on a photograph may look away: for these
  it has to look at the body too. So its class activation map (CAM) peaks on the head and fades over the
  body: it is correct but partial, as on photographs.
* A coat is the same texture all over one creature, and differs from the clutter around it. Near the head,
  and on creatures without one, the CAM is confident about the body; away from all creatures it is confident
  about the background. These cells are enough for AffinityNet to learn which neighbouring cells belong
  together *without* knowing which class they are, and that holds for all creatures (Ahn & Kwak, CVPR 2018).
  The random walk then carries the class of the head over the whole body and stops at its edge.
* The pseudo masks are wrong in different ways in different photographs. The segmentor has to explain all of
  them with one function of the image, and averages these errors out. It sees no labels at test time, so that
  it may end below the walk, but it ends above the CAM.

Nothing is arranged beyond that: clutter has the colours of coats, creatures vary in scale, pose, light and
coat, they hide each other, and leaves lie in front of them.
"""

import io
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.utils import track_iter_progress
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS
from numpy.typing import ArrayLike
from PIL import Image

from mmwsss.fileio import DataError, atomic_write, atomic_write_json, write_mask

CLASSES = ('background', 'beetle', 'bird', 'fish', 'lizard', 'turtle')
PALETTE = [[0, 0, 0], [214, 69, 65], [246, 196, 61], [58, 134, 214], [172, 86, 190], [88, 176, 94]]
SPLITS = ('train', 'val')
FORMAT_VERSION = 2
MAX_TRIES = 24
# Shares of scenes with one, two and three creatures, and of creatures that have their head tucked in.
COUNT_SHARES = (0.45, 0.35, 0.2)
TUCKED_SHARE = 0.15

# Two colours (RGB in 0..1) and a pattern each; CLASS_COATS says who wears which.
COATS = (
    ((0.78, 0.60, 0.36), (0.40, 0.25, 0.14), 'stripes'),
    ((0.42, 0.50, 0.62), (0.80, 0.84, 0.88), 'spots'),
    ((0.48, 0.54, 0.24), (0.24, 0.29, 0.12), 'scales'),
    ((0.62, 0.30, 0.24), (0.86, 0.76, 0.62), 'patches'),
    ((0.28, 0.27, 0.33), (0.62, 0.56, 0.40), 'speckles'),
)
CLASS_COATS = {'beetle': (0, 1), 'bird': (1, 2), 'fish': (2, 3), 'lizard': (3, 4), 'turtle': (4, 0)}

# The two colours of each head pattern, see `_head_pattern`.
HEADS = {
    'beetle': ((0.88, 0.16, 0.14), (0.97, 0.93, 0.90)),
    'bird': ((0.98, 0.82, 0.12), (0.10, 0.09, 0.10)),
    'fish': ((0.12, 0.72, 0.90), (0.06, 0.16, 0.48)),
    'lizard': ((0.86, 0.22, 0.74), (0.98, 0.84, 0.94)),
    'turtle': ((0.99, 0.52, 0.10), (0.12, 0.42, 0.16)),
}


class Scene(NamedTuple):
    """One generated scene.

    Attributes:
        image (ndarray): RGB photograph, uint8 (size, size, 3).
        mask (ndarray): Class indices of `CLASSES`, uint8 (size, size).
        labels (list[str]): Names of the foreground classes that occur in the mask, in the order of `CLASSES`.
    """

    image: np.ndarray
    mask: np.ndarray
    labels: list[str]


_Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]


class _Drawn(NamedTuple):
    """A creature in the image: the pixels (size, size) seen of it and its head, and how many there were."""

    body: np.ndarray
    head: np.ndarray
    body_area: int
    head_area: int


class _Part(NamedTuple):
    """A part of a creature: `distance` maps local coordinates to a signed distance in units of the body."""

    distance: _Distance
    material: str


def _ellipse(cx: float, cy: float, rx: float, ry: float, angle: float = 0.0) -> _Distance:
    cos, sin = math.cos(angle), math.sin(angle)

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u, v = x - cx, y - cy
        radius = np.hypot((u * cos + v * sin) / rx, (v * cos - u * sin) / ry)
        return (radius - 1) * min(rx, ry)

    return distance


def _capsule(x0: float, y0: float, x1: float, y1: float, r0: float, r1: float) -> _Distance:
    dx, dy = x1 - x0, y1 - y0

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        t = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
        return np.hypot(x - x0 - t * dx, y - y0 - t * dy) - (r0 + t * (r1 - r0))

    return distance


def _triangle(points: list[tuple[float, float]]) -> _Distance:
    """Triangle with corners in anticlockwise or clockwise order."""
    (ax, ay), (bx, by), (cx, cy) = points
    turn = math.copysign(1.0, (bx - ax) * (cy - ay) - (by - ay) * (cx - ax))

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        edges = []
        for (px, py), (qx, qy) in zip(points, points[1:] + points[:1], strict=True):
            ex, ey = qx - px, qy - py
            edges.append(turn * (ey * (x - px) - ex * (y - py)) / math.hypot(ex, ey))
        return np.maximum(np.maximum(edges[0], edges[1]), edges[2])

    return distance


def _limb(
    rng: np.random.Generator, x: float, y: float, angle: float, length: float, width: float, bend: float = 0.6
) -> list[_Part]:
    """Two capsules with a joint between them."""
    angle += rng.uniform(-0.25, 0.25)
    kx, ky = x + length * 0.5 * math.cos(angle), y + length * 0.5 * math.sin(angle)
    angle += rng.uniform(-bend, bend)
    ex, ey = kx + length * 0.5 * math.cos(angle), ky + length * 0.5 * math.sin(angle)
    return [
        _Part(_capsule(x, y, kx, ky, width, width * 0.9), 'limb'),
        _Part(_capsule(kx, ky, ex, ey, width * 0.9, width * 0.7), 'limb'),
    ]


def _chain(
    rng: np.random.Generator, x: float, y: float, angle: float, length: float, width: float, joints: int
) -> list[_Part]:
    """A tail: capsules that get thinner, each turned a little against the one before."""
    parts = []
    turn = rng.uniform(-0.45, 0.45)
    step = length / joints
    for joint in range(joints):
        ex, ey = x + step * math.cos(angle), y + step * math.sin(angle)
        r0, r1 = width * (1 - joint / joints * 0.8), width * (1 - (joint + 1) / joints * 0.8)
        parts.append(_Part(_capsule(x, y, ex, ey, r0, r1), 'limb'))
        x, y, angle = ex, ey, angle + turn
    return parts


def _creature(rng: np.random.Generator, name: str) -> tuple[list[_Part], tuple[float, float, float, float]]:
    """Parts of one creature, back to front, and its head.

    The trunk is centred on the origin with a half-length of about 1, its front is +x. A tucked head is left out.

    Returns:
        tuple: The parts, and the head as (x, y, radius, angle).
    """
    neck = rng.uniform(-0.35, 0.35)
    parts = []
    if name == 'beetle':
        width = rng.uniform(0.62, 0.74)
        for x in (-0.5, 0.05, 0.55):
            for side in (-1, 1):
                parts += _limb(rng, x, side * width * 0.7, side * (1.57 - 0.6 * x), 0.75, 0.15)
        trunk = _ellipse(0, 0, 1, width)
        reach, radius = 1.05, 0.36
    elif name == 'bird':
        width = rng.uniform(0.5, 0.62)
        fan = rng.uniform(0.3, 0.5)
        parts.append(_Part(_triangle([(-0.6, 0.0), (-1.7, fan), (-1.7, -fan)]), 'limb'))
        for x in (-0.15, 0.2):
            parts += _limb(rng, x, width * 0.8, 1.57, 0.7, 0.13)
        wing = rng.uniform(-2.9, -2.0)
        parts.append(_Part(_ellipse(0.5 * math.cos(wing), 0.75 * math.sin(wing), 0.75, 0.3, wing), 'limb'))
        trunk = _ellipse(0, 0, 0.95, width)
        reach, radius = 1.1, 0.38
    elif name == 'fish':
        width = rng.uniform(0.48, 0.6)
        sweep = rng.uniform(-0.25, 0.25)
        parts.append(_Part(_triangle([(-0.75, 0.0), (-1.6, 0.55 + sweep), (-1.5, -0.55 + sweep)]), 'limb'))
        hidden = width * 0.7
        parts.append(_Part(_triangle([(0.4, -hidden), (-0.5, -hidden), (-0.3, -width - 0.45)]), 'limb'))
        parts.append(_Part(_triangle([(0.2, hidden), (-0.3, hidden), (-0.3, width + 0.35)]), 'limb'))
        trunk = _ellipse(0, 0, 1.1, width)
        neck *= 0.3
        reach, radius = 0.95, 0.38
    elif name == 'lizard':
        width = rng.uniform(0.36, 0.44)
        parts += _chain(rng, -0.8, 0, math.pi + rng.uniform(-0.5, 0.5), 1.6, 0.3, 5)
        for x in (-0.6, 0.55):
            for side in (-1, 1):
                parts += _limb(rng, x, side * width * 0.7, side * (1.57 - 0.7 * x), 0.75, 0.17, bend=0.9)
        trunk = _ellipse(0, 0, 1.05, width)
        reach, radius = 1.2, 0.36
    else:
        width = rng.uniform(0.74, 0.86)
        for angle in (0.75, 2.4):
            for side in (-1, 1):
                x, y = 0.75 * math.cos(angle), side * 0.75 * width * math.sin(angle)
                parts += _limb(rng, x, y, side * angle, 0.75, 0.2)
        parts += _chain(rng, -0.9, 0, math.pi, 0.5, 0.16, 2)
        trunk = _ellipse(0, 0, 1, width)
        reach, radius = 1.15, 0.36
    x, y = reach * math.cos(neck), reach * math.sin(neck)
    tucked = rng.random() < TUCKED_SHARE
    if not tucked:
        parts.append(_Part(_capsule(0.6, 0, x, y, 0.3, 0.26), 'limb'))
    parts.append(_Part(trunk, 'coat'))
    if not tucked:
        parts.append(_Part(_ellipse(x, y, radius * 1.1, radius, neck), 'head'))
    return parts, (x, y, radius, neck)


def _smooth_noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Bilinear value noise in [0, 1], float64 (size, size), with about `cells` bumps across."""
    grid = rng.random((cells + 1, cells + 1))
    position = (np.arange(size) + 0.5) / size * cells
    low = np.minimum(position.astype(int), cells - 1)
    weight = np.zeros((size, cells + 1))
    weight[np.arange(size), low] = 1 - (position - low)
    weight[np.arange(size), low + 1] = position - low
    return weight @ grid @ weight.T


def _blend(first: ArrayLike, second: ArrayLike, amount: np.ndarray) -> np.ndarray:
    """Mix two colours (3,) by `amount` (H, W) in [0, 1] into (H, W, 3)."""
    first, second = np.asarray(first), np.asarray(second)
    return first + (second - first) * amount[..., None]


def _coat_pattern(rng: np.random.Generator, pattern: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of the second colour, (H, W) in [0, 1]; `x`, `y` in units of the body."""
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


def _head_pattern(name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of the second colour, (H, W) in [0, 1]; `x`, `y` in units of the head's radius."""
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


def _render_creature(rng: np.random.Generator, name: str, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw one creature at a random place, scale and rotation.

    Returns:
        tuple: Colour (size, size, 3), coverage and the coverage of the head (size, size), all in [0, 1].
    """
    parts, (head_x, head_y, radius, neck) = _creature(rng, name)
    scale = size * rng.uniform(0.15, 0.27)
    angle = rng.uniform(-math.pi, math.pi)
    flip = 1 if rng.random() < 0.5 else -1
    margin = 0.2 * size
    cx, cy = rng.uniform(margin, size - margin, 2)
    grid = np.arange(size) + 0.5
    u, v = (grid[None, :] - cx) / scale, (grid[:, None] - cy) / scale
    x, y = u * math.cos(angle) + v * math.sin(angle), flip * (v * math.cos(angle) - u * math.sin(angle))

    first, second, pattern = COATS[CLASS_COATS[name][int(rng.integers(2))]]
    tint = rng.uniform(0.85, 1.15) * rng.uniform(0.93, 1.07, 3)
    coat = _blend(first, second, _coat_pattern(rng, pattern, x, y)) * tint
    hx, hy = (x - head_x) / radius, (y - head_y) / radius
    hx, hy = hx * math.cos(neck) + hy * math.sin(neck), hy * math.cos(neck) - hx * math.sin(neck)
    head = _blend(*HEADS[name], _head_pattern(name, hx, hy)) * rng.uniform(0.9, 1.05, 3)
    materials = dict(coat=coat, limb=coat * 0.85, head=head)

    colour = np.zeros((size, size, 3))
    coverage = np.zeros((size, size))
    head_coverage = np.zeros((size, size))
    for part in parts:
        distance = part.distance(x, y)
        alpha = np.clip(0.5 - distance * scale, 0, 1)
        shade = np.clip(1 + 0.9 * distance, 0.75, 1)[..., None] if part.material == 'head' else 1.0
        colour += (materials[part.material] * shade - colour) * alpha[..., None]
        coverage = np.maximum(coverage, alpha)
        if part.material == 'head':
            head_coverage = alpha
    light = 1 + 0.14 * (v * math.cos(angle * 0.5) + u * math.sin(angle * 0.5))
    return colour * np.clip(light, 0.75, 1.25)[..., None], coverage, head_coverage


def _muted_colour(rng: np.random.Generator) -> np.ndarray:
    """A natural colour (3,): a grey of random lightness with a little of a random hue."""
    hue = rng.uniform(0, 2 * math.pi)
    wheel = np.cos(hue - np.array([0, 2.094, 4.189]))
    return np.clip(rng.uniform(0.3, 0.75) + rng.uniform(0.03, 0.14) * wheel, 0, 1)


def _background(rng: np.random.Generator, size: int) -> np.ndarray:
    """Two or three kinds of ground with stones, leaves and sticks, (size, size, 3) in about [0, 1]."""
    grid = (np.arange(size) + 0.5) / size
    x, y = grid[None, :], grid[:, None]
    image = np.zeros((size, size, 3))
    best = np.full((size, size), -1.0)
    mood = _muted_colour(rng)
    for _ in range(int(rng.integers(2, 4))):
        region = _smooth_noise(rng, size, 3)
        texture = 0.5 * _smooth_noise(rng, size, int(rng.integers(4, 9)))
        texture = texture + 0.5 * _smooth_noise(rng, size, int(rng.integers(14, 40)))
        first, second = (0.5 * (mood + _muted_colour(rng)) for _ in range(2))
        ground = _blend(first, second, texture)
        image = np.where((region > best)[..., None], ground, image)
        best = np.maximum(best, region)
    texture = 0.85 + 0.3 * _smooth_noise(rng, size, 24)[..., None]
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
        distance = _ellipse(cx, cy, radius, radius * rng.uniform(0.6, 1), angle)
    elif kind == 1:
        radius = rng.uniform(0.05, 0.12)
        distance = _ellipse(cx, cy, radius, radius * 0.35, angle)
    else:
        reach = rng.uniform(0.08, 0.25)
        distance = _capsule(cx, cy, cx + reach * math.cos(angle), cy + reach * math.sin(angle), 0.014, 0.01)
    alpha = np.clip(0.5 - distance(x, y) * len(image), 0, 1)[..., None]
    colour = _muted_colour(rng)
    if rng.random() < 0.3:
        first, second, _ = COATS[int(rng.integers(len(COATS)))]
        colour = np.asarray(first if rng.random() < 0.5 else second)
    return image + (colour * texture - image) * alpha


def make_scene(index: int, split: str = 'train', seed: int = 0, size: int = 128) -> Scene:
    """Generate one scene.

    It depends on its arguments alone: scenes may be made in any order and by any number of processes.

    Args:
        index (int): Number of the scene within its split, from 0.
        split (str): 'train' or 'val'. Defaults to 'train'.
        seed (int): Seed of the data set, from 0. Defaults to 0.
        size (int): Height and width in pixels, at least 32. Defaults to 128.

    Returns:
        Scene: image, mask and labels of one to three creatures. Those in front hide at most a fifth of a head
        and a quarter of a body; a head that is not tucked in lies inside the image.

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
    drawn: list[_Drawn] = []
    wanted = int(rng.choice(3, p=COUNT_SHARES)) + 1
    for _ in range(MAX_TRIES):
        class_id = int(rng.integers(1, len(CLASSES)))
        colour, coverage, head = _render_creature(rng, CLASSES[class_id], size)
        new = _Drawn(coverage > 0.5, head > 0.5, (coverage > 0.5).sum(), (head > 0.5).sum())
        if not _is_fair(drawn, new):
            continue
        image += (colour - image) * coverage[..., None]
        mask[new.body] = class_id
        drawn = [old._replace(body=old.body & ~new.body, head=old.head & ~new.body) for old in drawn] + [new]
        if len(drawn) == wanted:
            break
    image, mask = _finish(rng, image, mask, size)
    labels = [CLASSES[class_id] for class_id in np.unique(mask) if class_id]
    return Scene(image, mask, labels)


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
        distance = _ellipse(cx, cy, radius, radius * 0.22, angle)(grid[None, :], grid[:, None])
        alpha = np.clip(0.5 - distance * size, 0, 1)
        image = image + (_muted_colour(rng) * [0.8, 1.0, 0.7] - image) * alpha[..., None]
        mask = np.where(alpha > 0.5, 0, mask).astype(np.uint8)
    light = rng.uniform(0.8, 1.15) * (1 + 0.3 * (_smooth_noise(rng, size, 2) - 0.5))
    image = image * light[..., None] * rng.uniform(0.95, 1.05, 3) + rng.normal(0, 0.02, image.shape)
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8), mask


def _write_scene(item: tuple[str, int], root: str, seed: int, size: int) -> tuple[str, list[str]]:
    """Write the photograph and the mask of one scene; returns its id and labels."""
    split, index = item
    scene = make_scene(index, split, seed, size)
    image_id = f'{split}_{index:05d}'
    buffer = io.BytesIO()
    Image.fromarray(scene.image).save(buffer, format='JPEG', quality=95, subsampling=0)
    atomic_write(Path(root, 'images', f'{image_id}.jpg'), buffer.getvalue())
    write_mask(Path(root, 'masks', f'{image_id}.png'), scene.mask, PALETTE)
    return image_id, scene.labels


def _is_complete(root: Path, settings: dict) -> bool:
    """Whether `root` holds the data set of these settings; raises if it holds anything but such scenes."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    try:
        found = json.loads((root / 'settings.json').read_text())
    except (OSError, ValueError):
        found = {}
    if not isinstance(found, dict) or found.get('dataset') != settings['dataset']:
        raise DataError(
            f'{root}: expected a folder of generated scenes, an empty one or none; '
            'it holds other files and is left as it is'
        )
    if found != settings or not (root / 'image_labels.json').is_file():
        return False
    files = [f'lists/{split}.txt' for split in SPLITS]
    for split in SPLITS:
        for index in range(settings[f'num_{split}']):
            files += [f'images/{split}_{index:05d}.jpg', f'masks/{split}_{index:05d}.png']
    return all((root / file).is_file() for file in files)


def write_scenes(
    root: str | Path,
    seed: int = 0,
    num_train: int = 400,
    num_val: int = 100,
    size: int = 128,
    workers: int = 0,
) -> bool:
    """Write the data set, unless it is already there with the same settings.

    The folder holds ``images/<image_id>.jpg``, ``masks/<image_id>.png``, ``lists/{train,val}.txt``,
    ``image_labels.json`` (image id to class names, both splits) and ``settings.json``. It is written beside
    ``root`` and moved there when it is whole, so that ``root`` never holds half a data set.

    Args:
        root (str | Path): Target folder.
        seed (int): Seed of all scenes, from 0. Defaults to 0.
        num_train (int): Number of training scenes, at least 1. Defaults to 400.
        num_val (int): Number of held-out scenes, at least 1. Defaults to 100.
        size (int): Height and width in pixels, at least 32. Defaults to 128.
        workers (int): Number of processes; 0 generates in this one. The files are the same. Defaults to 0.

    Returns:
        bool: Whether the data set was generated; False if it was there.

    Raises:
        ValueError: If a number is out of its range.
        DataError: If ``root`` exists and holds other files than a data set of generated scenes.
    """
    for name, value, lowest in (
        ('seed', seed, 0),
        ('num_train', num_train, 1),
        ('num_val', num_val, 1),
        ('size', size, 32),
        ('workers', workers, 0),
    ):
        if value < lowest:
            raise ValueError(f'{name} must be at least {lowest}, got {value}')
    root = Path(root).resolve()
    settings = dict(
        dataset='mmwsss scenes',
        version=FORMAT_VERSION,
        seed=seed,
        num_train=num_train,
        num_val=num_val,
        size=size,
    )
    if _is_complete(root, settings):
        return False
    root.parent.mkdir(parents=True, exist_ok=True)
    partial_root = Path(tempfile.mkdtemp(prefix=f'.{root.name}.', suffix='.part', dir=root.parent))
    try:
        _generate(partial_root, settings, workers)
        partial_root.chmod(0o755)
        if root.exists():
            outdated = Path(tempfile.mkdtemp(prefix=f'.{root.name}.', suffix='.old', dir=root.parent))
            os.replace(root, outdated)
            os.replace(partial_root, root)
            shutil.rmtree(outdated)
        else:
            os.replace(partial_root, root)
    finally:
        shutil.rmtree(partial_root, ignore_errors=True)
    return True


def _generate(root: Path, settings: dict, workers: int) -> None:
    """Write all files of the data set into the empty folder `root`."""
    items = [(split, index) for split in SPLITS for index in range(settings[f'num_{split}'])]
    write = partial(_write_scene, root=str(root), seed=settings['seed'], size=settings['size'])
    if workers:
        with ProcessPoolExecutor(workers, mp_context=get_context('spawn')) as pool:
            written = list(track_iter_progress((pool.map(write, items, chunksize=8), len(items))))
    else:
        written = list(track_iter_progress((map(write, items), len(items))))
    for split in SPLITS:
        ids = [image_id for image_id, _ in written if image_id.startswith(f'{split}_')]
        atomic_write(root / 'lists' / f'{split}.txt', ('\n'.join(ids) + '\n').encode())
    atomic_write_json(root / 'image_labels.json', dict(written))
    atomic_write_json(root / 'settings.json', settings)


@DATASETS.register_module()
class ScenesDataset(BaseSegDataset):
    """Generated scenes of five classes of creatures, as written by ``tools/dataset_converters/scenes.py``.

    The docstring of this module says what is on the images and why each step of the method gains on them.

    Example:
        >>> dataset = dict(
        ...     type='ScenesDataset',
        ...     data_root='data/scenes',
        ...     ann_file='lists/train.txt',
        ...     data_prefix=dict(img_path='images', seg_map_path='masks'))
    """

    METAINFO = dict(classes=CLASSES, palette=PALETTE)

    def __init__(self, img_suffix: str = '.jpg', seg_map_suffix: str = '.png', **kwargs: object) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
