import numpy as np
import pytest

from mmwsss.evaluation.functional.confusion import (
    class_figures,
    class_ious,
    class_table,
    classes_of_ground_truth,
    confusion_matrix,
    mean_iou,
    read_ground_truth,
)
from mmwsss.fileio import DataError, write_mask


def test_confusion_is_the_count_of_each_pair():
    rng = np.random.default_rng(0)
    truth = rng.choice(np.array([0, 1, 2, 255], np.uint8), (13, 17))
    prediction = rng.choice(np.array([0, 1, 2, 255], np.uint8), (13, 17))
    confusion = confusion_matrix(truth, prediction, 3)
    assert confusion.shape == (3, 4) and confusion.dtype == np.int64
    for row in range(3):
        for column, value in enumerate((0, 1, 2, 255)):
            assert confusion[row, column] == ((truth == row) & (prediction == value)).sum()


def test_254_classes():
    truth = np.arange(256, dtype=np.uint8)[None]
    confusion = confusion_matrix(truth[:, :254], truth[:, :254], 254)
    assert np.trace(confusion) == 254 and confusion.sum() == 254


def test_truth_that_is_no_class():
    with pytest.raises(ValueError, match='class index 3, but there are 3 classes'):
        confusion_matrix(np.array([[3]], np.uint8), np.array([[0]], np.uint8), 3)


def test_iou_by_hand():
    confusion = np.array([[6, 2, 0, 1], [1, 3, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(class_ious(confusion), [100 * 6 / 10, 100 * 3 / 6, np.nan])
    assert mean_iou(confusion) == pytest.approx(55)
    assert mean_iou(confusion[:, :3]) == pytest.approx(100 * (6 / 9 + 3 / 6) / 2)


def test_class_that_is_only_predicted_counts():
    assert mean_iou(np.array([[5, 5], [0, 0]])) == pytest.approx(25)


def test_nothing_counted_is_no_figure():
    assert np.isnan(mean_iou(np.zeros((3, 4), np.int64)))


def test_many_matrices_at_once():
    matrices = np.random.default_rng(0).integers(0, 9, (5, 3, 3))
    np.testing.assert_allclose(mean_iou(matrices), [mean_iou(matrix) for matrix in matrices])


def test_table_names_every_class():
    table = class_table(np.array([[6, 2, 0, 1], [1, 3, 0, 0], [0, 0, 0, 0]]), ('background', 'cat', 'dog'))
    lines = table.split('\n')
    assert len(lines) == 4 and lines[2].split() == ['cat', '50.00', '60.00', '75.00', '0.67', '0.33']
    assert lines[3].split()[1:] == ['nan'] * 5


def test_over_and_under_activation_by_hand():
    figures = class_figures(np.array([[6, 2, 0, 1], [1, 3, 0, 0], [4, 0, 0, 0]]))
    np.testing.assert_allclose(figures['over_activation'], [5 / 6, 2 / 3, np.nan])
    np.testing.assert_allclose(figures['under_activation'], [3 / 6, 1 / 3, np.inf])
    np.testing.assert_allclose(figures['recall'], [100 * 6 / 9, 75, 0])


def test_truth_of_another_size_or_kind(tmp_path):
    path = tmp_path / 'm.png'
    write_mask(path, np.array([[0, 1, 2, 255]], np.uint8), [(0, 0, 0)])
    np.testing.assert_array_equal(read_ground_truth(path, (1, 4), 3), [[0, 1, 2, 255]])
    with pytest.raises(DataError, match=r'm\.png: expected a mask of \(4, 1\) pixels .*got \(1, 4\)'):
        read_ground_truth(path, (4, 1), 3)
    with pytest.raises(DataError, match=r'm\.png: index 2 is none of the 2 classes'):
        read_ground_truth(path, (1, 4), 2)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match=r'm\.png'):
        read_ground_truth(path, (1, 4), 3)


def test_truth_of_a_subset_and_of_a_data_set_that_stores_one_more(tmp_path):
    path = tmp_path / 'm.png'
    write_mask(path, np.array([[0, 1, 2, 255]], np.uint8), [(0, 0, 0)])
    subset = classes_of_ground_truth(dict(label_map={0: 0, 1: 255, 2: 1}))
    np.testing.assert_array_equal(read_ground_truth(path, (1, 4), 2, subset), [[0, 255, 1, 255]])
    shifted = classes_of_ground_truth(dict(label_map=None, reduce_zero_label=True))
    np.testing.assert_array_equal(read_ground_truth(path, (1, 4), 2, shifted), [[255, 0, 1, 255]])
    assert classes_of_ground_truth({}) is None
