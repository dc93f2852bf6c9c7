import numpy as np
import pytest

from mmwsss.evaluation.metrics.streaming_metric import Made, StreamingMetric
from mmwsss.fileio import DataError
from mmwsss.structures import Seeds


class SquareMetric(StreamingMetric):
    """Counts images and adds up squares, and the squares of the positive numbers on their own; skips None."""

    def counter(self, sample):
        return None if sample['number'] is None else Square(sample['number'])

    def empty(self):
        return dict(sums=np.zeros(2, np.int64), positive=np.zeros((), np.int64))

    def summarize(self, total):
        return dict(count=int(total['sums'][0]), squares=int(total['sums'][1]), positive=int(total['positive']))


class Square:
    def __init__(self, number):
        self.number = number

    def __call__(self, made):
        counts = dict(sums=np.array([1, self.number**2]))
        return dict(counts, positive=np.array(self.number**2)) if self.number > 0 else counts


def samples_of(*numbers):
    return [dict(number=number) for number in numbers]


@pytest.mark.parametrize('batch_size', [1, 7, 100])
def test_sums_over_calls_begin_anew_after_each_evaluation(batch_size):
    metric, samples = SquareMetric(), samples_of(*range(-20, 40), None)
    for _ in range(2):
        for start in range(0, len(samples), batch_size):
            metric.process(None, samples[start : start + batch_size])
        squares = [number**2 for number in range(-20, 40)]
        assert metric.evaluate(len(samples)) == dict(count=60, squares=sum(squares), positive=sum(squares[20:]))


def test_what_nothing_counted_is_zero():
    assert SquareMetric(prefix='toy').evaluate(0) == {'toy/count': 0, 'toy/squares': 0, 'toy/positive': 0}
    metric = SquareMetric()
    metric.add(None)
    metric.add(dict(positive=np.array(4)))
    assert metric.evaluate(2) == dict(count=0, squares=0, positive=4)


def test_arrays_that_are_added_stay_as_they_are():
    metric, counts = SquareMetric(), dict(sums=np.array([1, 9]))
    metric.add(counts)
    metric.add(counts)
    assert counts['sums'].tolist() == [1, 9] and metric.evaluate(2)['squares'] == 18


def test_format_only_has_no_figures():
    metric = SquareMetric(output_dir='out', format_only=True)
    metric.process(None, samples_of(1, 2))
    assert metric.evaluate(2) == {}
    with pytest.raises(ValueError, match='output_dir must be set'):
        SquareMetric(format_only=True)


def test_counter_gets_the_seeds_of_the_sample():
    class SeedsMetric(SquareMetric):
        def counter(self, sample):
            return lambda made: dict(sums=np.array([len(made.seeds.class_ids), len(made.chains)]))

    metric = SeedsMetric()
    seeds = Seeds(np.array([1, 2], np.uint8), np.zeros((2, 1, 1), np.float16), (1, 1))
    metric.process(None, [dict(seeds=seeds)])
    assert metric.evaluate(1)['count'] == 2
    assert Made() == Made(None, {})


def test_metric_of_a_chain_says_which_loop_it_needs():
    metric = SquareMetric()
    metric.chain = 'masks'
    with pytest.raises(DataError, match="label chain 'masks' makes: set type of test_cfg to mmwsss.LabelLoop"):
        metric.process(None, samples_of(1))
