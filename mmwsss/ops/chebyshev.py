"""Powers of a transition in few products: ``x^n`` in Chebyshev polynomials, cut off where the rest is
negligible.

``x^n = sum_j c_j T_j(x)``, where c_j is twice (once for j = 0) the probability that n fair steps of +-1 end
at j. The coefficients beyond about ``sqrt(2 n log(2 / e))`` sum to less than e, and ``|T_j|`` is at most 1 on
[-1, 1].

In difference form, with ``L = P - 1`` and ``D_j = T_j - T_{j-1}``, the recurrence of the polynomials is
``D_{j+1} = D_j + 2 L T_j``, and the sum is ``x + sum_j (c_j + c_{j+1} + ...) D_j``.
"""

import math
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import torch

TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-9}
# Of a longer walk, one in so many steps is taken as it is, before the polynomials.
PLAIN_STEPS = 256


class Product(NamedTuple):
    """What is done with one product: ``change <- keep * change + factor * L x``, ``x <- x + change``, and ``result <-
    result + tail * change``. A walk begins with a change of 0 and with the scores as x and as result.

    Examples:
        >>> Product(keep=0.0, factor=1.0, tail=1.0)  # a plain step
        Product(keep=0.0, factor=1.0, tail=1.0)
    """

    keep: float
    factor: float
    tail: float


PLAIN_STEP = Product(0.0, 1.0, 1.0)


@lru_cache(maxsize=64)
def chebyshev_coefficients(num_steps: int, tail: float) -> tuple[float, ...]:
    """Leading coefficients of ``x^num_steps`` in Chebyshev polynomials of the first kind.

    Args:
        num_steps (int): The power, positive.
        tail (float): Bound of the sum of the coefficients left out.

    Returns:
        tuple[float, ...]: Coefficient of each degree from 0; every second one is 0, none is negative. They
        are scaled to sum to 1, so that constants stay fixed points.

    Examples:
        >>> chebyshev_coefficients(3, tail=0.0)  # x^3 = 3/4 T_1 + 1/4 T_3
        (0.0, 0.75, 0.0, 0.25)
    """
    degree = num_steps % 2
    below, above = (num_steps - degree) // 2, (num_steps + degree) // 2
    terms, value = [], 1.0
    while degree <= num_steps and value > 1e-30:
        terms.append((degree, value if degree else value / 2))
        value *= below / (above + 1)
        below, above, degree = below - 1, above + 1, degree + 2
    total, left = math.fsum(value for _, value in terms), 0.0
    while len(terms) > 1 and left + terms[-1][1] <= tail * total:
        left += terms.pop()[1]
    coefficients = [0.0] * (terms[-1][0] + 1)
    for degree, value in terms:
        coefficients[degree] = value / (total - left)
    return tuple(coefficients)


def chebyshev_schedule(coefficients: tuple[float, ...]) -> tuple[Product, ...]:
    """The products that sum the polynomials.

    Args:
        coefficients (tuple[float, ...]): Coefficient of each degree from 0; they sum to 1.

    Returns:
        tuple[Product, ...]: One for each degree from 1.

    Examples:
        >>> for product in chebyshev_schedule((0.5, 0.25, 0.25)):
        ...     print(product)
        Product(keep=0.0, factor=1.0, tail=0.5)
        Product(keep=1.0, factor=2.0, tail=0.25)
    """
    tails = list(accumulate(reversed(coefficients)))[-2::-1]
    return tuple(Product(float(j > 0), 2.0 if j else 1.0, tail) for j, tail in enumerate(tails))


def walk_coefficients(num_steps: int, cells: int, neighbors: int, dtype: torch.dtype) -> tuple[float, ...]:
    """Coefficients that keep a walk within ``TOLERANCE[dtype]`` of the exact one, relative to its largest
    score.

    For a polynomial r and the transition ``P = D^-1 A`` of a symmetric A, ``|r(P) x|`` is in each cell at
    most ``max |r| * sqrt(sum(D) / min(D)) * max |x|`` with the maximum of r over [-1, 1]. The root is at most
    that of the number of cells times that of neighbors plus 1. Scaling the coefficients to sum to 1 doubles
    the error.

    Examples:
        >>> len(walk_coefficients(256, cells=47 * 63, neighbors=68, dtype=torch.float32)) < 100
        True
    """
    spread = math.sqrt(cells * (neighbors + 1))
    return chebyshev_coefficients(num_steps, TOLERANCE[dtype] / (2 * spread))


@lru_cache(maxsize=64)
def walk_schedule(num_steps: int, cells: int, neighbors: int, dtype: torch.dtype) -> tuple[Product, ...]:
    """The products of a walk.

    A few plain steps come first in walks of more than 256. They smooth the scores: what differs from cell to cell makes
    the rounding errors that a long recurrence adds up, to 2.3e-5 of the largest score after 4,096 steps in float32, and
    to 2e-6 with 16 plain steps before.

    Args:
        num_steps (int): Steps, positive.
        cells (int): Cells of the grid.
        neighbors (int): Most neighbors of a cell.
        dtype (torch.dtype): float32 or float64.

    Returns:
        tuple[Product, ...]: About ``6 sqrt(num_steps)`` products.

    Examples:
        >>> len(walk_schedule(256, cells=47 * 63, neighbors=68, dtype=torch.float32))
        88
        >>> walk_schedule(512, cells=47 * 63, neighbors=68, dtype=torch.float32)[0]
        Product(keep=0.0, factor=1.0, tail=1.0)
    """
    plain = (num_steps - 1) // PLAIN_STEPS
    coefficients = walk_coefficients(num_steps - plain, cells, neighbors, dtype)
    return (PLAIN_STEP,) * plain + chebyshev_schedule(coefficients)
