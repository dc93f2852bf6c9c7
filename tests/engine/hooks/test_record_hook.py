"""What a test of an affinity model and one of a segmentor keep."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmwsss.datasets.skip_bad_dataset import SkipBadDataset
from mmwsss.engine import RecordHook
from mmwsss.evaluation import SegmentorMetric
from mmwsss.evaluation.records import TRAINING_IMAGES, recorded_statistics
from mmwsss.fileio import Seeds, read_mask, write_mask, write_seeds
from mmwsss.ops import neighbor_offsets
from mmwsss.structures import StencilAffinity

LABELS = [['disc'], ['stripe', 'box'], [], ['disc', 'stripe', 'box']]
PIPELINE = [dict(type='mmwsss.LoadImageFromFile'), dict(type='mmwsss.LoadSeeds'), dict(type='mmwsss.PackWeakInputs')]


@pytest.fixture
def data(image_set, tmp_path):
    data = image_set(LABELS)
    for image_id, names in zip(data.ids, LABELS, strict=True):
        class_ids = np.array([data.classes.index(name) for name in names], np.uint8)
        cams = np.full((len(names), 10, 14), 0.5, np.float16)
        write_seeds(tmp_path / 'seeds' / f'{image_id}.npz', Seeds(class_ids, cams, (40, 56)))
    return data


@pytest.fixture
def run_test(data, tmp_path, affinity_config, mmseg_scope, plain_config_text):
    """``run_test(**test_cfg)`` makes pseudo masks with an AffinityNet that has learned nothing."""

    def run(**test_cfg):
        walk = dict(type='mmwsss.RandomWalk', num_steps=2)
        chain = dict(refiners=[walk], labeler=dict(type='mmwsss.ArgmaxLabeler'))
        dataset = dict(
            type='mmwsss.ImageLabelDataset',
            dataset=data.dataset,
            image_labels=data.labels,
            seed_dir=str(tmp_path / 'seeds'),
            pipeline=PIPELINE,
            test_mode=True,
        )
        config = dict(
            model=affinity_config(),
            work_dir=str(tmp_path / 'run'),
            test_dataloader=dict(
                batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dataset
            ),
            test_cfg=dict(type='mmwsss.LabelLoop', chains=dict(masks=chain), **test_cfg),
            test_evaluator=[
                dict(type='mmwsss.PseudoMaskMetric', chain='masks', num_refiners=1, prefix='random_walk'),
                dict(type='mmwsss.PseudoMaskMetric', chain='masks', prefix='last', output_dir='pseudo_masks'),
            ],
            default_hooks=dict(record=dict(type='mmwsss.RecordHook')),
            default_scope='mmseg',
            experiment_name='record',
            randomness=dict(seed=0),
            log_level='ERROR',
        )
        Runner(**config, cfg=config).test()
        return tmp_path / 'run'

    return run


def pictures(folder):
    return sorted(path.relative_to(folder).with_suffix('').as_posix() for path in folder.rglob('*.png'))


def test_a_label_loop_keeps_pictures_and_the_mean_iou_of_each_image(run_test, data):
    recorded = run_test() / 'recorded'
    assert pictures(recorded / 'random_walk') == pictures(recorded / 'affinity_boundaries') == sorted(data.ids)
    assert read_mask(recorded / 'random_walk/p0.png').shape == (40, 56)
    assert read_mask(recorded / 'affinity_boundaries/p0.png').shape == (40, 56)
    assert not (recorded / 'last').exists()
    for name in ('random_walk', 'last'):
        ious = json.loads((recorded / f'{name}.json').read_text())['mIoU_of_images']
        assert sorted(ious) == sorted(data.ids) and all(0 <= iou <= 100 for iou in ious.values())


def test_a_process_beside_the_network_keeps_the_same(run_test, tmp_path):
    alone = {path.name: path.read_bytes() for path in (run_test() / 'recorded').rglob('*.*')}
    beside = {path.name: path.read_bytes() for path in (run_test(num_workers=1) / 'recorded').rglob('*.*')}
    assert alone == beside


def test_what_was_skipped_is_not_there(run_test, data):
    (data.root / 'images/p0.jpg').write_bytes(b'hello')
    run_dir = run_test(skip_bad=True)
    assert 'p0' not in pictures(run_dir / 'recorded/random_walk')
    assert 'p0' not in json.loads((run_dir / 'recorded/last.json').read_text())['mIoU_of_images']


def test_an_earlier_record_is_gone(run_test, tmp_path):
    stale = tmp_path / 'run/recorded/random_walk/gone.png'
    stale.parent.mkdir(parents=True)
    stale.touch()
    assert run_test() and not stale.exists()


def test_without_masks_pictures_are_of_the_sample_alone(run_test, data, monkeypatch):
    monkeypatch.setattr('mmwsss.evaluation.records.NUM_PICTURES', 1)
    recorded = run_test() / 'recorded'
    # With a mask, an image may turn out to be the best or the worst one.
    assert pictures(recorded / 'random_walk') == sorted(data.ids) and pictures(recorded / 'affinity_boundaries') == [
        'p0'
    ]
    for path in (data.root / 'masks').rglob('*.png'):
        path.unlink()
    assert pictures(run_test() / 'recorded/random_walk') == ['p0']


def test_masks_of_a_chain_are_compared_with_those_before(run_test):
    run_test()
    recorded = recorded_statistics(MessageHub.get_current_instance())
    assert list(recorded['random_walk']['agreement']) == ['class maps']
    assert recorded['last']['agreement'] == {
        'class maps': recorded['random_walk']['agreement']['class maps'],
        'random_walk': 100.0,
    }


class Listed(list):
    def get_data_info(self, index):
        return self[index]


@pytest.fixture
def runner(tmp_path):
    """A runner whose test is of one image by a segmentor."""
    dataset = SkipBadDataset(Listed([dict(img_path='a.jpg')]), test_mode=True)
    metric = SegmentorMetric()
    metric.dataset_meta = dict(classes=('a', 'b'), palette=[(0, 0, 0), (9, 9, 9)])
    loop = SimpleNamespace(
        dataloader=SimpleNamespace(dataset=dataset), evaluator=SimpleNamespace(metrics=[metric, object()])
    )
    return SimpleNamespace(work_dir=str(tmp_path), test_loop=loop)


def test_a_segmentor_metric_keeps_its_masks(runner, tmp_path):
    RecordHook().before_test(runner)
    metric = runner.test_loop.evaluator.metrics[0]
    mask = torch.tensor([[[0, 1], [1, 1]]])
    metric.process({}, [dict(img_path='a.jpg', pred_sem_seg=dict(data=mask), gt_sem_seg=dict(data=mask))])
    metric.evaluate(1)
    assert read_mask(tmp_path / 'recorded/segmentor/a.png').tolist() == mask[0].tolist()
    assert json.loads((tmp_path / 'recorded/segmentor.json').read_text()) == dict(mIoU_of_images=dict(a=100.0))


def test_boundaries_are_bright_where_affinities_are_small(runner, tmp_path):
    hook = RecordHook()
    hook.before_test(runner)
    field = torch.ones(1, len(neighbor_offsets(3)), 4, 4)
    field[..., 2:] = 0
    sample = SegDataSample(metainfo=dict(img_path='a.jpg', ori_shape=(8, 8)))
    sample.set_field(StencilAffinity(field, (8, 8), 2), 'affinity')
    hook.after_test_iter(runner, 0, outputs=[sample])
    drawn = read_mask(tmp_path / 'recorded/affinity_boundaries/a.png')
    assert drawn.shape == (8, 8) and drawn[:, 0].max() < 20 and drawn[:, -1].min() > 250


class Painter(BaseModel):
    """A segmentor that paints the right half of each image with class 1."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, inputs, data_samples, mode):
        for image, sample in zip(inputs, data_samples, strict=True):
            mask = torch.zeros(1, *image.shape[1:], dtype=torch.long)
            mask[..., image.shape[2] // 2 :] = 1
            sample.pred_sem_seg = PixelData(data=mask)
        return data_samples


@pytest.fixture
def run_segmentor(image_set, tmp_path, mmseg_scope, plain_config_text):
    """Tests the painter on two images, after a training on four whose pseudo masks are half class 1 or all of it."""
    data, held_out = image_set(LABELS), image_set(LABELS[:2], root=tmp_path / 'held_out')
    for number, image_id in enumerate(data.ids):
        mask = np.ones((40, 56), np.uint8)
        mask[:, : 28 if number % 2 else 0] = 0
        write_mask(tmp_path / 'masks' / f'{image_id}.png', mask, [(0, 0, 0)])

    def run(**changes):
        pipeline = [dict(type='LoadImageFromFile', _scope_='mmwsss'), dict(type='LoadAnnotations')]
        pipeline.append(dict(type='mmwsss.PackWeakInputs'))
        config = dict(
            work_dir=str(tmp_path / 'run'),
            train_dataloader=dict(
                dataset=dict(
                    type='mmwsss.ImageLabelDataset', dataset=data.dataset, pseudo_mask_dir=str(tmp_path / 'masks')
                )
            ),
            test_dataloader=dict(
                batch_size=1,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=dict(type='mmwsss.ImageLabelDataset', dataset=held_out.dataset, pipeline=pipeline),
            ),
            test_cfg=dict(type='TestLoop'),
            test_evaluator=dict(type='mmwsss.SegmentorMetric'),
            default_hooks=dict(record=dict(type='mmwsss.RecordHook')),
            default_scope='mmseg',
            experiment_name='segmentor',
            log_level='ERROR',
        )
        config.update(changes)
        cfg = Config(config)
        tested = {name: value for name, value in config.items() if name != 'train_dataloader'}
        runner = Runner(model=Painter(), **tested, cfg=cfg)
        # Runs that begin in one second have the same one.
        runner.message_hub.runtime_info.clear()
        runner.test()
        return recorded_statistics(runner.message_hub).get(TRAINING_IMAGES)

    return SimpleNamespace(run=run, data=data, folder=tmp_path / 'run/recorded' / TRAINING_IMAGES, tmp_path=tmp_path)


def test_a_segmentor_is_compared_with_the_pseudo_masks_it_trained_on(run_segmentor):
    noted = run_segmentor.run()
    # Of each class, the segmentor and the pseudo masks have three quarters or two thirds of their pixels in common.
    assert noted == dict(
        kind='training_images', images=4, agreement={'pseudo masks': pytest.approx((50 + 200 / 3) / 2, abs=0.01)}
    )
    assert pictures(run_segmentor.folder) == sorted(run_segmentor.data.ids)
    assert read_mask(run_segmentor.folder / 'p0.png')[0].tolist() == [0] * 28 + [1] * 28


def test_where_a_pseudo_mask_is_missing_nothing_is_compared(run_segmentor):
    (run_segmentor.tmp_path / 'masks/p2.png').unlink()
    assert run_segmentor.run() is None and not run_segmentor.folder.exists()


def test_where_training_images_are_missing_nothing_is_compared(run_segmentor):
    (run_segmentor.data.root / 'list.txt').unlink()
    assert run_segmentor.run() is None


@pytest.mark.parametrize('dataloader', [None, dict(dataset=dict(type='mmwsss.ImageLabelDataset'))])
def test_what_trained_on_no_pseudo_masks_is_not_compared(run_segmentor, dataloader):
    assert run_segmentor.run(train_dataloader=dataloader) is None
