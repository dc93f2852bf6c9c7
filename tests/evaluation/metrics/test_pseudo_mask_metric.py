import numpy as np
import pytest
import torch
from mmseg.registry import METRICS

from mmwsss.evaluation.functional.boundary_iou import boundary_counts, iou_of_counts
from mmwsss.fileio import DataError, read_image, read_mask, read_pixel_weights, write_mask
from mmwsss.ops import dense_crf, resize_maps, weight_of_margin
from mmwsss.structures import Seeds

pytestmark = pytest.mark.usefixtures('mmseg_scope')

ARGMAX = dict(type='mmwsss.ArgmaxLabeler')
CRF = dict(type='mmwsss.DenseCRF', num_iters=2)


def build(**settings):
    return METRICS.build(dict(type='mmwsss.PseudoMaskMetric', **{'chain': 'masks', **settings}))


def chain_of(*refiners, **settings):
    return dict(refiners=refiners, labeler=dict(ARGMAX, **settings))


def background(score=0.5):
    return dict(type='mmwsss.Background', score=score)


def masks_of(samples, score=0.5, crf=False):
    """Masks and the scores that they are made of, sample by sample."""
    masks, all_scores = [], []
    for sample in samples:
        seeds = sample['seeds']
        cams = resize_maps(torch.from_numpy(seeds.cams).float(), seeds.size).numpy()
        scores = np.concatenate([np.full((1, *seeds.size), score, np.float32), cams])
        if crf:
            scores = dense_crf(read_image(sample['img_path'])[:, :, ::-1].copy(), scores, 2)
        masks.append(np.array([0, *seeds.class_ids])[scores.argmax(0)])
        all_scores.append(scores)
    return masks, all_scores


def written_masks(folder, samples):
    return [read_mask(folder / f'{sample["image_id"]}.png') for sample in samples]


def agreement(first, second):
    return np.mean([(a == b).mean() for a, b in zip(first, second, strict=True)])


@pytest.mark.parametrize('crf', [False, True])
def test_masks_are_written_and_measured(tmp_path, predictions, run_metric, slow_miou, crf):
    samples, truths = predictions()
    chain = chain_of(background(), *([CRF] if crf else []))
    metrics = run_metric(build(output_dir=str(tmp_path), prefix='cam'), samples, masks=chain)
    written = written_masks(tmp_path, samples)
    assert agreement(written, masks_of(samples, crf=crf)[0]) > 0.99
    assert metrics == {'cam/mIoU': pytest.approx(slow_miou(truths, written))}


def test_name_of_the_chain_is_the_prefix(predictions, run_metric):
    assert list(run_metric(build(), predictions()[0], masks=chain_of(background()))) == ['masks/mIoU']


def test_boundary_iou_is_that_of_the_written_masks(tmp_path, predictions, run_metric):
    (samples, truths), chain = predictions(), chain_of(background())
    plain = run_metric(build(), samples, masks=chain)
    metrics = run_metric(build(output_dir=str(tmp_path), boundary_iou=True), samples, masks=chain)
    masks = written_masks(tmp_path, samples)
    counts = sum(boundary_counts(truth, mask, 4) for truth, mask in zip(truths, masks, strict=True))
    expected = np.nanmean(iou_of_counts(counts))
    assert metrics == {**plain, 'masks/mean_boundary_IoU': pytest.approx(expected)}


def test_pixels_without_margin_are_ignored_in_the_file_alone(tmp_path, predictions, run_metric):
    samples, _ = predictions()
    plain = run_metric(build(output_dir=str(tmp_path / 'plain')), samples, masks=chain_of(background()))
    chain = chain_of(background(), margin=0.2)
    assert run_metric(build(output_dir=str(tmp_path / 'unsure')), samples, masks=chain) == plain
    for sample, scores in zip(samples, masks_of(samples)[1], strict=True):
        first = read_mask(tmp_path / 'plain' / f'{sample["image_id"]}.png')
        second = read_mask(tmp_path / 'unsure' / f'{sample["image_id"]}.png')
        ranked = np.sort(scores / scores.sum(0), axis=0)
        close = ranked[-1] - ranked[-2] < 0.2 if len(scores) > 1 else np.zeros(first.shape, bool)
        assert ((second == 255) == close).mean() > 0.99
        np.testing.assert_array_equal(first[second != 255], second[second != 255])


@pytest.mark.parametrize('number, refiners', [(0, []), (1, [background()]), (2, [background(), CRF])])
def test_after_some_refiners_masks_are_those_of_a_shorter_chain(tmp_path, predictions, run_metric, number, refiners):
    samples, _ = predictions()
    whole = chain_of(background(), CRF, dict(type='mmwsss.DenseCRF', num_iters=1), margin=0.3)
    metric = build(output_dir=str(tmp_path / 'early'), num_refiners=number)
    early = run_metric(metric, samples, masks=whole)
    assert run_metric(build(output_dir=str(tmp_path / 'short')), samples, masks=chain_of(*refiners)) == early
    for one, other in zip(
        written_masks(tmp_path / 'early', samples), written_masks(tmp_path / 'short', samples), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_class_maps_without_background(tmp_path, predictions, run_metric):
    samples, _ = predictions(with_background=False)
    run_metric(build(output_dir=str(tmp_path)), samples, with_background=False, masks=chain_of(background()))
    for sample in samples:
        seeds = sample['seeds']
        scores = resize_maps(torch.from_numpy(seeds.cams).float(), seeds.size).numpy()
        expected = seeds.class_ids[scores.argmax(0)]
        np.testing.assert_array_equal(read_mask(tmp_path / f'{sample["image_id"]}.png'), expected)


@pytest.mark.parametrize('refiners', [[], [CRF]])
def test_image_of_no_class_without_background_has_no_prediction(tmp_path, predictions, run_metric, refiners):
    samples = predictions(with_background=False)[0][:1]
    samples[0]['seeds'] = Seeds(np.zeros(0, np.uint8), np.zeros((0, 5, 7), np.float16), (40, 56))
    chain = chain_of(*refiners)
    metrics = run_metric(build(output_dir=str(tmp_path)), samples, with_background=False, masks=chain)
    assert (read_mask(tmp_path / 'p0.png') == 255).all() and metrics == {'masks/mIoU': 0}


def test_mask_is_written_where_there_is_no_ground_truth(tmp_path, predictions, run_metric):
    samples, _ = predictions(truth=False)
    chain = chain_of(background(), margin=0.1)
    assert run_metric(build(output_dir=str(tmp_path)), samples, masks=chain) == {}
    assert len(list(tmp_path.rglob('*.png'))) == 5 + 5


def test_nothing_is_counted_where_nothing_is_to_do(predictions, dataset_meta):
    metric = build()
    metric.dataset_meta = dataset_meta
    assert all(metric.counter(sample) is None for sample in predictions(truth=False)[0])


@pytest.mark.parametrize(
    'mask, expected', [(np.zeros((3, 4), np.uint8), 'expected a mask of'), (9, 'index 9 is none of the 4')]
)
def test_wrong_ground_truth_is_named(predictions, run_metric, mask, expected):
    samples, _ = predictions()
    mask = np.full(samples[0]['ori_shape'], mask, np.uint8) if isinstance(mask, int) else mask
    write_mask(samples[0]['seg_map_path'], mask, [(0, 0, 0)])
    with pytest.raises(DataError, match=rf'p0\.png: {expected}'):
        run_metric(build(), samples, masks=chain_of(background()))


@pytest.mark.parametrize(
    'settings, name', [(dict(num_refiners=-1), 'num_refiners'), (dict(format_only=True), 'output_dir')]
)
def test_wrong_argument_is_named(settings, name):
    with pytest.raises(ValueError, match=name):
        build(**settings)


def test_weights_are_written_beside_the_masks(tmp_path, predictions, run_metric):
    samples, _ = predictions()
    chain = chain_of(background(), full_margin=0.5)
    folders = dict(output_dir=str(tmp_path / 'masks'), weight_dir=str(tmp_path / 'weights'))
    metrics = run_metric(build(**folders), samples, masks=chain)
    assert metrics == run_metric(build(), samples, masks=chain_of(background()))
    for sample, scores in zip(samples, masks_of(samples)[1], strict=True):
        expected = weight_of_margin(torch.from_numpy(scores), 0.5) * 255
        found = read_pixel_weights(tmp_path / 'weights' / f'{sample["image_id"]}.png')
        np.testing.assert_allclose(found, expected, atol=0.51)
        assert (tmp_path / 'masks' / f'{sample["image_id"]}.png').is_file()


def test_a_chain_without_weights_has_none_to_write(tmp_path, predictions, run_metric):
    samples, _ = predictions()
    folders = dict(output_dir=str(tmp_path / 'masks'), weight_dir=str(tmp_path / 'weights'))
    with pytest.raises(DataError, match=r"weights/p0\.png: chain 'masks' gives pixels no weights; set full_margin"):
        run_metric(build(**folders), samples, masks=chain_of(background()))


@pytest.mark.parametrize('settings', [dict(weight_dir='w'), dict(weight_dir='w', output_dir='m', num_refiners=0)])
def test_weights_belong_to_the_masks_at_the_end(settings):
    with pytest.raises(ValueError, match='weight_dir of PseudoMaskMetric'):
        build(**settings)
