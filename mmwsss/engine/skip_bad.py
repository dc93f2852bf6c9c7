"""Going on without images that cannot be used, and saying at the end which ones."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_gather_object, is_main_process
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.registry import FUNCTIONS
from mmengine.runner import Runner, TestLoop
from torch.utils.data import Dataset

from mmwsss.fileio import DataError, atomic_write_json
from mmwsss.registry import DATASETS, LOOPS

SKIPPED_FILE = 'skipped.json'
MAX_REPLACEMENTS = 100


class Skipped(NamedTuple):
    """An image that was left out.

    Attributes:
        image_id (str): Which one; its path where it has no id.
        reason (str): The error, which names the file.
    """

    image_id: str
    reason: str


@DATASETS.register_module()
class SkipBadDataset(Dataset):
    """Any data set, without the samples that raise a :class:`DataError`.

    In training, another sample, picked at random, takes the place of a bad one, and a warning names the file. In a
    test, the sample is a :class:`Skipped`, for the collate function and the loop of :class:`SkipBadTestLoop`.

    Args:
        dataset (dict | Dataset): What is wrapped.
        test_mode (bool): Whether this is a test. Defaults to False.
    """

    def __init__(self, dataset: dict | Dataset, test_mode: bool = False) -> None:
        self.dataset: Any = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.test_mode = test_mode
        self._warned: set[str] = set()

    @property
    def metainfo(self) -> dict:
        return getattr(self.dataset, 'metainfo', {})

    def full_init(self) -> None:
        if hasattr(self.dataset, 'full_init'):
            self.dataset.full_init()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        for _ in range(MAX_REPLACEMENTS):
            try:
                return self.dataset[index]
            except DataError as error:
                skipped = Skipped(self._image_id(index), str(error))
            if self.test_mode:
                return skipped
            if skipped.image_id not in self._warned:
                self._warned.add(skipped.image_id)
                print_log(f'Training without {skipped.reason}', logger='current', level=logging.WARNING)
            index = int(np.random.randint(len(self.dataset)))
        raise DataError(f'{MAX_REPLACEMENTS} samples in a row cannot be used, the last one: {skipped.reason}')

    def get_cat_ids(self, index: int) -> list[int]:
        """Classes of a sample, for samplers that balance them; none of a file that cannot be read."""
        try:
            return self.dataset.get_cat_ids(index)
        except DataError:
            return []

    def _image_id(self, index: int) -> str:
        sample = self.dataset.get_data_info(index) if hasattr(self.dataset, 'get_data_info') else {}
        return str(sample.get('image_id', sample.get('img_path', index)))


def collate_kept(samples: Sequence[Any], collate: Callable = pseudo_collate) -> tuple[Any, list[Skipped]]:
    """Batches the samples that are not :class:`Skipped`.

    Returns:
        tuple: The batch, None where no sample is left, and those skipped.
    """
    kept = [sample for sample in samples if not isinstance(sample, Skipped)]
    return (collate(kept) if kept else None), [sample for sample in samples if isinstance(sample, Skipped)]


@LOOPS.register_module()
class SkipBadTestLoop(TestLoop):
    """A test that goes on without images that cannot be used.

    Left out are samples whose loading raises a :class:`DataError`, in whatever worker or process, and what a
    :class:`StreamingMetric` cannot do with an image, such as measuring on a damaged mask. At the end, all of them
    are in ``skipped.json`` of the work directory, with ``image_id`` and ``reason`` of each, and a line says how many.

    Args:
        runner (Runner): As in ``TestLoop``.
        dataloader (dict): As in ``TestLoop``.
        evaluator (dict | list | Evaluator): As in ``TestLoop``.
        fp16 (bool): As in ``TestLoop``. Defaults to False.

    Raises:
        DataError: If no image is left.
    """

    def __init__(
        self, runner: Runner, dataloader: dict, evaluator: dict | list | Evaluator, fp16: bool = False
    ) -> None:
        self.skipped: list[Skipped] = []
        super().__init__(runner, _skipping(dataloader), evaluator, fp16)
        for metric in self.evaluator.metrics:
            if hasattr(metric, 'on_bad'):
                metric.on_bad = self._skip_in_metric

    def _skip_in_metric(self, image_id: str, error: DataError) -> None:
        self.skipped.append(Skipped(image_id, str(error)))

    def run(self) -> dict:
        """Test.

        Returns:
            dict: The metrics, of the images that are left.
        """
        self.runner.call_hook('before_test')
        self.runner.call_hook('before_test_epoch')
        self.runner.model.eval()
        for index, (batch, skipped) in enumerate(self.dataloader):
            self.skipped += skipped
            if batch is not None:
                self.run_iter(index, batch)
        total = len(self.dataloader.dataset)
        if len({one.image_id for one in self._gather()}) >= total:
            self._report(total)
            raise DataError(f'none of the {total} images can be used; {self._file} says why')
        metrics = self.evaluator.evaluate(total)
        self._report(total)
        self.runner.call_hook('after_test_epoch', metrics=metrics)
        self.runner.call_hook('after_test')
        return metrics

    @property
    def _file(self) -> Path:
        return Path(self.runner.work_dir, SKIPPED_FILE)

    def _gather(self) -> list[Skipped]:
        """What all processes skipped, each once, in a constant order."""
        return sorted({Skipped(*one) for part in all_gather_object(self.skipped) for one in part})

    def _report(self, total: int) -> None:
        skipped = self._gather()
        if not is_main_process():
            return
        atomic_write_json(self._file, [one._asdict() for one in skipped])
        number = len({one.image_id for one in skipped})
        print_log(f'Skipped {number} of {total} images, listed in {self._file}', logger='current')


def _skipping(dataloader: dict) -> dict:
    """The config of a data loader over :class:`SkipBadDataset`."""
    collate = dict(dataloader.get('collate_fn') or dict(type='pseudo_collate'))
    kind = collate.pop('type')
    function = partial(FUNCTIONS.get(kind) if isinstance(kind, str) else kind, **collate)
    return {
        **dataloader,
        'dataset': dict(type='mmwsss.SkipBadDataset', dataset=dataloader['dataset'], test_mode=True),
        'collate_fn': dict(type=collate_kept, collate=function),
    }
