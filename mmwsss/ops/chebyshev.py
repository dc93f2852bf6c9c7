"""Powers of a transition in few products: ``x^n`` in Chebyshev polynomials, cut off where the rest is
negligible.

``x^n = sum_j c_j T_j(x)``, where c_j is twice (once for j = 0) the probability that n fair steps of +-1 end
at j. The coefficients beyond about ``sqrt(2 n log(2 / e))`` sum to less than e, and ``|T_j|`` is at most 1 on
[-1, 1].
"""

import math
from functools import lru_cache
from itertools import accumulate

import torch

TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-9}


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


@lru_cache(maxsize=64)
def tail_sums(coefficients: tuple[float, ...]) -> tuple[float, ...]:
    """Sum of the coefficients from each degree on.

    Args:
        coefficients (tuple[float, ...]): As of :func:`chebyshev_coefficients`.

    Returns:
        tuple[float, ...]: As many; the first is the sum of all.

    Examples:
        >>> tail_sums((0.5, 0.25, 0.25))
        (1.0, 0.5, 0.25)
    """
    return tuple(accumulate(reversed(coefficients)))[::-1]


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
