from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mmwsss.evaluation.metrics import streaming_metric
from mmwsss.evaluation.metrics.streaming_metric import StreamingMetric
from mmwsss.fileio import DataError


class SquareMetric(StreamingMetric):
    """Counts images and adds up squares; skips None, refuses negative numbers."""

    def job(self, sample):
        return None if sample is None else (count, (sample,))

    def empty(self):
        return np.zeros(2, np.int64)

    def summarize(self, total):
        return dict(count=int(total[0]), squares=int(total[1]))


def count(value):
    if value < 0:
        raise DataError(f'{value}.png: expected a positive number')
    return None if value == 0 else np.array([1, value**2])


@pytest.fixture
def threads(monkeypatch):
    """Threads in the place of processes, and the pools that were opened."""
    pools = []

    def pool(num_workers, backends):
        pools.append(ThreadPoolExecutor(num_workers))
        return pools[-1]

    monkeypatch.setattr(streaming_metric, 'worker_pool', pool)
    return pools


@pytest.mark.parametrize('num_workers', [0, 1, 3])
@pytest.mark.parametrize('batch_size', [1, 7, 100])
def test_sum_over_calls_and_workers(threads, num_workers, batch_size):
    metric, values = SquareMetric(num_workers=num_workers), [*range(60), None]
    for _ in range(2):
        for start in range(0, len(values), batch_size):
            metric.process(None, values[start : start + batch_size])
        expected = dict(count=59, squares=sum(value**2 for value in range(60)))
        assert metric.evaluate(len(values)) == expected
    assert len(threads) == (2 if num_workers else 0)


def test_nothing_to_do():
    assert SquareMetric(prefix='toy').evaluate(0) == {'toy/count': 0, 'toy/squares': 0}


def test_format_only_has_no_figures():
    metric = SquareMetric(output_dir='out', format_only=True)
    metric.process(None, [1, 2])
    assert metric.evaluate(2) == {}
    with pytest.raises(ValueError, match='output_dir must be set'):
        SquareMetric(format_only=True)


@pytest.mark.parametrize('num_workers', [0, 2])
def test_error_of_a_worker_names_the_file(threads, num_workers):
    metric = SquareMetric(num_workers=num_workers)
    with pytest.raises(DataError, match=r'-3\.png'):
        metric.process(None, [1, 2, -3])
        metric.evaluate(3)
    assert metric._executor is None and not metric._pending


@pytest.mark.parametrize('num_workers', [-1, 1.5])
def test_wrong_number_of_workers(num_workers):
    with pytest.raises(ValueError, match='num_workers'):
        SquareMetric(num_workers=num_workers)
