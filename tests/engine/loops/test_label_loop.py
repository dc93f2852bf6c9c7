"""Whatever makes labels of class maps makes the same ones: the loop, its processes, hooks, inference, stored maps."""

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmseg.registry import DATASETS, MODELS
from mmseg.structures import SegDataSample

from mmwsss.apis import PseudoMaskInferencer
from mmwsss.engine import LabelLoop
from mmwsss.engine.config_errors import describe_mistake
from mmwsss.engine.stored_maps import use_stored_maps
from mmwsss.evaluation.metrics.streaming_metric import StreamingMetric
from mmwsss.fileio import DataError, read_affinity, read_mask, read_seeds
from mmwsss.models import LabelChain, RefineContext
from mmwsss.ops import edge_to_affinity
from mmwsss.structures import BoundaryAffinity, ScoreMaps, Seeds, StencilAffinity


def files_below(files, folder):
    return {name: content for name, content in files.items() if name.startswith(f'{folder}/')}


def names_of(stages, folder, suffix='.png'):
    return {f'{folder}/{image_id}{suffix}' for image_id in stages.data.ids}


def loaded(config):
    """The network of a stage with its weights, and its data set."""
    model = MODELS.build(config.model)
    model.load_state_dict(torch.load(config.load_from, weights_only=True)['state_dict'])
    model.eval()
    return model, DATASETS.build(config.test_dataloader.dataset)


def test_a_localizer_writes_and_measures_seeds_labels_and_masks(stages):
    made = stages.run(stages.cam, 'run')
    expected = names_of(stages, 'seeds', '.npz') | names_of(stages, 'affinity_labels') | names_of(stages, 'cam_dcrf')
    assert set(made.files) == expected
    figures = {'cam/mIoU', 'cam/background_otsu', 'labels/precision', 'labels/coverage', 'cam_dcrf/mIoU'}
    assert figures | {'multi_label/mAP'} <= set(made.metrics)


def test_an_affinity_model_measures_before_the_margin_and_writes_after_it(stages):
    stages.make_seeds()
    made = stages.run(stages.affinity, 'run')
    assert set(made.files) == names_of(stages, 'pseudo_masks')
    assert set(made.metrics) == {'random_walk/mIoU', 'refined/mIoU'}
    chain = stages.affinity.test_cfg.chains.pseudo_masks
    without = stages.run(
        stages.affinity, 'without', chains=dict(pseudo_masks=dict(chain, labeler=dict(chain.labeler, margin=0.0)))
    )
    assert without.metrics == made.metrics and without.files != made.files
    for image_id in stages.data.ids:
        sure, all_pixels = (read_mask(one.folder / f'pseudo_masks/{image_id}.png') for one in (made, without))
        np.testing.assert_array_equal(np.where(sure == 255, 255, all_pixels), sure)


@pytest.mark.parametrize('kind, num_workers', [('cam', 2), ('affinity', 1)])
def test_processes_write_and_count_the_same(stages, kind, num_workers):
    stages.make_seeds()
    config = stages.cam if kind == 'cam' else stages.affinity
    affinity_dir = None if kind == 'cam' else 'affinities'
    alone = stages.run(config, 'alone', affinity_dir=affinity_dir)
    beside = stages.run(config, 'beside', affinity_dir=affinity_dir, num_workers=num_workers)
    assert alone.metrics == beside.metrics and alone.files == beside.files
    assert beside.runner.test_loop._executor is None


def test_refiners_beside_the_network_make_the_same(stages, monkeypatch):
    """As on a GPU, the walk runs before the work goes to where dense CRFs run, and the affinities stay behind."""
    stages.make_seeds()
    walk = stages.affinity.test_cfg.chains.pseudo_masks.refiners[0]
    chains = dict(
        stages.affinity.test_cfg.chains, walked=dict(refiners=[walk], labeler=dict(type='mmwsss.ArgmaxLabeler'))
    )
    evaluators = [*stages.affinity.test_evaluator, dict(type='mmwsss.PseudoMaskMetric', chain='walked')]
    expected = stages.run(stages.affinity, 'cpu', evaluators, chains=chains)
    handed, submit = [], LabelLoop._submit

    def keep(self, image_id, work):
        handed.append(work)
        submit(self, image_id, work)

    monkeypatch.setattr(LabelLoop, '_submit', keep)
    monkeypatch.setattr(LabelLoop, 'runs_beside_the_network', staticmethod(lambda context: True))
    made = stages.run(stages.affinity, 'device', evaluators, chains=chains)
    assert (made.metrics, made.files) == (expected.metrics, expected.files)
    assert len(handed) == 5
    for work in handed:
        assert work.context.affinity is None and {len(maps) for maps in work.maps.values()} == {2}


def test_one_chain_on_one_sample_is_what_the_loop_writes(stages):
    stages.make_seeds()
    for config, chain in ((stages.cam, 'cam_dcrf'), (stages.cam, 'affinity_labels'), (stages.affinity, 'pseudo_masks')):
        made = stages.run(config, chain)
        model, dataset = loaded(config)
        for item in dataset:
            with torch.no_grad():
                (sample,) = model.test_step(pseudo_collate([item]))
            labels = made.runner.test_loop.label(sample, chain).labels.labels[0]
            np.testing.assert_array_equal(labels, read_mask(made.folder / chain / f'{sample.image_id}.png'))


@pytest.mark.parametrize('chain', ['cam_dcrf', 'affinity_labels'])
def test_inference_of_a_localizer_gives_the_masks_of_its_test(stages, chain):
    made = stages.run(stages.cam, 'run')
    infer = PseudoMaskInferencer(stages.cam, stages.cam.load_from, device='cpu', chain=chain)
    tags = json.loads((stages.data.root / 'labels.json').read_text())
    for prediction in infer(str(stages.data.root / 'images'), tags, batch_size=2):
        name = prediction.image.name
        np.testing.assert_array_equal(prediction.mask, read_mask(made.folder / chain / f'{name}.png'))
        written = read_seeds(made.folder / f'seeds/{name}.npz')
        assert written.size == prediction.seeds.size
        np.testing.assert_array_equal(written.cams, prediction.seeds.cams)


@pytest.mark.parametrize('affinity_dir', [None, 'affinities'])
def test_inference_of_both_networks_gives_the_masks_of_the_affinity_stage(stages, affinity_dir):
    stages.make_seeds(of_the_network=True)
    stages.affinity.test_cfg.affinity_dir = affinity_dir
    made = stages.run(stages.affinity, 'run')
    networks = stages.cam, stages.cam.load_from, stages.affinity, stages.affinity.load_from
    tags = json.loads((stages.data.root / 'labels.json').read_text())
    predictions = list(PseudoMaskInferencer(*networks, device='cpu')(str(stages.data.root / 'images'), tags))
    assert {one.image.name for one in predictions} == set(stages.data.ids)
    for one in predictions:
        np.testing.assert_array_equal(one.mask, read_mask(made.folder / f'pseudo_masks/{one.image.name}.png'))


def refine(stages, config, made, name='again', affinity_dir=None, evaluators=None, **test_cfg):
    """Runs the chains of a stage on what it stored, as ``tools/refine.py`` does."""
    config = config.copy()
    config.work_dir, config.test_evaluator = str(made), evaluators or config.test_evaluator
    use_stored_maps(config, affinity_dir and str(affinity_dir))
    return stages.run(config, name, **test_cfg)


def test_stored_affinities_are_those_that_the_chain_saw(stages):
    stages.make_seeds()
    made = stages.run(stages.affinity, 'run', affinity_dir='affinities')
    assert set(made.files) == names_of(stages, 'pseudo_masks') | names_of(stages, 'affinities', '.npz')
    chain = LabelChain(**stages.affinity.test_cfg.chains.pseudo_masks)
    for image_id in stages.data.ids:
        field = read_affinity(made.folder / f'affinities/{image_id}.npz')
        size = np.array(stages.data.masks[image_id].shape)
        assert np.abs(field.size - 0.75 * size).max() <= 1 and field.stride == 8
        maps = ScoreMaps.of_seeds(read_seeds(stages.root / f'seeds/{image_id}.npz'), True)
        source = str(stages.data.root / f'images/{image_id}.jpg')
        labels = chain(maps, RefineContext([source], StencilAffinity.of_file(field))).labels.labels[0]
        np.testing.assert_array_equal(labels, read_mask(made.folder / f'pseudo_masks/{image_id}.png'))


def test_chains_run_again_on_what_is_stored_without_the_network(stages):
    stages.make_seeds()
    made = stages.run(stages.affinity, 'run', affinity_dir='affinities')
    again = refine(stages, stages.affinity, made.folder, affinity_dir=made.folder / 'affinities')
    assert again.metrics == made.metrics
    assert again.files == files_below(made.files, 'pseudo_masks')


def test_chains_of_a_localizer_run_again_on_its_seeds(stages):
    made = stages.run(stages.cam, 'run')
    evaluators = [one for one in stages.cam.test_evaluator if one['type'] != 'mmwsss.MultiLabelMetric']
    again = refine(stages, stages.cam, made.folder, evaluators=evaluators)
    assert again.files == {name: content for name, content in made.files.items() if not name.startswith('seeds/')}
    assert again.metrics == {name: made.metrics[name] for name in again.metrics} and len(again.metrics) > 4


def test_affinities_are_stored_also_where_no_metric_needs_a_chain(stages):
    stages.make_seeds()
    made = stages.run(stages.affinity, 'run', [dict(type='mmwsss.SeedMetric')], affinity_dir='affinities')
    assert set(made.files) == names_of(stages, 'affinities', '.npz')


def test_a_chain_whose_needs_are_missing_is_one_line_before_anything_is_skipped(stages):
    stages.make_seeds()
    stages.affinity.model = dict(type='mmwsss.StoredMaps')
    stages.affinity.load_from = None
    for num_workers in (0, 1):
        with pytest.raises(DataError) as caught:
            stages.run(stages.affinity, 'run', skip_bad=True, num_workers=num_workers)
        text = describe_mistake(caught.value)
        assert text.startswith('test_cfg.chains.pseudo_masks: RandomWalk of a label chain needs the affinity')
        assert '\n' not in text and not (stages.root / 'run/skipped.json').exists()


def test_a_classifier_that_has_diverged_is_one_line(stages):
    checkpoint = torch.load(stages.cam.load_from, weights_only=True)
    for name, weights in checkpoint['state_dict'].items():
        if 'classifier' in name:
            weights.fill_(float('nan'))
    torch.save(checkpoint, stages.cam.load_from)
    with pytest.raises(DataError, match=r'p0\.jpg: its class maps are no finite numbers.*optimizer\.lr'):
        stages.run(stages.cam, 'diverged')


def test_class_maps_must_come_from_somewhere(stages):
    stages.cam.model.test_cfg = None
    with pytest.raises(DataError, match=r'p0\.jpg: a label chain needs class maps; use a localizer with a test_cfg'):
        stages.run(stages.cam, 'run', stages.cam.test_evaluator[1:2])


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(chain='walk'), r"chain 'walk' of PseudoMaskMetric is none of test_cfg\.chains, \['pseudo_masks'\]"),
        (dict(chain='pseudo_masks', num_refiners=3), r'num_refiners .* is 3, .*chains\.pseudo_masks has 2 refiners'),
    ],
)
def test_metrics_of_chains_that_are_not_there_are_named(stages, settings, message):
    stages.make_seeds()
    with pytest.raises(DataError, match=f'test_evaluator: {message}'):
        stages.run(stages.affinity, 'run', [dict(type='mmwsss.PseudoMaskMetric', **settings)])


def test_folders_may_be_anywhere_and_relative_ones_lie_in_the_work_directory(stages):
    elsewhere = stages.root / 'elsewhere'
    evaluators = [
        dict(type='mmwsss.SeedMetric', output_dir=str(elsewhere)),
        dict(type='mmwsss.PseudoMaskMetric', chain='cam_dcrf', output_dir='deep/masks'),
    ]
    made = stages.run(stages.cam, 'run', evaluators)
    assert set(made.files) == names_of(stages, 'deep/masks')
    assert len(list(elsewhere.rglob('*.npz'))) == 5


@pytest.mark.parametrize('num_workers', [-1, 1.5])
def test_wrong_number_of_workers(stages, num_workers):
    with pytest.raises(ValueError, match='num_workers of LabelLoop'):
        stages.run(stages.cam, 'run', num_workers=num_workers)


class SquareMetric(StreamingMetric):
    """Counts images and adds up squares of the numbers that they are named by; refuses negative ones."""

    def counter(self, sample):
        return Count(sample['number'])

    def empty(self):
        return dict(sums=np.zeros(2, np.int64))

    def summarize(self, total):
        return dict(count=int(total['sums'][0]), squares=int(total['sums'][1]))


class Count:
    def __init__(self, number):
        self.number = number

    def __call__(self, made):
        if self.number < 0:
            raise DataError(f'{self.number}.png: expected a positive number')
        return dict(sums=np.array([1, self.number**2]))


@pytest.fixture
def threads(monkeypatch):
    """Threads in the place of processes, and the pools that were opened."""
    pools = []

    def pool(num_workers, backends):
        pools.append(ThreadPoolExecutor(num_workers))
        return pools[-1]

    monkeypatch.setattr('mmwsss.engine.loops.label_loop.worker_pool', pool)
    return pools


class Numbers(torch.utils.data.Dataset):
    """Samples without anything but a number."""

    metainfo = dict(classes=('a',))

    def __init__(self, numbers):
        self.numbers = numbers

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, index):
        number = self.numbers[index]
        sample = SegDataSample(metainfo=dict(number=number, img_path=f'{number}.jpg'))
        sample.set_field(Seeds(np.zeros(0, np.uint8), np.zeros((0, 1, 1), np.float16), (1, 1)), 'seeds')
        return sample


def loop_of(numbers, num_workers, work_dir):
    """A loop over numbers, whose network does nothing."""
    runner = SimpleNamespace(
        model=SimpleNamespace(test_step=lambda batch: batch, eval=lambda: None),
        visualizer=SimpleNamespace(dataset_meta=None),
        call_hook=lambda *args, **kwargs: None,
        work_dir=str(work_dir),
    )
    dataloader = torch.utils.data.DataLoader(Numbers(numbers), 2, collate_fn=list)
    return LabelLoop(runner, dataloader, Evaluator([SquareMetric()]), num_workers=num_workers)


@pytest.mark.parametrize('num_workers', [0, 1, 3])
def test_what_images_count_is_added_up(threads, tmp_path, num_workers):
    loop = loop_of(range(60), num_workers, tmp_path)
    for _ in range(2):
        assert loop.run() == dict(count=60, squares=sum(number**2 for number in range(60)))
    assert len(threads) == (2 if num_workers else 0)
    assert loop._executor is None and not loop._pending


@pytest.mark.parametrize('num_workers', [0, 2])
def test_error_of_a_worker_names_the_file_and_ends_the_pool(threads, tmp_path, num_workers):
    loop = loop_of([1, 2, -3, 4], num_workers, tmp_path)
    with pytest.raises(DataError, match=r'-3\.png'):
        loop.run()
    assert loop._executor is None and not loop._pending


def test_boundaries_are_seen_as_their_file_holds_them():
    loop = LabelLoop.__new__(LabelLoop)
    loop.affinity_dir = 'affinities'
    edge = torch.full((1, 1, 3, 3), 0.3)
    sample = SegDataSample(metainfo=dict(img_path='a.png'))
    sample.set_field(BoundaryAffinity(edge_to_affinity(edge, 3), (24, 24), 8, edge), 'affinity')
    affinity = loop._context_of(sample).affinity
    assert isinstance(affinity, BoundaryAffinity)
    torch.testing.assert_close(affinity.edge, torch.full((1, 1, 3, 3), 76 / 255))
