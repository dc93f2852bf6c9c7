import numpy as np
import pytest
from mmseg.registry import METRICS
from torch import from_numpy
from torch.nn.functional import interpolate

from mmwsss.fileio import DataError, read_image, read_mask
from mmwsss.ops import affinity_label_map

pytestmark = pytest.mark.usefixtures('mmseg_scope')

CHAIN = dict(labeler=dict(type='mmwsss.AffinityLabeler', num_iters=1))


def build(**settings):
    return METRICS.build(dict(type='mmwsss.AffinityLabelMetric', chain='labels', **settings))


def labels_of(sample, with_background=True):
    size, seeds = sample['ori_shape'], sample['seeds']
    cams = np.zeros((0, *size), np.float32)
    if len(seeds.class_ids):
        stored = from_numpy(seeds.cams).float()
        cams = interpolate(stored[None], size=size, mode='bilinear', align_corners=False)[0].numpy()
    image = read_image(sample['img_path'])[:, :, ::-1].copy()
    return affinity_label_map(image, cams, seeds.class_ids, num_iters=1, with_background=with_background)


@pytest.mark.parametrize('with_background', [True, False])
def test_files_and_figures(tmp_path, predictions, run_metric, with_background):
    samples, truths = predictions(with_background)
    metrics = run_metric(build(output_dir=str(tmp_path / 'labels')), samples, with_background, labels=CHAIN)
    right = confident = valid = 0
    for sample, truth in zip(samples, truths, strict=True):
        labels = labels_of(sample, with_background)
        np.testing.assert_array_equal(read_mask(tmp_path / 'labels' / f'{sample["image_id"]}.png'), labels)
        counted = truth != 255
        valid += counted.sum()
        confident += (counted & (labels != 255)).sum()
        right += (counted & (labels == truth)).sum()
    assert metrics == {
        'labels/precision': pytest.approx(100 * right / confident),
        'labels/coverage': pytest.approx(100 * confident / valid),
    }
    assert len(list((tmp_path / 'labels').rglob('*'))) == 5 + 1


def test_nothing_to_write_and_nothing_to_measure(dataset_meta, predictions, run_metric):
    samples, metric = predictions(truth=False)[0], build()
    metric.dataset_meta = dataset_meta
    assert all(metric.counter(sample) is None for sample in samples)
    assert run_metric(metric, samples, labels=CHAIN) == {}


def test_format_only_reads_no_mask(tmp_path, predictions, run_metric):
    samples, _ = predictions()
    for sample in samples:
        sample['seg_map_path'] = 'absent.png'
    assert run_metric(build(output_dir=str(tmp_path / 'labels'), format_only=True), samples, labels=CHAIN) == {}
    assert len(list((tmp_path / 'labels').rglob('*.png'))) == 5


def test_unreadable_image_is_named_and_nothing_is_written(tmp_path, predictions, run_metric):
    samples, _ = predictions()
    samples[0]['img_path'] = str(tmp_path / 'absent.jpg')
    with pytest.raises(DataError, match=r'absent\.jpg'):
        run_metric(build(output_dir=str(tmp_path / 'labels')), samples[:1], labels=CHAIN)
    assert not (tmp_path / 'labels').exists()
