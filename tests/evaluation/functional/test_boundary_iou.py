import numpy as np
import pytest

from mmwsss.evaluation.functional.boundary_iou import boundary_counts, boundary_distance, boundary_region, iou_of_counts


def slow_boundary(mask, distance):
    """Pixels of a binary mask that have a pixel outside it, or outside the image, within a square around them."""
    padded = np.pad(mask, distance)
    region = np.zeros_like(mask)
    for y, x in np.argwhere(mask):
        region[y, x] = not padded[y : y + 2 * distance + 1, x : x + 2 * distance + 1].all()
    return region


def blobs(rng, size, num_classes):
    coarse = rng.integers(0, num_classes, (6, 7)).astype(np.uint8)
    return np.kron(coarse, np.ones((6, 6), np.uint8))[: size[0], : size[1]]


@pytest.mark.parametrize('distance', [1, 2, 5])
def test_each_class_is_as_if_alone(distance):
    rng = np.random.default_rng(distance)
    truth, prediction = blobs(rng, (31, 40), 4), blobs(rng, (31, 40), 4)
    truth[10:14, 5:20] = 255
    counts = boundary_counts(truth, prediction, 4, distance)
    for index in range(4):
        g = slow_boundary(truth == index, distance)
        p = slow_boundary((prediction == index) & (truth != 255), distance)
        assert counts[:, index].tolist() == [(g & p).sum(), p.sum(), g.sum()]
        assert iou_of_counts(counts)[index] == pytest.approx(100 * (g & p).sum() / (g | p).sum())


def test_square_by_hand():
    """A square of 10 pixels and the same moved by one: their frames of width 2 hold 64 pixels each."""
    truth, prediction = np.zeros((2, 30, 30), np.uint8)
    truth[10:20, 10:20], prediction[10:20, 11:21] = 1, 1
    hits, predicted, true = boundary_counts(truth, prediction, 2, 2)[:, 1]
    both = {(y, x) for y in range(10, 20) for x in range(10, 20) if not (12 <= y < 18 and 12 <= x < 18)}
    both &= {(y, x + 1) for y, x in both}
    assert (hits, predicted, true) == (len(both), 64, 64)


def test_void_band_does_not_count_against_a_perfect_prediction():
    truth = np.zeros((60, 60), np.uint8)
    truth[18:42, 18:42], truth[20:40, 20:40] = 255, 1
    prediction = np.zeros_like(truth)
    prediction[19:41, 19:41] = 1
    assert iou_of_counts(boundary_counts(truth, prediction, 2, 4)).tolist() == [100, 100]


def test_absent_class_and_thick_boundary():
    truth = np.zeros((5, 7), np.uint8)
    counts = boundary_counts(truth, truth, 3, 20)
    assert counts[:, 0].tolist() == [35, 35, 35]
    assert np.isnan(iou_of_counts(counts)[1:]).all()


def test_width_is_a_share_of_the_diagonal():
    assert boundary_distance((375, 500)) == 12 and boundary_distance((8, 6)) == 1
    with pytest.raises(ValueError, match='ratio must be positive'):
        boundary_distance((10, 10), 0)


def test_wrong_arguments():
    with pytest.raises(ValueError, match='label_map must be uint8'):
        boundary_region(np.zeros((4, 4)), 1)
    with pytest.raises(ValueError, match='distance'):
        boundary_region(np.zeros((4, 4), np.uint8), 0)
    with pytest.raises(ValueError, match='one shape'):
        boundary_counts(np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8), 2)
