import numpy as np
import pytest
from mmseg.registry import METRICS

from mmwsss.evaluation.functional.boundary_iou import boundary_counts, iou_of_counts
from mmwsss.evaluation.metrics.pseudo_mask_metric import scores_at_image_size
from mmwsss.fileio import DataError, read_affinity, read_image, read_mask, write_mask
from mmwsss.ops import dense_crf

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def config_of(**settings):
    return dict(type='PseudoMaskMetric', **settings)


def bilinear(maps, size):
    """Pixel by pixel: cell i has its center at i + 0.5, and the outermost cells go on to the border."""
    count, rows, columns = maps.shape
    out = np.zeros((count, *size))
    for y in range(size[0]):
        for x in range(size[1]):
            v = min(max((y + 0.5) * rows / size[0] - 0.5, 0), rows - 1)
            u = min(max((x + 0.5) * columns / size[1] - 0.5, 0), columns - 1)
            top, left = int(v), int(u)
            below, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            upper = maps[:, top, left] * (1 - u + left) + maps[:, top, right] * (u - left)
            lower = maps[:, below, left] * (1 - u + left) + maps[:, below, right] * (u - left)
            out[:, y, x] = upper * (1 - v + top) + lower * (v - top)
    return out


def slow_scores(scores, size, covered, stride):
    """To the padded input, cut to the part that is the image, to the image's own size."""
    padded = bilinear(scores.astype(np.float64), (scores.shape[1] * stride, scores.shape[2] * stride))
    cut = padded[:, : covered[0], : covered[1]]
    return bilinear(cut, size)


@pytest.mark.parametrize(
    'covered, size', [((40, 48), (40, 48)), ((33, 41), (33, 41)), ((34, 47), (51, 71)), ((35, 42), (17, 20))]
)
def test_scores_of_a_padded_grid_lie_on_the_photograph(covered, size):
    scores = np.random.default_rng(0).random((3, 5, 6)).astype(np.float16)
    np.testing.assert_allclose(
        scores_at_image_size(scores, size, (covered, 8)), slow_scores(scores, size, covered, 8), atol=1e-5
    )


def test_scores_without_padding_cover_the_photograph():
    scores = np.random.default_rng(0).random((2, 5, 6)).astype(np.float32)
    np.testing.assert_allclose(scores_at_image_size(scores, (13, 17)), bilinear(scores, (13, 17)), atol=1e-5)
    assert scores_at_image_size(scores[:0], (13, 17)).shape == (0, 13, 17)


def test_border_between_two_classes_is_where_the_network_saw_it():
    """The input is 0.7 times the image and padded from 37 to 40 columns; the classes meet in its middle."""
    columns = (np.arange(5) * 8 + 4 - 18.5) / 40
    scores = np.stack([0.5 - columns, 0.5 + columns])[:, None].repeat(4, 1)
    resized = scores_at_image_size(scores, (43, 53), ((30, 37), 8))
    border = (resized.argmax(0) == 1).argmax(1)
    assert np.abs(border - 26.5).max() <= 1


def walked(samples, stride=8):
    """What AffinityNet predicts of inputs that are 0.7 times the images."""
    rng = np.random.default_rng(1)
    for sample in samples:
        sample['img_shape'] = tuple(round(0.7 * side) for side in sample['ori_shape'])
        grid = tuple(-(-side // stride) for side in sample['img_shape'])
        sample['class_ids'] = np.concatenate([np.zeros(1, np.uint8), sample['class_ids']])
        sample['scores'] = rng.random((len(sample['class_ids']), *grid)).astype(np.float32)
        sample['grid_stride'] = stride
        del sample['cams']
    return samples


def masks_of(samples, crf=False):
    masks, all_scores = [], []
    for sample in samples:
        stored = sample['scores'].astype(np.float16)
        scores = slow_scores(stored, sample['ori_shape'], sample['img_shape'], sample['grid_stride'])
        if crf:
            scores = dense_crf(read_image(sample['img_path'])[:, :, ::-1].copy(), scores.astype(np.float32), 2)
        masks.append(sample['class_ids'][scores.argmax(0)])
        all_scores.append(scores)
    return masks, all_scores


def agreement(first, second):
    return np.mean([(a == b).mean() for a, b in zip(first, second, strict=True)])


@pytest.mark.parametrize('crf', [False, True])
def test_walked_maps(tmp_path, predictions, run_metric, slow_miou, crf):
    samples, truths = predictions()
    samples = walked(samples)
    settings = dict(dense_crf=dict(type='DenseCRF', num_iters=2)) if crf else {}
    metric = METRICS.build(config_of(output_dir=str(tmp_path), prefix='walk', **settings))
    metrics = run_metric(metric, samples)
    written = [read_mask(tmp_path / f'{sample["image_id"]}.png') for sample in samples]
    assert agreement(written, masks_of(samples, crf)[0]) > 0.99
    assert metrics == {'walk/mIoU': pytest.approx(slow_miou(truths, written))}


def test_boundary_iou_is_that_of_the_written_masks(tmp_path, predictions, run_metric):
    samples, truths = predictions()
    plain = run_metric(METRICS.build(config_of(background_score=0.5)), samples)
    metric = METRICS.build(config_of(background_score=0.5, output_dir=str(tmp_path), boundary_iou=True))
    metrics = run_metric(metric, samples)
    written = [read_mask(tmp_path / f'{sample["image_id"]}.png') for sample in samples]
    counts = sum(boundary_counts(truth, mask, 4) for truth, mask in zip(truths, written, strict=True))
    expected = np.nanmean(iou_of_counts(counts))
    assert metrics == {**plain, 'random_walk/mean_boundary_IoU': pytest.approx(expected)}


def test_pixels_without_margin_are_ignored_in_the_file_alone(tmp_path, predictions, run_metric):
    samples, _ = predictions()
    samples = walked(samples)
    plain = run_metric(METRICS.build(config_of(output_dir=str(tmp_path / 'plain'))), samples)
    unsure = run_metric(METRICS.build(config_of(output_dir=str(tmp_path / 'unsure'), margin=0.2)), samples)
    assert plain == unsure
    for sample, scores in zip(samples, masks_of(samples)[1], strict=True):
        first = read_mask(tmp_path / 'plain' / f'{sample["image_id"]}.png')
        second = read_mask(tmp_path / 'unsure' / f'{sample["image_id"]}.png')
        ranked = np.sort(scores / scores.sum(0), axis=0)
        close = ranked[-1] - ranked[-2] < 0.2 if len(scores) > 1 else np.zeros(first.shape, bool)
        assert ((second == 255) == close).mean() > 0.99
        np.testing.assert_array_equal(first[second != 255], second[second != 255])


def test_activation_maps_with_a_background_score(tmp_path, predictions, run_metric):
    samples, _ = predictions()
    run_metric(METRICS.build(config_of(output_dir=str(tmp_path), background_score=0.5)), samples)
    for sample in samples:
        cams = sample['cams'].astype(np.float16)
        scores = np.concatenate([np.full((1, *cams.shape[1:]), 0.5), cams])
        expected = np.array([0, *sample['class_ids']])[bilinear(scores, sample['ori_shape']).argmax(0)]
        assert (read_mask(tmp_path / f'{sample["image_id"]}.png') == expected).mean() > 0.99


def test_activation_maps_without_background(tmp_path, predictions, run_metric):
    samples, _ = predictions(with_background=False)
    run_metric(METRICS.build(config_of(output_dir=str(tmp_path), with_background=False)), samples)
    for sample in samples:
        scores = bilinear(sample['cams'].astype(np.float16), sample['ori_shape'])
        expected = sample['class_ids'][scores.argmax(0)]
        assert (read_mask(tmp_path / f'{sample["image_id"]}.png') == expected).mean() > 0.99


def test_activation_maps_need_a_background_score(predictions, run_metric):
    with pytest.raises(ValueError, match='set background_score of PseudoMaskMetric'):
        run_metric(METRICS.build(config_of()), predictions()[0])


@pytest.mark.parametrize('crf', [None, dict(type='DenseCRF')])
def test_photograph_of_no_class_without_background_has_no_prediction(tmp_path, predictions, run_metric, crf):
    samples = predictions()[0][:1]
    samples[0].update(class_ids=np.zeros(0, np.uint8), scores=np.zeros((0, 5, 7), np.float32), grid_stride=8)
    metrics = run_metric(METRICS.build(config_of(output_dir=str(tmp_path), dense_crf=crf)), samples)
    assert (read_mask(tmp_path / 'p0.png') == 255).all() and metrics == {'random_walk/mIoU': 0}


def test_mask_is_written_where_there_is_no_truth(tmp_path, predictions, run_metric):
    samples, _ = predictions(truth=False)
    metric = METRICS.build(config_of(output_dir=str(tmp_path), margin=0.1))
    assert run_metric(metric, walked(samples)) == {}
    assert len(list(tmp_path.rglob('*.png'))) == 5 + 5


def test_two_processes_write_and_count_the_same(tmp_path, predictions, run_metric):
    samples, _ = predictions()
    config = config_of(background_score=0.4, dense_crf=dict(type='DenseCRF', num_iters=2))
    results = []
    for num_workers in (0, 2):
        output_dir = tmp_path / str(num_workers)
        metric = METRICS.build({**config, 'num_workers': num_workers, 'output_dir': str(output_dir)})
        metrics = run_metric(metric, samples, batch_size=1)
        results.append((metrics, {p.relative_to(output_dir): p.read_bytes() for p in output_dir.rglob('*.png')}))
    assert results[0] == results[1] and len(results[0][1]) == 5


@pytest.mark.parametrize(
    'mask, expected', [(np.zeros((3, 4), np.uint8), 'expected a mask of'), (9, 'index 9 is none of the 4')]
)
def test_wrong_truth_is_named(predictions, run_metric, mask, expected):
    samples, _ = predictions()
    mask = np.full(samples[0]['ori_shape'], mask, np.uint8) if isinstance(mask, int) else mask
    write_mask(samples[0]['seg_map_path'], mask, [(0, 0, 0)])
    with pytest.raises(DataError, match=rf'p0\.png: {expected}'):
        run_metric(METRICS.build(config_of(background_score=0.5)), samples)


@pytest.mark.parametrize(
    'settings, name',
    [(dict(margin=1), 'margin'), (dict(margin=-0.1), 'margin'), (dict(format_only=True), 'output_dir')],
)
def test_wrong_argument_is_named(settings, name):
    with pytest.raises(ValueError, match=name):
        METRICS.build(config_of(**settings))


@pytest.mark.parametrize('truth', [True, False])
def test_affinities_are_stored_beside_the_masks(tmp_path, predictions, run_metric, truth):
    samples = walked(predictions(truth=truth)[0])
    for sample in samples:
        sample['affinity'] = np.full((12, *sample['scores'].shape[1:]), 51, np.uint8)
    run_metric(METRICS.build(config_of(affinity_dir=str(tmp_path))), samples)
    for sample in samples:
        field = read_affinity(tmp_path / f'{sample["image_id"]}.npz')
        assert (field.size, field.stride) == (sample['img_shape'], 8)
        np.testing.assert_allclose(field.affinity, 0.2, atol=1e-6)


def test_affinities_need_a_network_that_predicts_them(tmp_path, predictions, run_metric):
    with pytest.raises(ValueError, match='affinity_dir of PseudoMaskMetric needs a network'):
        run_metric(METRICS.build(config_of(affinity_dir=str(tmp_path))), walked(predictions()[0]))
