import math

import pytest
import torch

from mmwsss.ops.chebyshev import chebyshev_coefficients, tail_sums, walk_coefficients


def exact_coefficients(num_steps):
    """Twin: c_j is the probability that num_steps fair steps of +-1 end at j or at -j."""
    chances = [0.0] * (num_steps + 1)
    for ups in range(num_steps + 1):
        chances[abs(2 * ups - num_steps)] += math.comb(num_steps, ups) / 2**num_steps
    return chances


@pytest.mark.parametrize('num_steps', [1, 2, 3, 6, 9, 40])
def test_nothing_is_left_out_without_a_tail(num_steps):
    assert chebyshev_coefficients(num_steps, 0.0) == pytest.approx(exact_coefficients(num_steps), abs=1e-15)


@pytest.mark.parametrize('num_steps, tail', [(2, 0.6), (25, 0.01), (64, 1e-4), (301, 1e-9)])
def test_as_many_as_possible_are_left_out(num_steps, tail):
    coefficients, exact = chebyshev_coefficients(num_steps, tail), exact_coefficients(num_steps)
    kept = len(coefficients)
    assert sum(exact[kept:]) <= tail < sum(exact[kept - 1 :])
    assert coefficients == pytest.approx([value / sum(exact[:kept]) for value in exact[:kept]], rel=1e-9)


def test_coefficients_that_add_up_to_the_tail_are_left_out():
    assert exact_coefficients(4) == [0.375, 0, 0.5, 0, 0.125]
    assert chebyshev_coefficients(4, 0.125) == pytest.approx((3 / 7, 0, 4 / 7))


def test_one_coefficient_is_always_kept():
    assert chebyshev_coefficients(7, 1.0) == (0.0, 1.0)
    assert chebyshev_coefficients(8, 1.0) == (1.0,)


def test_a_million_steps_underflow_nothing():
    coefficients = chebyshev_coefficients(10**6, 1e-12)
    assert sum(coefficients) == pytest.approx(1) and min(coefficients) == 0
    assert coefficients[0] == pytest.approx(math.sqrt(2 / (math.pi * 10**6)), rel=1e-5)
    assert 5000 < len(coefficients) < 9000


@pytest.mark.parametrize('dtype, tolerance', [(torch.float32, 2e-5), (torch.float64, 1e-9)])
def test_the_tail_of_a_walk_is_its_tolerance_spread_over_the_grid(dtype, tolerance):
    """Half the tolerance, as scaling doubles the error, over the root of cells times neighbors and itself."""
    tail = tolerance / (2 * math.sqrt(300 * (68 + 1)))
    coefficients = walk_coefficients(256, 300, 68, dtype)
    assert coefficients == chebyshev_coefficients(256, tail)
    exact = exact_coefficients(256)
    assert sum(exact[len(coefficients) :]) <= tail < sum(exact[len(coefficients) - 2 :])


def test_tail_sums_are_those_of_the_coefficients_from_each_degree_on():
    assert tail_sums((0.5, 0.0, 0.375, 0.125)) == (1.0, 0.5, 0.5, 0.125)
    assert tail_sums((1.0,)) == (1.0,)
