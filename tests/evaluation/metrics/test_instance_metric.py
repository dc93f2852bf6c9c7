import json
import logging

import numpy as np
import pytest
import torch

from mmwsss.evaluation import InstanceMetric
from mmwsss.evaluation.metrics.streaming_metric import Made
from mmwsss.fileio import DataError, write_mask
from mmwsss.models import ChainResult
from mmwsss.structures import InstanceLabels, Instances, Labels

CLASSES = ('background', 'disc', 'stripe')
PALETTE = [(0, 0, 0), (255, 0, 0), (0, 255, 0)]
SIZE = (4, 12)


def mask_of(left, right):
    mask = np.zeros(SIZE, bool)
    mask[:, left:right] = True
    return mask


def made_of(*objects):
    """What a chain made: objects as (left, right, class index, score)."""
    masks = np.array([mask_of(left, right) for left, right, *_ in objects]).reshape(-1, *SIZE)
    plane = torch.zeros(1, *SIZE, dtype=torch.uint8)
    class_ids, scores = (torch.tensor([one[index] for one in objects]) for index in (2, 3))
    instances = Instances(torch.from_numpy(masks), class_ids.long(), scores.float())
    return Made(chains=dict(instances=ChainResult((), InstanceLabels(plane, plane, instances=(instances,)))))


@pytest.fixture
def sample(tmp_path):
    """``sample(image_id, *objects)``: an image with true objects (left, right, class index)."""

    def make(image_id, *objects, unknown=0):
        classes, numbers = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint8)
        for number, (left, right, class_id) in enumerate(objects, 1):
            classes[:, left:right], numbers[:, left:right] = class_id, number
        classes[:, :unknown] = numbers[:, :unknown] = 255
        paths = [str(tmp_path / folder / f'{image_id}.png') for folder in ('masks', 'objects')]
        write_mask(paths[0], classes, PALETTE)
        write_mask(paths[1], numbers, PALETTE)
        return dict(image_id=image_id, img_path=f'{image_id}.jpg', seg_map_path=paths[0])

    return make


@pytest.fixture
def metric(tmp_path):
    def make(**settings):
        made = InstanceMetric('instances', **{'instance_dir': str(tmp_path / 'objects'), **settings})
        made.dataset_meta = dict(classes=CLASSES, palette=PALETTE, with_background=True)
        return made

    return make


def run(metric, *pairs):
    for sample, made in pairs:
        count = metric.counter(sample)
        if count is not None:
            metric.add(count(made), sample)
    return metric.evaluate(len(pairs))


def test_the_figure_is_the_mean_over_the_classes_that_have_objects(metric, sample):
    figures = run(
        metric(),
        (sample('p0', (0, 4, 1), (4, 8, 1)), made_of((0, 4, 1, 0.9), (8, 12, 1, 0.8), (4, 7, 1, 0.7))),
        (sample('p1', (2, 6, 2)), made_of((2, 6, 1, 0.3), (2, 4, 2, 0.2))),
    )
    # Of class 1: right, wrong, right, wrong for two objects; of class 2: one of half the size.
    assert figures == {'instances/AP50': pytest.approx(100 * ((1 / 2 + 1 / 2 * 2 / 3) + 1) / 2)}


def test_objects_of_one_class_in_one_image_do_not_count_for_another(metric, sample):
    figures = run(metric(), (sample('p0', (0, 4, 1)), made_of()), (sample('p1', (4, 8, 2)), made_of((0, 4, 1, 1.0))))
    assert figures == {'instances/AP50': 0}


def test_other_thresholds_have_other_names(metric, sample):
    pair = sample('p0', (0, 8, 1)), made_of((0, 5, 1, 1.0))
    assert run(metric(iou_threshold=0.7), pair) == {'instances/AP70': 0}
    assert run(metric(iou_threshold=0.6, prefix='walk'), pair) == {'walk/AP60': 100}


def test_unknown_pixels_and_the_background_are_no_object(metric, sample):
    figures = run(
        metric(),
        (sample('p0', (0, 4, 1), (4, 8, 2), unknown=4), made_of((4, 8, 2, 0.9))),
        (sample('p1', (0, 4, 0)), made_of()),
    )
    assert figures == {'instances/AP50': 100}


def test_without_a_background_class_0_has_objects(metric, sample):
    one = metric()
    figures = run(one, ({**sample('p0', (0, 12, 0)), 'with_background': False}, made_of((0, 12, 0, 0.9))))
    assert figures == {'instances/AP50': 100}


def test_classes_that_are_not_configured_have_no_objects(metric, sample):
    chosen = {**sample('p0', (0, 4, 1), (4, 8, 2)), 'label_map': {1: 255, 2: 1}}
    assert run(metric(), (chosen, made_of((4, 8, 1, 0.9)))) == {'instances/AP50': 100}


def test_files_are_cocos(metric, sample, tmp_path):
    one = metric(output_dir=str(tmp_path / 'out/instances'))
    run(one, (sample('sub/p1', (0, 4, 1)), made_of()), (sample('p0', (0, 4, 1)), made_of((0, 4, 2, 0.5), (5, 6, 1, 0))))
    merged = json.loads((tmp_path / 'out/instances.json').read_text())
    assert merged['categories'] == [dict(id=1, name='disc'), dict(id=2, name='stripe')]
    assert [image['file_name'] for image in merged['images']] == ['p0.jpg', 'sub/p1.jpg']
    assert [(a['image_id'], a['category_id'], a['score']) for a in merged['annotations']] == [(1, 2, 0.5), (1, 1, 0)]
    files = {str(path.relative_to(tmp_path / 'out')) for path in (tmp_path / 'out').rglob('*.json')}
    assert files == {'instances.json', 'instances/p0.json', 'instances/sub/p1.json'}
    del one.dataset_meta['with_background']
    run(one, (sample('p0', (0, 4, 1)), made_of()))
    assert len(json.loads((tmp_path / 'out/instances.json').read_text())['categories']) == 2
    one.dataset_meta['with_background'] = False
    run(one, (sample('p0', (0, 4, 1)), made_of()))
    assert len(json.loads((tmp_path / 'out/instances.json').read_text())['categories']) == 3


def test_only_what_is_asked_for_is_done(metric, sample, tmp_path):
    without_mask = dict(sample('p0'), seg_map_path=None)
    assert metric().counter(without_mask) is None
    assert metric(instance_dir=None).counter(sample('p0')) is None
    one = metric(output_dir=str(tmp_path / 'out'), format_only=True)
    assert run(one, (without_mask, made_of((0, 4, 1, 0.5)))) == {}
    assert (tmp_path / 'out/p0.json').is_file() and (tmp_path / 'out.json').is_file()


def test_no_objects_at_all_are_told(metric, sample, caplog):
    with caplog.at_level(logging.INFO):
        assert run(metric(), (sample('p0'), made_of((0, 4, 1, 0.5)))) == {}


def test_what_is_missing_is_named(metric, sample, tmp_path):
    one = metric()
    plane = torch.zeros(1, *SIZE, dtype=torch.uint8)
    with pytest.raises(DataError, match=r'test_cfg\.chains\.instances: .* such as InstanceLabeler'):
        one.counter(sample('p0'))(Made(chains=dict(instances=ChainResult((), Labels(plane, plane)))))
    write_mask(tmp_path / 'objects/p0.png', np.zeros((4, 11), np.uint8), PALETTE)
    count = one.counter(dict(image_id='p0', img_path='p0.jpg', seg_map_path=str(tmp_path / 'masks/p0.png')))
    with pytest.raises(DataError, match=r'objects/p0\.png: expected objects of \(4, 12\) pixels, got \(4, 11\)'):
        count(made_of())
    (tmp_path / 'objects/p0.png').unlink()
    with pytest.raises(DataError, match=r'objects/p0\.png'):
        count(made_of())
    with pytest.raises(ValueError, match='iou_threshold of InstanceMetric'):
        metric(iou_threshold=0)
