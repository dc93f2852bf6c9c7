import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import Evaluator
from mmengine.fileio.backends import prefix_to_backends
from mmengine.runner import Runner
from mmengine.runner.amp import autocast
from mmseg.structures import SegDataSample

from mmwsss.evaluation.metrics.pseudo_mask_metric import PseudoMaskMetric
from mmwsss.evaluation.metrics.streaming_metric import Counts, Made, StreamingMetric
from mmwsss.fileio import DataError, as_stored, is_remote, write_affinity, write_features
from mmwsss.models import ChainResult, LabelChain, RefineContext
from mmwsss.processes import worker_pool
from mmwsss.registry import LOOPS
from mmwsss.structures import ScoreMaps, Seeds, StencilAffinity

from .skip_bad_test_loop import SkipBadTestLoop

# Images that may wait for each process before the network waits for them.
WAITING = 8


@LOOPS.register_module()
class LabelLoop(SkipBadTestLoop):
    """A test whose class maps become labels by chains of refiners and a labeler, in processes beside the network.

    The network gives ``seeds`` (:class:`mmwsss.structures.Seeds`) of each image, or the data set brought them, and
    possibly ``affinity`` and ``features``. Each chain makes labels of them, which the evaluators measure and write, all
    in the process that made them. Of a chain, the first refiners that work on a device run on that of the network,
    unless it is a CPU.

    Args:
        runner (Runner): As in ``TestLoop``.
        dataloader (dict): As in ``TestLoop``.
        evaluator (dict | list | Evaluator): As in ``TestLoop``. Of a :class:`StreamingMetric`, a relative
            ``output_dir`` is a folder of the work directory.
        fp16 (bool): As in ``TestLoop``. Defaults to False.
        chains (dict[str, dict]): Arguments of a :class:`LabelChain`, by its name. Defaults to none.
        num_workers (int): Processes that run chains and evaluators; 0 does it in the main one. Defaults to 0.
        affinity_dir (str, optional): Folder for the affinities of each image, ``<image_id>.npz``, from which
            ``tools/refine.py`` can run chains again without the network; a relative one is a folder of the work
            directory. They are rounded to 1 / 255, and the chains see them so. Defaults to None: they are not stored.
        feature_dir (str, optional): The same for the features of each image, in float16, in which the chains always see
            them: 2 D bytes a cell, such as 94 kB for 80 channels at stride 16 of 448 x 336 pixels. Defaults to None:
            they are not stored.
        skip_bad (bool): As in :class:`SkipBadTestLoop`. Defaults to False.

    Raises:
        DataError: If an evaluator names a chain that is not there, or more refiners than it has; in a test, if a chain
            needs what neither the network nor the data set gives.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: dict,
        evaluator: dict | list | Evaluator,
        fp16: bool = False,
        chains: Mapping[str, Mapping[str, Any]] | None = None,
        num_workers: int = 0,
        affinity_dir: str | None = None,
        feature_dir: str | None = None,
        skip_bad: bool = False,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, fp16, skip_bad)
        if not isinstance(num_workers, int) or num_workers < 0:
            raise ValueError(f'num_workers of LabelLoop must be an integer of at least 0, got {num_workers!r}')
        self.chains = {name: LabelChain(**settings) for name, settings in (chains or {}).items()}
        self.num_workers = num_workers
        self.affinity_dir = affinity_dir and _below(runner.work_dir, affinity_dir)
        self.feature_dir = feature_dir and _below(runner.work_dir, feature_dir)
        earlier: tuple[str, ...] = ()
        for metric in self.evaluator.metrics:
            if isinstance(metric, StreamingMetric):
                self._prepare(metric, runner.work_dir)
            if isinstance(metric, PseudoMaskMetric):
                metric.compared_with = earlier
                earlier = tuple(dict.fromkeys([*earlier, metric.prefix or '']))
        self._executor: ProcessPoolExecutor | None = None
        self._pending: deque[tuple[str, Future[dict[int, Counts | None]]]] = deque()

    def _prepare(self, metric: StreamingMetric, work_dir: str) -> None:
        if metric.chain is not None and metric.chain not in self.chains:
            raise DataError(
                f'test_evaluator: chain {metric.chain!r} of {type(metric).__name__} is none of test_cfg.chains, '
                f'{sorted(self.chains)}'
            )
        number = getattr(metric, 'num_refiners', None)
        if number is not None and metric.chain is not None and number > len(self.chains[metric.chain].refiners):
            raise DataError(
                f'test_evaluator: num_refiners of {type(metric).__name__} is {number}, but test_cfg.chains.'
                f'{metric.chain} has {len(self.chains[metric.chain].refiners)} refiners'
            )
        for key in ('output_dir', 'weight_dir'):
            if getattr(metric, key, None) is not None:
                setattr(metric, key, _below(work_dir, getattr(metric, key)))

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Runs the network on a batch and hands what it gives to the chains."""
        self.runner.call_hook('before_test_iter', batch_idx=idx, data_batch=data_batch)
        with autocast(enabled=self.fp16):
            outputs = self.runner.model.test_step(data_batch)
        dicts = [sample.to_dict() for sample in outputs]
        for metric in self.evaluator.metrics:
            if not isinstance(metric, StreamingMetric):
                metric.process(data_batch, dicts)
        for sample, values in zip(outputs, dicts, strict=True):
            self._submit(str(values.get('image_id', values.get('img_path'))), self._work_of(sample, values))
        self.runner.call_hook('after_test_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs)

    def label(self, sample: SegDataSample, chain: str) -> ChainResult:
        """What a chain makes of the class maps of one sample, here and now."""
        return self.chains[chain](score_maps_of(sample), self._context_of(sample))

    def _context_of(self, sample: SegDataSample) -> RefineContext:
        affinity = sample.get('affinity')
        if affinity is not None and self.affinity_dir is not None:
            affinity = as_stored(affinity)
        features = sample.get('features')
        return RefineContext([sample.img_path], affinity, None if features is None else features[None].float())

    def _work_of(self, sample: SegDataSample, values: dict) -> '_ImageWork':
        counters = {}
        for index, metric in enumerate(self.evaluator.metrics):
            count = metric.counter(values) if isinstance(metric, StreamingMetric) else None
            if count is not None:
                counters[index] = count
        names = sorted({self.evaluator.metrics[index].chain for index in counters} - {None})
        maps, context = score_maps_of(sample), self._context_of(sample)
        chains = {name: self.chains[name] for name in names}
        started = {name: self._start(name, maps, context) for name in names}
        stores = self._stores(context, f'{values.get("image_id")}.npz')
        waiting = {need for name, chain in chains.items() for need in chain.needs(len(started[name]) - 1)}
        context = replace(
            context,
            affinity=_on_cpu(context.affinity) if 'affinity' in waiting else None,
            features=context.features.cpu() if 'features' in waiting and context.features is not None else None,
        )
        return _ImageWork(chains, started, context, sample.get('seeds'), counters, stores)

    def _stores(self, context: RefineContext, file: str) -> list[Callable[[], None]]:
        """What stores affinities and features of an image, where that is asked for."""
        stores: list[Callable[[], None]] = []
        affinity, features = context.affinity, context.features
        if self.affinity_dir is not None and affinity is not None:
            stores.append(partial(write_affinity, os.path.join(self.affinity_dir, file), affinity.to_file()))
        if self.feature_dir is not None and features is not None:
            stores.append(partial(write_features, os.path.join(self.feature_dir, file), features[0].cpu().numpy()))
        return stores

    def _start(self, name: str, maps: ScoreMaps, context: RefineContext) -> tuple[ScoreMaps, ...]:
        """What a chain makes beside the network, on the CPU."""
        chain = self.chains[name]
        try:
            chain.check(context)
        except ValueError as error:
            raise DataError(f'test_cfg.chains.{name}: {error}') from error
        if not self.runs_beside_the_network(context):
            return (maps,)
        return tuple(replace(one, maps=one.maps.cpu()) for one in chain.refine_on_device(maps, context))

    @staticmethod
    def runs_beside_the_network(context: RefineContext) -> bool:
        """Whether the first refiners of a chain run on the device of the network, which is no CPU."""
        known = [context.features, context.affinity.field if context.affinity is not None else None]
        return any(one is not None and one.device.type != 'cpu' for one in known)

    def _submit(self, image_id: str, work: '_ImageWork') -> None:
        if self.num_workers == 0:
            self._add(image_id, work)
            return
        if self._executor is None:
            self._executor = worker_pool(self.num_workers, tuple(set(prefix_to_backends.values())))
        self._pending.append((image_id, self._executor.submit(work)))
        while len(self._pending) > WAITING * self.num_workers or (self._pending and self._pending[0][1].done()):
            self._add_first()

    def _add_first(self) -> None:
        image_id, future = self._pending.popleft()
        self._add(image_id, future.result)

    def _add(self, image_id: str, work: Callable[[], dict[int, Counts | None]]) -> None:
        try:
            counted = work()
        except DataError as error:
            if not self.skip_bad:
                raise
            self.skip(image_id, error)
            return
        for index, counts in counted.items():
            self.evaluator.metrics[index].add(counts, dict(image_id=image_id))

    def finish(self) -> None:
        """Waits for what the chains still have to do."""
        while self._pending:
            self._add_first()

    def run(self) -> dict:
        """Test.

        Returns:
            dict: The metrics, of the images that were not skipped.
        """
        try:
            return super().run()
        finally:
            self._pending.clear()
            if self._executor is not None:
                self._executor.shutdown(cancel_futures=True)
                self._executor = None


@dataclass(frozen=True)
class _ImageWork:
    """The chains and evaluators of one image, in whatever process it is called.

    Attributes:
        chains (dict[str, LabelChain]): Those that a counter needs.
        maps (dict[str, tuple[ScoreMaps, ...]]): What each of them goes on from.
        context (RefineContext): What else is known of the image.
        seeds (Seeds, optional): Its class maps.
        counters (dict[int, callable]): What measures and writes, by index of the metric.
        stores (sequence[callable]): What stores affinities and features.
    """

    chains: Mapping[str, LabelChain]
    maps: Mapping[str, Sequence[ScoreMaps]]
    context: RefineContext
    seeds: Seeds | None
    counters: Mapping[int, Callable[[Made], Counts | None]]
    stores: Sequence[Callable[[], None]]

    def __call__(self) -> dict[int, Counts | None]:
        for store in self.stores:
            store()
        made = Made(self.seeds, {name: chain(self.maps[name], self.context) for name, chain in self.chains.items()})
        return {index: count(made) for index, count in self.counters.items()}


def _on_cpu(affinity: StencilAffinity | None) -> StencilAffinity | None:
    return None if affinity is None else replace(affinity, field=affinity.field.cpu())


def score_maps_of(sample: SegDataSample) -> ScoreMaps:
    """The class maps of a sample, as their file holds them.

    Raises:
        DataError: If it has none, or they are no numbers.
    """
    if 'seeds' not in sample:
        raise DataError(
            f'{sample.get("img_path")}: a label chain needs class maps; use a localizer with a test_cfg, or LoadSeeds '
            'in the pipeline of the data set'
        )
    if not np.isfinite(sample.seeds.cams).all():
        raise DataError(
            f'{sample.get("img_path")}: its class maps are no finite numbers, expected those of a classifier that has '
            'learnt something; it has diverged: lower optim_wrapper.optimizer.lr of its training'
        )
    return ScoreMaps.of_seeds(sample.seeds, bool(sample.get('with_background', True)))


def _below(work_dir: str, folder: str) -> str:
    return folder if is_remote(folder) or os.path.isabs(folder) else os.path.join(work_dir, folder)
