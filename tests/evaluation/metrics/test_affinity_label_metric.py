import numpy as np
import pytest
from mmseg.registry import METRICS
from torch import from_numpy
from torch.nn.functional import interpolate

from mmwsss.fileio import DataError, read_image, read_mask
from mmwsss.ops import affinity_label_map

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def config_of(with_background=True, **settings):
    generator = dict(type='AffinityLabelGenerator', num_iters=1, with_background=with_background)
    return dict(type='AffinityLabelMetric', generator=generator, **settings)


def labels_of(sample, with_background=True):
    size = sample['ori_shape']
    cams = np.zeros((0, *size), np.float32)
    if len(sample['class_ids']):
        stored = from_numpy(sample['cams'].astype(np.float16)).float()
        cams = interpolate(stored[None], size=size, mode='bilinear', align_corners=False)[0].numpy()
    image = read_image(sample['img_path'])[:, :, ::-1].copy()
    return affinity_label_map(image, cams, sample['class_ids'], num_iters=1, with_background=with_background)


@pytest.mark.parametrize('with_background', [True, False])
def test_files_and_figures(tmp_path, predictions, run_metric, with_background):
    samples, truths = predictions(with_background)
    metrics = run_metric(METRICS.build(config_of(with_background, output_dir=str(tmp_path / 'labels'))), samples)
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


def test_nothing_to_write_and_nothing_to_measure(predictions, run_metric):
    samples, _ = predictions(truth=False)
    for sample in samples:
        sample['img_path'] = 'absent.jpg'
    assert run_metric(METRICS.build(config_of()), samples) == {}


def test_unreadable_photograph_is_named_and_nothing_is_written(tmp_path, predictions, run_metric):
    samples, _ = predictions()
    samples[0]['img_path'] = str(tmp_path / 'absent.jpg')
    with pytest.raises(DataError, match=r'absent\.jpg'):
        run_metric(METRICS.build(config_of(output_dir=str(tmp_path / 'labels'))), samples[:1])
    assert not (tmp_path / 'labels').exists()
