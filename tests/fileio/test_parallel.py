import threading

import pytest

from mmwsss.fileio import map_parallel


@pytest.mark.parametrize('num_workers', [0, 1, 3])
def test_results_come_in_the_order_of_the_items(num_workers):
    assert list(map_parallel(lambda item: item * 2, range(50), num_workers)) == list(range(0, 100, 2))
    assert list(map_parallel(str, [], num_workers)) == []


def test_items_are_read_only_a_few_ahead():
    read = []

    def items():
        for number in range(1000):
            read.append(number)
            yield number

    results = map_parallel(lambda item: item, items(), num_workers=2, ahead=3)
    assert [next(results) for _ in range(5)] == list(range(5))
    assert len(read) <= 5 + 2 * 3 + 1
    results.close()


def test_an_error_is_raised_where_its_result_would_be():
    results = map_parallel(lambda item: 1 // item, [2, 1, 0, 1], num_workers=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_work_is_done_in_other_threads():
    threads = set(map_parallel(lambda _: threading.get_ident(), range(20), num_workers=2))
    assert threading.get_ident() not in threads
