from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmengine.evaluator import BaseMetric
from mmengine.fileio.backends import prefix_to_backends

from mmwsss.fileio import DataError
from mmwsss.processes import worker_pool


class StreamingMetric(BaseMetric):
    """A metric of sums, so that no data set is held in memory, whose work on each photograph may go to a process pool.

    A subclass names a picklable function in :meth:`job` that does one photograph's work and returns an integer array of
    a constant shape; these are added up over photographs and processes and handed to :meth:`summarise`.

    Args:
        output_dir (str, optional): Folder that the files of each photograph are written to. Defaults to None: none are.
        format_only (bool): Write the files and evaluate nothing. Defaults to False.
        num_workers (int): Processes that do the work while the network runs; 0 does it in the main one. Defaults to 0.
        prefix (str, optional): Prefix of the names of the figures. Defaults to None.

    Attributes:
        on_bad (callable, optional): Receives the image id and the :class:`DataError` of a photograph whose work fails,
            which is then not counted. By default, the error is raised.
    """

    def __init__(
        self,
        output_dir: str | None = None,
        format_only: bool = False,
        num_workers: int = 0,
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device='cpu', prefix=prefix)
        if format_only and output_dir is None:
            raise ValueError('format_only=True writes files: output_dir must be set')
        if not isinstance(num_workers, int) or num_workers < 0:
            raise ValueError(f'num_workers must be an integer of at least 0, got {num_workers!r}')
        self.output_dir = output_dir
        self.format_only = format_only
        self.num_workers = num_workers
        self.on_bad: Callable[[str, DataError], None] | None = None
        self._executor: ProcessPoolExecutor | None = None
        self._pending: deque[tuple[str, Future]] = deque()
        self._sum: np.ndarray | None = None

    @abstractmethod
    def job(self, sample: dict) -> tuple[Callable, tuple] | None:
        """The function and arguments that do the work on one photograph; None where there is nothing to do."""

    @abstractmethod
    def empty(self) -> np.ndarray:
        """The sum over no photograph."""

    @abstractmethod
    def summarise(self, total: np.ndarray) -> dict[str, float]:
        """Figures from the sum over all photographs."""

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            job = self.job(sample)
            if job is None:
                continue
            function, arguments = job
            image_id = str(sample.get('image_id', sample.get('img_path'))) if self.on_bad else ''
            if self.num_workers == 0:
                self._add(image_id, partial(function, *arguments))
                continue
            if self._executor is None:
                self._executor = worker_pool(self.num_workers, tuple(set(prefix_to_backends.values())))
            self._pending.append((image_id, self._executor.submit(function, *arguments)))
            try:
                while len(self._pending) > 8 * self.num_workers or (self._pending and self._pending[0][1].done()):
                    self._add_first()
            except BaseException:
                self._close()
                raise

    def _close(self) -> None:
        """Ends the processes without the work that none of them has begun."""
        self._pending.clear()
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None

    def _add_first(self) -> None:
        image_id, future = self._pending.popleft()
        self._add(image_id, future.result)

    def _add(self, image_id: str, work: Callable[[], np.ndarray | None]) -> None:
        try:
            counts = work()
        except DataError as error:
            if self.on_bad is None:
                raise
            self.on_bad(image_id, error)
            return
        if counts is not None:
            self._sum = counts if self._sum is None else self._sum + counts

    def evaluate(self, size: int) -> dict[str, float]:
        """Add up what all processes counted.

        Args:
            size (int): Length of the whole data set; not needed, sums know no order.

        Returns:
            dict[str, float]: Figures by name, the same on every rank.
        """
        try:
            while self._pending:
                self._add_first()
        finally:
            self._close()
        total = torch.from_numpy(self.empty() if self._sum is None else self._sum.astype(self.empty().dtype))
        self._sum = None
        all_reduce(total)
        if self.format_only:
            return {}
        metrics = self.compute_metrics(total.numpy())
        return {f'{self.prefix}/{name}' if self.prefix else name: value for name, value in metrics.items()}

    def compute_metrics(self, results: np.ndarray) -> dict[str, float]:
        return self.summarise(results)
