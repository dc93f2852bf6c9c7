"""Going on without images that cannot be used, and saying at the end which ones."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.dataset import pseudo_collate
from mmengine.dist import all_gather_object, is_main_process
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.registry import FUNCTIONS
from mmengine.runner import Runner, TestLoop

from mmwsss.datasets.skip_bad_dataset import Skipped
from mmwsss.fileio import DataError, atomic_write_json
from mmwsss.registry import LOOPS

SKIPPED_FILE = 'skipped.json'


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

    Left out are samples whose loading raises a :class:`DataError`, in whatever worker or process, and images of which
    a subclass says so by :meth:`skip`. At the end, all of them are in ``skipped.json`` of the work directory, with
    ``image_id`` and ``reason`` of each, and a line says how many.

    Args:
        runner (Runner): As in ``TestLoop``.
        dataloader (dict): As in ``TestLoop``.
        evaluator (dict | list | Evaluator): As in ``TestLoop``.
        fp16 (bool): As in ``TestLoop``. Defaults to False.
        skip_bad (bool): With False, this is a ``TestLoop``. Defaults to True.

    Raises:
        DataError: If no image is left.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: dict,
        evaluator: dict | list | Evaluator,
        fp16: bool = False,
        skip_bad: bool = True,
    ) -> None:
        self.skip_bad = skip_bad
        self.skipped: list[Skipped] = []
        super().__init__(runner, _skipping(dataloader) if skip_bad else dataloader, evaluator, fp16)

    def skip(self, image_id: str, error: DataError) -> None:
        """Leaves out an image of which the loop has begun the work."""
        self.skipped.append(Skipped(image_id, str(error)))

    def finish(self) -> None:
        """Ends the work on images that the network has done with; nothing here."""

    def run(self) -> dict:
        """Test.

        Returns:
            dict: The metrics, of the images that are left.
        """
        self.runner.call_hook('before_test')
        self.runner.call_hook('before_test_epoch')
        self.runner.model.eval()
        for index, batch in enumerate(self._batches()):
            self.run_iter(index, batch)
        self.finish()
        total = len(self.dataloader.dataset)
        if self.skip_bad and len({one.image_id for one in self._gather()}) >= total:
            self._report(total)
            raise DataError(f'none of the {total} images can be used; {self._file} says why')
        metrics = self.evaluator.evaluate(total)
        if self.skip_bad:
            self._report(total)
        self.runner.call_hook('after_test_epoch', metrics=metrics)
        self.runner.call_hook('after_test')
        return metrics

    def _batches(self) -> Iterator[Any]:
        for item in self.dataloader:
            if not self.skip_bad:
                yield item
                continue
            batch, skipped = item
            self.skipped += skipped
            if batch is not None:
                yield batch

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
