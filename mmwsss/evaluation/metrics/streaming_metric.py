from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmengine.evaluator import BaseMetric

from mmwsss.evaluation.records import Record
from mmwsss.fileio import DataError
from mmwsss.structures import Seeds

if TYPE_CHECKING:
    from mmwsss.models import ChainResult

Counts = dict[str, np.ndarray]


@dataclass(frozen=True)
class Made:
    """What a stage made of one image, for metrics to measure and write.

    Attributes:
        seeds (Seeds, optional): Its class maps. Defaults to None.
        chains (dict[str, ChainResult]): What each label chain made of them, a batch of one. Defaults to none.
        masks (dict[str, ndarray]): Masks, uint8 (H, W), that metrics before have made of it, by their names. Defaults
            to none.
    """

    seeds: Seeds | None = None
    chains: 'Mapping[str, ChainResult]' = field(default_factory=dict)
    masks: dict[str, np.ndarray] = field(default_factory=dict)


class StreamingMetric(BaseMetric):
    """A metric of sums, so that no data set is held in memory.

    A subclass names in :meth:`counter` a picklable function that measures and writes what was made of one image, in
    whatever process made it, and returns integer arrays of constant shapes. These are added up over images and
    processes and handed to :meth:`summarize`.

    Args:
        output_dir (str, optional): Folder that the files of each image are written to; under
            :class:`mmwsss.engine.LabelLoop`, a relative one is a folder of the work directory. Defaults to None: none
            are.
        format_only (bool): Write the files and evaluate nothing. Defaults to False.
        prefix (str, optional): Prefix of the names of the figures. Defaults to None.

    Attributes:
        chain (str, optional): The label chain whose results it counts. Defaults to None: it needs none.
        file_suffix (str, optional): End of the name of the one file for each image in ``output_dir``. Defaults to None:
            other files are written.
        record (Record, optional): What it keeps of single images, where a :class:`mmwsss.engine.RecordHook` asks for
            it. Defaults to None: nothing.
        name_without_prefix (str): What is measured, in records of a metric without a prefix.
    """

    chain: str | None = None
    file_suffix: str | None = None
    record: Record | None = None
    name_without_prefix = 'measured'

    def __init__(self, output_dir: str | None = None, format_only: bool = False, prefix: str | None = None) -> None:
        super().__init__(collect_device='cpu', prefix=prefix)
        if format_only and output_dir is None:
            raise ValueError('format_only=True writes files: output_dir must be set')
        self.output_dir = output_dir
        self.format_only = format_only
        self._sums: Counts = {}

    @abstractmethod
    def counter(self, sample: dict) -> Callable[[Made], Counts | None] | None:
        """What measures and writes one image; None where there is nothing to do."""

    @abstractmethod
    def empty(self) -> Counts:
        """The sums over no image."""

    @abstractmethod
    def summarize(self, total: Counts) -> dict[str, float]:
        """Figures from the sums over all images."""

    def image_confusion(self, counts: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """Confusion matrix of an image from what its counter returned; None where there is none, as by default."""
        return None

    def add(self, counts: Mapping[str, np.ndarray] | None, sample: Mapping[str, Any] | None = None) -> None:
        """Adds what a counter returned.

        Args:
            counts (dict, optional): Arrays by name.
            sample (dict, optional): ``image_id`` or ``img_path`` of the image, to keep its own mIoU where that is
                asked for. Defaults to None.
        """
        for name, values in (counts or {}).items():
            self._sums[name] = self._sums[name] + values if name in self._sums else values
        if counts and sample is not None and self.record is not None and self.record.measures(sample):
            confusion = self.image_confusion(counts)
            if confusion is not None:
                self.record.measure(sample, confusion)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Counts samples that no label chain made anything of.

        Raises:
            DataError: If the metric counts what a label chain makes.
        """
        if self.chain is not None:
            raise DataError(
                f'{type(self).__name__} counts what label chain {self.chain!r} makes: set type of test_cfg to '
                'mmwsss.LabelLoop, with this chain among its chains'
            )
        for sample in data_samples:
            count = self.counter(sample)
            if count is not None:
                self.add(count(Made(sample.get('seeds'))), sample)

    def evaluate(self, size: int) -> dict[str, float]:
        """Add up what all processes counted.

        Args:
            size (int): Length of the whole data set; not needed, sums know no order.

        Returns:
            dict[str, float]: Figures by name, the same on every rank.
        """
        total = {}
        for name, zeros in self.empty().items():
            summed = torch.from_numpy(np.asarray(self._sums.get(name, zeros)).astype(zeros.dtype))
            all_reduce(summed)
            total[name] = summed.numpy()
        self._sums = {}
        if self.format_only:
            return {}
        figures = self.summarize(total)
        if self.record is not None:
            self.record.write()
        return {f'{self.prefix}/{name}' if self.prefix else name: value for name, value in figures.items()}

    def compute_metrics(self, results: list) -> dict[str, float]:
        raise NotImplementedError(f'{type(self).__name__} adds up counts and keeps no results')
