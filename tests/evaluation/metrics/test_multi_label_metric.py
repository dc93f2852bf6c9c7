from itertools import permutations

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmseg.registry import METRICS

from mmwsss.evaluation.metrics.multi_label_metric import average_precision, guessed_average_precision
from mmwsss.evaluation.records import recorded_statistics
from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def slow_average_precision(scores, labels):
    """Precision among everything scored at least as high as a positive, averaged over the positives."""
    precisions = []
    for score, label in zip(scores, labels, strict=True):
        if label:
            above = scores >= score
            precisions.append(labels[above].mean())
    return np.mean(precisions)


@pytest.mark.parametrize('positives', [1, 5, 20])
def test_average_precision(positives):
    rng = np.random.default_rng(positives)
    scores, labels = rng.permutation(20) / 20, np.zeros(20)
    labels[rng.permutation(20)[:positives]] = 1
    assert average_precision(scores, labels) == pytest.approx(slow_average_precision(scores, labels))


@pytest.mark.parametrize('positives, number', [(1, 1), (1, 4), (2, 5), (5, 5)])
def test_guessing_is_the_mean_over_all_orders(positives, number):
    scores = np.arange(number, 0, -1)
    labels = [1] * positives + [0] * (number - positives)
    precisions = [average_precision(scores, np.array(order)) for order in permutations(labels)]
    assert guessed_average_precision(positives, number) == pytest.approx(np.mean(precisions))
    assert np.isnan(guessed_average_precision(0, number))


def test_each_class_is_noted_with_what_guessing_gives(run_metric):
    scores, labels = np.array([[0.9, 0.1, 0.5], [0.2, 0.8, 0.5]]), np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    run_metric(METRICS.build(dict(type='mmwsss.MultiLabelMetric', prefix='noted')), samples_of(scores, labels))
    assert recorded_statistics(MessageHub.get_current_instance())['noted'] == dict(
        kind='classifier',
        images=2,
        mAP=100.0,
        guessed=87.5,
        classes=dict(
            disc=dict(AP=100.0, guessed=75.0, tagged=1),
            stripe=dict(AP=100.0, guessed=100.0, tagged=2),
        ),
    )


@pytest.mark.parametrize('value', [0.5, np.nan, -np.inf])
def test_one_score_for_all_is_the_share_of_the_positives(value):
    assert average_precision(np.full(4, value), np.array([1, 0, 0, 0])) == 0.25


def test_equal_scores_are_one_rank():
    scores, labels = np.array([0.5, 0.9, 0.5, 0.1]), np.array([1, 0, 1, 1])
    assert average_precision(scores, labels) == pytest.approx(slow_average_precision(scores, labels))


def test_best_and_worst_order():
    scores = np.array([0.9, 0.8, 0.2, 0.1])
    assert average_precision(scores, np.array([1, 1, 0, 0])) == 1
    assert average_precision(scores, np.array([0, 0, 0, 1])) == 0.25
    assert np.isnan(average_precision(scores, np.zeros(4)))


def samples_of(scores, labels):
    return [
        dict(label_scores=torch.tensor(score), gt_label=dict(score=torch.tensor(label)))
        for score, label in zip(scores.tolist(), labels.tolist(), strict=True)
    ]


def test_mean_is_over_the_classes_that_occur(run_metric):
    rng = np.random.default_rng(0)
    scores, labels = rng.random((11, 3)), (rng.random((11, 3)) > 0.5).astype(float)
    labels[:, 1] = 0
    metrics = run_metric(METRICS.build(dict(type='mmwsss.MultiLabelMetric')), samples_of(scores, labels))
    expected = [100 * slow_average_precision(scores[:, index], labels[:, index]) for index in (0, 2)]
    assert metrics == {'multi_label/mAP': pytest.approx(np.mean(expected))}


def test_no_label_at_all_is_no_figure(run_metric):
    metrics = run_metric(
        METRICS.build(dict(type='mmwsss.MultiLabelMetric')), samples_of(np.ones((2, 3)), np.zeros((2, 3)))
    )
    assert np.isnan(metrics['multi_label/mAP'])


@pytest.mark.parametrize(
    'sample, message',
    [
        (dict(label_scores=torch.ones(3)), 'has no labels to measure with; set image_labels'),
        (dict(gt_label=dict(score=torch.ones(3))), 'MultiLabelMetric measures a network that scores labels'),
    ],
)
def test_what_is_missing_is_named(run_metric, sample, message):
    with pytest.raises(DataError, match=rf'p\.jpg: {message}'):
        run_metric(METRICS.build(dict(type='mmwsss.MultiLabelMetric')), [dict(sample, img_path='p.jpg')])
