"""The creatures: shapes, how each class is put together of them, and how one is drawn."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .textures import CLASS_COATS, COATS, HEADS, blend, coat_pattern, head_pattern

# Share of creatures that have their head tucked in.
TUCKED_SHARE = 0.15

_Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]


class _Part(NamedTuple):
    """A part of a creature: `distance` maps local coordinates to a signed distance in units of the body."""

    distance: _Distance
    material: str


def ellipse(cx: float, cy: float, rx: float, ry: float, angle: float = 0.0) -> _Distance:
    cos, sin = math.cos(angle), math.sin(angle)

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u, v = x - cx, y - cy
        radius = np.hypot((u * cos + v * sin) / rx, (v * cos - u * sin) / ry)
        return (radius - 1) * min(rx, ry)

    return distance


def capsule(x0: float, y0: float, x1: float, y1: float, r0: float, r1: float) -> _Distance:
    dx, dy = x1 - x0, y1 - y0

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        t = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
        return np.hypot(x - x0 - t * dx, y - y0 - t * dy) - (r0 + t * (r1 - r0))

    return distance


def _triangle(points: list[tuple[float, float]]) -> _Distance:
    """Triangle with corners in counterclockwise or clockwise order."""
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
        _Part(capsule(x, y, kx, ky, width, width * 0.9), 'limb'),
        _Part(capsule(kx, ky, ex, ey, width * 0.9, width * 0.7), 'limb'),
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
        parts.append(_Part(capsule(x, y, ex, ey, r0, r1), 'limb'))
        x, y, angle = ex, ey, angle + turn
    return parts


def _creature(rng: np.random.Generator, name: str) -> tuple[list[_Part], tuple[float, float, float, float]]:
    """Parts of one creature, back to front, and its head.

    The trunk is centered on the origin with a half-length of about 1, its front is +x. A tucked head is left out.

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
        trunk = ellipse(0, 0, 1, width)
        reach, radius = 1.05, 0.36
    elif name == 'bird':
        width = rng.uniform(0.5, 0.62)
        fan = rng.uniform(0.3, 0.5)
        parts.append(_Part(_triangle([(-0.6, 0.0), (-1.7, fan), (-1.7, -fan)]), 'limb'))
        for x in (-0.15, 0.2):
            parts += _limb(rng, x, width * 0.8, 1.57, 0.7, 0.13)
        wing = rng.uniform(-2.9, -2.0)
        parts.append(_Part(ellipse(0.5 * math.cos(wing), 0.75 * math.sin(wing), 0.75, 0.3, wing), 'limb'))
        trunk = ellipse(0, 0, 0.95, width)
        reach, radius = 1.1, 0.38
    elif name == 'fish':
        width = rng.uniform(0.48, 0.6)
        sweep = rng.uniform(-0.25, 0.25)
        parts.append(_Part(_triangle([(-0.75, 0.0), (-1.6, 0.55 + sweep), (-1.5, -0.55 + sweep)]), 'limb'))
        hidden = width * 0.7
        parts.append(_Part(_triangle([(0.4, -hidden), (-0.5, -hidden), (-0.3, -width - 0.45)]), 'limb'))
        parts.append(_Part(_triangle([(0.2, hidden), (-0.3, hidden), (-0.3, width + 0.35)]), 'limb'))
        trunk = ellipse(0, 0, 1.1, width)
        neck *= 0.3
        reach, radius = 0.95, 0.38
    elif name == 'lizard':
        width = rng.uniform(0.36, 0.44)
        parts += _chain(rng, -0.8, 0, math.pi + rng.uniform(-0.5, 0.5), 1.6, 0.3, 5)
        for x in (-0.6, 0.55):
            for side in (-1, 1):
                parts += _limb(rng, x, side * width * 0.7, side * (1.57 - 0.7 * x), 0.75, 0.17, bend=0.9)
        trunk = ellipse(0, 0, 1.05, width)
        reach, radius = 1.2, 0.36
    else:
        width = rng.uniform(0.74, 0.86)
        for angle in (0.75, 2.4):
            for side in (-1, 1):
                x, y = 0.75 * math.cos(angle), side * 0.75 * width * math.sin(angle)
                parts += _limb(rng, x, y, side * angle, 0.75, 0.2)
        parts += _chain(rng, -0.9, 0, math.pi, 0.5, 0.16, 2)
        trunk = ellipse(0, 0, 1, width)
        reach, radius = 1.15, 0.36
    x, y = reach * math.cos(neck), reach * math.sin(neck)
    tucked = rng.random() < TUCKED_SHARE
    if not tucked:
        parts.append(_Part(capsule(0.6, 0, x, y, 0.3, 0.26), 'limb'))
    parts.append(_Part(trunk, 'coat'))
    if not tucked:
        parts.append(_Part(ellipse(x, y, radius * 1.1, radius, neck), 'head'))
    return parts, (x, y, radius, neck)


def render_creature(rng: np.random.Generator, name: str, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw one creature at a random place, scale and rotation.

    Returns:
        tuple: Color (size, size, 3), coverage and the coverage of the head (size, size), all in [0, 1].
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
    coat = blend(first, second, coat_pattern(rng, pattern, x, y)) * tint
    hx, hy = (x - head_x) / radius, (y - head_y) / radius
    hx, hy = hx * math.cos(neck) + hy * math.sin(neck), hy * math.cos(neck) - hx * math.sin(neck)
    head = blend(*HEADS[name], head_pattern(name, hx, hy)) * rng.uniform(0.9, 1.05, 3)
    materials = dict(coat=coat, limb=coat * 0.85, head=head)

    color = np.zeros((size, size, 3))
    coverage = np.zeros((size, size))
    head_coverage = np.zeros((size, size))
    for part in parts:
        distance = part.distance(x, y)
        alpha = np.clip(0.5 - distance * scale, 0, 1)
        shade = np.clip(1 + 0.9 * distance, 0.75, 1)[..., None] if part.material == 'head' else 1.0
        color += (materials[part.material] * shade - color) * alpha[..., None]
        coverage = np.maximum(coverage, alpha)
        if part.material == 'head':
            head_coverage = alpha
    light = 1 + 0.14 * (v * math.cos(angle * 0.5) + u * math.sin(angle * 0.5))
    return color * np.clip(light, 0.75, 1.25)[..., None], coverage, head_coverage
