import numpy as np
import pytest

from mmwsss.evaluation.functional.agreement import cam_agreement, count_agreement, count_cam_agreement
from mmwsss.evaluation.functional.confusion import confusion_matrix, mean_iou


def test_every_fourth_pixel_of_both_masks_is_counted():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 3, (2, 21, 30)).astype(np.uint8)
    second[4, 8] = 255
    counts = count_agreement(first, second, 3)
    slow = np.zeros((3, 3), int)
    for y in range(0, 21, 4):
        for x in range(0, 30, 4):
            if second[y, x] != 255:
                slow[second[y, x], first[y, x]] += 1
    np.testing.assert_array_equal(counts, slow)


def test_pixels_that_either_mask_is_unsure_of_are_left_out():
    first, second = np.array([[0, 1, 255]], np.uint8), np.array([[0, 255, 1]], np.uint8)
    assert count_agreement(first, second, 2).tolist() == [[1, 0], [0, 0]]


def slow_agreement(images, num_classes, with_background):
    """The best mIoU over all scores in hundredths, from whole confusion matrices of masks that are cut out of the maps."""
    best = 0.0
    for score in range(100) if with_background else [0]:
        total = np.zeros((num_classes, num_classes), int)
        for mask, cams, class_ids in images:
            cut = np.asarray(class_ids, np.uint8)[cams.argmax(0)]
            if with_background:
                cut[np.floor(cams.max(0) * 100) < score] = 0
            total += confusion_matrix(mask, cut, num_classes)[:, :num_classes]
        best = max(best, float(mean_iou(total)))
    return best


@pytest.mark.parametrize('with_background, front', [(True, []), (True, [0]), (False, []), (False, [0])])
def test_class_maps_are_compared_at_the_best_score(with_background, front):
    rng = np.random.default_rng(0)
    images = []
    for class_ids in (front + [1], front + [1, 3], front + [2, 3]):
        cams = (rng.integers(0, 100, (len(class_ids), 9, 7)) / 100 + 0.001).astype(np.float32)
        mask = rng.choice(np.array([*class_ids, *([] if front else [0]), 255], np.uint8), (9, 7))
        images.append((mask, cams, class_ids))
    counts = sum(count_cam_agreement(*one, 4) for one in images)
    assert cam_agreement(counts, with_background) == pytest.approx(slow_agreement(images, 4, with_background))


def test_a_map_of_the_background_says_background_at_any_score():
    mask = np.array([[0, 0, 1, 1]], np.uint8)
    cams = np.array([[[0.9, 0.6, 0.2, 0.1]], [[0.1, 0.4, 0.8, 0.9]]], np.float16)
    assert cam_agreement(count_cam_agreement(mask, cams, [0, 1], 2), True) == 100


def test_masks_come_to_the_grid_of_the_maps():
    mask = np.repeat(np.repeat(np.array([[0, 2], [2, 2]], np.uint8), 4, 0), 4, 1)
    cams = np.array([[[0.1, 0.9], [0.9, 0.9]]], np.float16)
    counts = count_cam_agreement(mask, cams, [2], 3)
    assert counts[2].sum() == 4 and cam_agreement(counts, True) == 100


def test_maps_that_are_no_numbers_count_as_zero():
    counts = count_cam_agreement(np.zeros((2, 2), np.uint8), np.full((1, 2, 2), np.nan, np.float16), [1], 2)
    assert counts[0, 1, 0] == 4 and counts[1].sum() == 0


def test_without_maps_nothing_is_known():
    counts = count_cam_agreement(np.zeros((4, 4), np.uint8), np.zeros((0, 2, 2), np.float16), [], 2)
    assert not counts.any() and cam_agreement(counts, True) is None
