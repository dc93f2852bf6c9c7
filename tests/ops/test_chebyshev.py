import math

import pytest
import torch

from mmwsss.ops.chebyshev import (
    chebyshev_coefficients,
    chebyshev_schedule,
    walk_coefficients,
    walk_schedule,
)


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


def numbers_after(schedule, eigenvalue):
    """What the products of a schedule make of 1, with a transition that is a number."""
    x, result, change = 1.0, 1.0, 0.0
    for keep, factor, tail in schedule:
        change = keep * change + factor * (eigenvalue - 1) * x
        x, result = x + change, result + tail * change
    return result


@pytest.mark.parametrize('coefficients', [(1.0,), (0.0, 1.0), (0.25, 0.75), (0.1, 0.2, 0.3, 0.4), (0.2, 0.0, 0.8)])
@pytest.mark.parametrize('angle', [0.0, 0.3, 1.7, math.pi])
def test_a_schedule_of_coefficients_sums_their_polynomials(coefficients, angle):
    expected = sum(c * math.cos(j * angle) for j, c in enumerate(coefficients))
    assert numbers_after(chebyshev_schedule(coefficients), math.cos(angle)) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize('num_steps', [1, 2, 255, 256, 257, 1000, 4096])
@pytest.mark.parametrize('eigenvalue', [1.0, 0.999, 0.5, 0.0, -0.97])
def test_the_schedule_of_a_walk_is_its_power(num_steps, eigenvalue):
    schedule = walk_schedule(num_steps, 1, 1, torch.float64)
    assert numbers_after(schedule, eigenvalue) == pytest.approx(eigenvalue**num_steps, abs=1e-9)


@pytest.mark.parametrize('num_steps, plain', [(1, 0), (256, 0), (257, 1), (512, 1), (513, 2), (4096, 15)])
def test_one_step_in_256_of_a_long_walk_is_taken_as_it_is(num_steps, plain):
    schedule = walk_schedule(num_steps, 300, 68, torch.float32)
    assert schedule[:plain] == ((0, 1, 1),) * plain
    assert schedule[plain:] == chebyshev_schedule(walk_coefficients(num_steps - plain, 300, 68, torch.float32))
