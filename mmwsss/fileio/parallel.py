from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')


def map_parallel(
    function: Callable[[Item], Result], items: Iterable[Item], num_workers: int, ahead: int = 4
) -> Iterator[Result]:
    """Apply a function to items in threads, in order, holding few results at a time.

    Threads are enough to read and decode files, because other threads need not wait meanwhile.

    Args:
        function (callable): Of one item.
        items (iterable): Read as far as needed, so that they may be many.
        num_workers (int): Threads; 0 works in this one.
        ahead (int): Results a thread that may wait to be taken. Defaults to 4.

    Yields:
        The results, in the order of the items; an error of the function is raised in the place of its result.
    """
    if num_workers == 0:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(num_workers) as executor:
        pending: deque[Future[Result]] = deque()
        try:
            for item in items:
                pending.append(executor.submit(function, item))
                if len(pending) > ahead * num_workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
