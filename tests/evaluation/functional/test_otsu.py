import numpy as np
import pytest

from mmwsss.evaluation.functional.otsu import otsu_background_score


def slow_otsu(values, bins):
    """The same from the values themselves, split by split."""
    best, chosen = -1, None
    for index in range(1, bins):
        low, high = values[values < index / bins], values[values >= index / bins]
        if low.size and high.size:
            variance = low.size * high.size * (low.mean() - high.mean()) ** 2
            if variance > best * (1 + 1e-9):
                best, chosen = variance, index / bins
    return chosen


@pytest.mark.parametrize('seed', range(5))
def test_agrees_with_the_definition(seed):
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.beta(1, 4, 3000), rng.beta(6, 2, 800)])
    counts = np.bincount((values * 20).astype(int), minlength=20)
    centerd = (np.floor(values * 20) + 0.5) / 20
    assert otsu_background_score(counts) == slow_otsu(centerd, 20)


def test_two_groups_are_split_in_the_middle_of_the_gap():
    counts = np.zeros(100, int)
    counts[:20], counts[60:] = 1000, 30
    assert otsu_background_score(counts) == pytest.approx(0.4, abs=0.01)


def test_scale_does_not_matter():
    counts = np.random.default_rng(0).integers(0, 50, 100)
    assert otsu_background_score(counts) == otsu_background_score(counts * 10**12)


@pytest.mark.parametrize('counts', [np.zeros(10, int), np.eye(10, dtype=int)[3]])
def test_nothing_to_split(counts):
    assert otsu_background_score(counts) is None


@pytest.mark.parametrize('counts', [np.zeros((2, 3), int), np.array([1, -1])])
def test_wrong_counts(counts):
    with pytest.raises(ValueError, match='counts must be'):
        otsu_background_score(counts)
