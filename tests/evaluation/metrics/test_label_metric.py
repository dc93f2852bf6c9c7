"""What metrics of labels note where no mask measures them."""

import json

import numpy as np
import pytest
from mmengine.logging import MessageHub
from mmseg.registry import METRICS

from mmwsss.evaluation.functional.label_statistics import EMPTY
from mmwsss.evaluation.metrics.streaming_metric import Made
from mmwsss.evaluation.records import NUM_NAMED, Record, RecordedImages, recorded_statistics
from mmwsss.fileio import read_mask
from mmwsss.models import LabelChain, RefineContext
from mmwsss.structures import ScoreMaps

pytestmark = pytest.mark.usefixtures('mmseg_scope')

ARGMAX = dict(type='mmwsss.ArgmaxLabeler')


def chain_of(score, **settings):
    return dict(refiners=[dict(type='mmwsss.Background', score=score)], labeler=dict(ARGMAX, **settings))


def build(kind='PseudoMaskMetric', **settings):
    return METRICS.build(dict(type=f'mmwsss.{kind}', **{'chain': 'masks', **settings}))


def noted(name):
    recorded = recorded_statistics(MessageHub.get_current_instance())[name]
    return json.loads(json.dumps(recorded))


@pytest.fixture
def samples(predictions):
    """Five images without masks, with labels."""
    samples, _ = predictions(truth=False)
    for sample in samples:
        sample['gt_class_ids'] = sample['seeds'].class_ids
    return samples


def test_shares_are_those_of_the_written_masks(tmp_path, samples, run_metric):
    metric = build(prefix='shares', output_dir=str(tmp_path / 'written_masks'))
    assert run_metric(metric, samples, masks=chain_of(0.5, margin=0.2)) == {}
    written = [read_mask(tmp_path / 'written_masks' / f'{sample["image_id"]}.png') for sample in samples]
    pixels = np.concatenate([mask.ravel() for mask in written])
    found = noted('shares')
    assert found['kind'] == 'labels' and found['written'] == 'written_masks'
    assert (found['images'], found['labeled'], found['empty']) == (5, 4, 0)
    assert found['confident'] == pytest.approx(100 * (pixels != 255).mean(), abs=1e-3)
    sure = pixels[pixels != 255]
    assert found['background'] == pytest.approx(100 * (sure == 0).mean(), abs=1e-3)
    assert found['classes']['box']['share'] == pytest.approx(100 * (sure == 3).mean(), abs=1e-3)
    assert found['classes']['box']['tagged'] == 3 and found['classes']['disc']['both'] == 2


def test_masks_of_background_are_empty_and_named(tmp_path, samples, run_metric):
    run_metric(build(prefix='bare', output_dir=str(tmp_path)), samples, masks=chain_of(1.0))
    found = noted('bare')
    assert found['empty'] == 4 and found['background'] == 100
    # The image without labels has every right to be empty.
    assert found['named'] == {EMPTY: sorted(sample['image_id'] for sample in samples if len(sample['gt_class_ids']))}


def test_names_are_limited_and_numbers_are_not(tmp_path, samples, run_metric, monkeypatch):
    monkeypatch.setattr('mmwsss.evaluation.metrics.label_metric.NUM_NAMED', 2)
    run_metric(build(prefix='limited', output_dir=str(tmp_path)), samples, masks=chain_of(1.0))
    assert len(noted('limited')['named'][EMPTY]) == 2 and noted('limited')['empty'] == 4 and NUM_NAMED > 2


def test_images_without_labels_are_in_no_list(tmp_path, samples, run_metric):
    for sample in samples:
        del sample['gt_class_ids']
    run_metric(build(prefix='untagged', output_dir=str(tmp_path)), samples, masks=chain_of(1.0))
    assert noted('untagged')['labeled'] == 0 and noted('untagged')['named'] == {}


def test_files_alone_are_not_counted(tmp_path, samples, run_metric):
    metric = build(prefix='alone', output_dir=str(tmp_path), format_only=True)
    run_metric(metric, samples, masks=chain_of(0.5))
    assert 'alone' not in recorded_statistics(MessageHub.get_current_instance())


def test_masks_that_equal_the_class_maps_agree_with_them(tmp_path, samples, run_metric):
    for sample in samples:
        seeds = sample['seeds']
        sample['seeds'] = seeds._replace(cams=(seeds.cams > 0.5).astype(np.float16))
    run_metric(build(prefix='equal', output_dir=str(tmp_path)), samples, masks=chain_of(0.4))
    # Masks are at the size of the image, the maps at a quarter of it.
    assert 80 < noted('equal')['agreement']['class maps'] <= 100


def test_masks_are_compared_with_those_before(samples, dataset_meta):
    first, second = build(prefix='first', output_dir='a'), build(prefix='second', output_dir='b', num_refiners=1)
    second.compared_with = ('first',)
    for metric in (first, second):
        metric.output_dir, metric.dataset_meta = None, dict(dataset_meta, with_background=True)
    chain = LabelChain(**chain_of(0.5))
    for sample in samples:
        sample['seg_map_path'] = None
        maps = ScoreMaps.of_seeds(sample['seeds'], True)
        made = Made(sample['seeds'], {'masks': chain(maps, RefineContext([sample['img_path']]))})
        for metric in (first, second):
            images = RecordedImages(frozenset([sample['image_id']]), frozenset())
            metric.record = Record('recorded', metric.prefix, images)
            count = metric.counter(sample)
            counts = count.__class__(**{**vars(count), 'picture': None})(made)
            metric.add(counts, sample)
    for metric in (first, second):
        metric.record = None
        metric.evaluate(len(samples))
    assert noted('second')['agreement']['first'] == 100 and 'first' not in noted('first')['agreement']


def test_confident_share_of_affinity_labels(tmp_path, samples, run_metric):
    chain = dict(labeler=dict(type='mmwsss.AffinityLabeler', num_iters=1))
    metric = build('AffinityLabelMetric', prefix='confident', output_dir=str(tmp_path / 'affinity_labels'))
    assert run_metric(metric, samples, masks=chain) == {}
    written = np.concatenate(
        [read_mask(tmp_path / 'affinity_labels' / f'{sample["image_id"]}.png').ravel() for sample in samples]
    )
    found = noted('confident')
    assert found['confident'] == pytest.approx(100 * (written != 255).mean(), abs=1e-3)
    assert found['written'] == 'affinity_labels' and found['agreement'] == {}
