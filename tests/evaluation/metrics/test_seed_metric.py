import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import METRICS

from mmwsss.evaluation.functional.otsu import otsu_background_score
from mmwsss.fileio import DataError, read_seeds, write_mask
from mmwsss.structures import Seeds

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def at_size(cams, size):
    stored = torch.from_numpy(cams).float()
    return F.interpolate(stored[None], size=size, mode='bilinear', align_corners=False)[0].numpy()


def masks_at(samples, score, nothing=0):
    """The seeds' prediction at one background score, image by image."""
    masks = []
    for sample in samples:
        mask = np.full(sample['ori_shape'], nothing, np.uint8)
        seeds = sample['seeds']
        if len(seeds.class_ids):
            cams = at_size(seeds.cams, sample['ori_shape'])
            mask = np.where(cams.max(0) >= score, seeds.class_ids[cams.argmax(0)], nothing).astype(np.uint8)
        masks.append(mask)
    return masks


def test_one_pass_is_one_confusion_matrix_for_each_score(tmp_path, predictions, run_metric, slow_miou):
    samples, truths = predictions()
    curve_file = tmp_path / 'curve.json'
    config = dict(type='mmwsss.SeedMetric', background_score=0.37, curve_file=str(curve_file))
    metrics = run_metric(METRICS.build(config), samples)
    curve = [slow_miou(truths, masks_at(samples, index / 100)) for index in range(101)]
    written = json.loads(curve_file.read_text())
    assert written['background_score'] == [index / 100 for index in range(101)]
    np.testing.assert_allclose(written['mIoU'], curve, atol=0.01)
    assert metrics['cam/mIoU'] == pytest.approx(curve[37], abs=0.01)
    assert metrics['cam/mIoU_best'] == pytest.approx(max(curve), abs=0.01)
    assert curve[round(metrics['cam/background_best'] * 100)] == pytest.approx(max(curve), abs=0.01)
    cams = [sample['seeds'].cams.astype(np.float32) for sample in samples if len(sample['seeds'].cams)]
    cells = np.concatenate([one.max(0).ravel() for one in cams])
    levels = np.bincount((cells * 100).astype(int), minlength=100)
    assert metrics['cam/background_otsu'] == otsu_background_score(levels) == written['otsu_picked_without_masks']
    assert metrics['cam/mIoU_otsu'] == pytest.approx(curve[round(metrics['cam/background_otsu'] * 100)], abs=0.01)


def test_without_background_classes_compete_among_themselves(predictions, run_metric, slow_miou):
    samples, truths = predictions(with_background=False)
    metrics = run_metric(METRICS.build(dict(type='mmwsss.SeedMetric')), samples, with_background=False)
    assert metrics == {'cam/mIoU': pytest.approx(slow_miou(truths, masks_at(samples, 0)))}


def test_without_background_a_image_of_no_class_predicts_none(predictions, run_metric, slow_miou):
    samples, truths = predictions(with_background=False)
    samples[0]['seeds'] = Seeds(np.zeros(0, np.uint8), np.zeros((0, 10, 14), np.float16), (40, 56))
    metrics = run_metric(METRICS.build(dict(type='mmwsss.SeedMetric')), samples, with_background=False)
    assert metrics == {'cam/mIoU': pytest.approx(slow_miou(truths, masks_at(samples, 0, nothing=255)))}


def test_seeds_are_written_as_they_were(tmp_path, predictions, run_metric):
    samples, _ = predictions(truth=False)
    metric = METRICS.build(dict(type='mmwsss.SeedMetric', output_dir=str(tmp_path / 'seeds')))
    assert list(run_metric(metric, samples)) == ['cam/background_otsu']
    for sample in samples:
        seeds = read_seeds(tmp_path / 'seeds' / f'{sample["image_id"]}.npz')
        assert seeds.size == sample['ori_shape']
        np.testing.assert_array_equal(seeds.class_ids, sample['seeds'].class_ids)
        np.testing.assert_array_equal(seeds.cams, sample['seeds'].cams)


def test_format_only_reads_no_mask(tmp_path, predictions, run_metric):
    samples, _ = predictions()
    for sample in samples:
        sample['seg_map_path'] = 'absent.png'
    config = dict(type='mmwsss.SeedMetric', output_dir=str(tmp_path / 'seeds'), format_only=True)
    assert run_metric(METRICS.build(config), samples) == {}
    assert len(list((tmp_path / 'seeds').rglob('*.npz'))) == 5


def test_only_images_with_a_mask_count(predictions, run_metric, slow_miou):
    samples, truths = predictions()
    samples[1]['seg_map_path'] = None
    metrics = run_metric(METRICS.build(dict(type='mmwsss.SeedMetric', background_score=0.5)), samples)
    rest = [0, 2, 3, 4]
    predicted = masks_at([samples[index] for index in rest], 0.5)
    assert metrics['cam/mIoU'] == pytest.approx(slow_miou([truths[index] for index in rest], predicted), abs=0.01)


def test_subset_of_classes_is_mapped_once(predictions, run_metric):
    """Masks in the data set's indices, seeds in the configured ones: the ground truth as seeds scores 100."""
    samples, truths = predictions()
    stored = {0: 0, 1: 7, 2: 3, 3: 5}
    lookup = np.arange(256, dtype=np.uint8)
    lookup[list(stored)] = list(stored.values())
    for sample, truth in zip(samples, truths, strict=True):
        write_mask(sample['seg_map_path'], lookup[truth], [(i, i, i) for i in range(256)])
        sample['label_map'] = {**{index: 255 for index in range(9)}, **{b: a for a, b in stored.items()}}
        class_ids = sample['seeds'].class_ids
        cams = (truth == class_ids[:, None, None]).astype(np.float16) * np.float16(0.9)
        sample['seeds'] = sample['seeds']._replace(cams=cams)
    metrics = run_metric(METRICS.build(dict(type='mmwsss.SeedMetric', background_score=0.5)), samples)
    assert metrics['cam/mIoU'] == 100


@pytest.mark.parametrize(
    'mask, expected', [(np.zeros((3, 4), np.uint8), 'expected a mask of'), (9, 'index 9 is none of the 4')]
)
def test_wrong_mask_is_named(predictions, run_metric, mask, expected):
    samples, _ = predictions()
    mask = np.full(samples[0]['ori_shape'], mask, np.uint8) if isinstance(mask, int) else mask
    write_mask(samples[0]['seg_map_path'], mask, [(0, 0, 0)])
    with pytest.raises(DataError, match=rf'p0\.png: {expected}'):
        run_metric(METRICS.build(dict(type='mmwsss.SeedMetric')), samples)


def test_activations_that_are_no_numbers_are_not_written(tmp_path, predictions, run_metric):
    samples, _ = predictions()
    samples[0]['seeds'].cams[0, 0, 0] = np.nan
    metric = METRICS.build(dict(type='mmwsss.SeedMetric', output_dir=str(tmp_path / 'seeds')))
    with pytest.raises(ValueError, match=r'p0\.npz.*NaN'):
        run_metric(metric, samples)
    assert not (tmp_path / 'seeds').exists()


@pytest.mark.parametrize('with_background', [True, False])
def test_figures_without_prefix(predictions, run_metric, with_background):
    metric = METRICS.build(dict(type='mmwsss.SeedMetric', prefix=None))
    assert 'mIoU' in run_metric(metric, predictions(with_background)[0], with_background)


@pytest.mark.parametrize('score', [-0.1, 1.01, 0.255])
def test_wrong_background_score(score):
    with pytest.raises(ValueError, match='background_score'):
        METRICS.build(dict(type='mmwsss.SeedMetric', background_score=score))


def test_otsu_sees_all_images_and_no_mask(predictions, run_metric):
    samples, _ = predictions()
    with_masks = run_metric(METRICS.build(dict(type='mmwsss.SeedMetric')), samples)
    for sample in samples[:3]:
        sample['seg_map_path'] = None
    assert (
        run_metric(METRICS.build(dict(type='mmwsss.SeedMetric')), samples)['cam/background_otsu']
        == with_masks['cam/background_otsu']
    )
