import json

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmseg.evaluation import IoUMetric

from mmwsss.evaluation import SegmentorMetric
from mmwsss.evaluation.functional.confusion import confusion_matrix
from mmwsss.evaluation.records import recorded_confusions
from mmwsss.fileio import read_mask


@pytest.fixture
def samples():
    generator = torch.Generator().manual_seed(0)
    indices = torch.tensor([0, 1, 2, 255])
    return [
        dict(
            img_path=f'{number}.jpg',
            pred_sem_seg=dict(data=torch.randint(0, 3, (1, 5, 6), generator=generator)),
            gt_sem_seg=dict(data=indices[torch.randint(0, 4, (1, 5, 6), generator=generator)]),
        )
        for number in range(4)
    ]


def evaluate(metric, samples):
    metric.dataset_meta = dict(classes=('a', 'b', 'c'), palette=[(0, 0, 0), (1, 1, 1), (2, 2, 2)])
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_figures_are_those_of_mmsegmentation(samples):
    expected = evaluate(IoUMetric(iou_metrics=['mIoU']), samples)
    assert evaluate(SegmentorMetric(iou_metrics=['mIoU']), samples) == expected


def test_confusion_is_recorded_anew_by_each_evaluation(samples):
    metric = SegmentorMetric(iou_metrics=['mIoU'], prefix='tested')
    evaluate(metric, samples)
    evaluate(metric, samples)
    recorded = recorded_confusions(MessageHub.get_current_instance())['tested']
    expected = sum(
        confusion_matrix(
            sample['gt_sem_seg']['data'].numpy().astype(np.uint8),
            sample['pred_sem_seg']['data'].numpy().astype(np.uint8),
            3,
        )
        for sample in samples
    )
    assert recorded['classes'] == ['a', 'b', 'c']
    assert np.array(recorded['counts']).tolist() == expected[:, :3].tolist()
    assert json.loads(json.dumps(recorded)) == recorded


def test_nothing_is_recorded_where_files_are_only_written(samples, tmp_path):
    metric = SegmentorMetric(format_only=True, output_dir=str(tmp_path), prefix='written')
    assert not evaluate(metric, samples)
    assert 'written' not in recorded_confusions(MessageHub.get_current_instance())
    for sample in samples:
        written = read_mask(tmp_path / sample['img_path'].replace('.jpg', '.png'))
        assert np.array_equal(written, sample['pred_sem_seg']['data'][0])


def test_any_process_makes_the_folder_of_the_masks(samples, tmp_path, monkeypatch):
    """That of a process on another machine is not made by the first one."""
    monkeypatch.setattr('mmseg.evaluation.metrics.iou_metric.is_main_process', lambda: False)
    metric = SegmentorMetric(output_dir=str(tmp_path / 'new/masks'))
    evaluate(metric, [dict(sample, reduce_zero_label=True) for sample in samples])
    assert read_mask(tmp_path / 'new/masks/0.png').min() == 1


def test_images_of_one_name_in_two_folders_have_two_masks(samples, tmp_path):
    named = [dict(one, img_path=f'{number}/same.jpg', image_id=f'{number}/same') for number, one in enumerate(samples)]
    evaluate(SegmentorMetric(format_only=True, output_dir=str(tmp_path)), named)
    for number, sample in enumerate(named):
        assert np.array_equal(read_mask(tmp_path / f'{number}/same.png'), sample['pred_sem_seg']['data'][0])


def test_nothing_is_kept_of_each_image(samples):
    metric = SegmentorMetric()
    metric.dataset_meta = dict(classes=('a', 'b', 'c'))
    for _ in range(3):
        metric.process({}, samples)
    assert not metric.results
    assert metric.evaluate(12) == evaluate(SegmentorMetric(), samples)
