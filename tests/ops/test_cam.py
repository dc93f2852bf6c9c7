import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmwsss.ops import (
    affinity_label_map,
    background_score,
    confident_label_map,
    dense_crf,
    fuse_cams,
    pairwise_affinity,
    random_walk,
    threshold_label_map,
)


def test_fused_cams_equal_the_recorded_ones(recorded):
    group = recorded('fusion')
    maps = [torch.as_tensor(group[f'map{i}']) for i in range(8)]
    fused = fuse_cams(maps, group['norm_cam'].shape[1:], [False, True] * 4)
    np.testing.assert_allclose(fused.numpy(), group['norm_cam'], atol=1e-5)


def test_fused_cams_of_a_flipped_map_are_those_of_the_map():
    cam = torch.rand(3, 5, 7)
    torch.testing.assert_close(fuse_cams([cam.flip(-1)], (20, 31), [True]), fuse_cams([cam], (20, 31), [False]))


def test_fused_cams_of_one_pixel():
    cams = [torch.tensor([[[0.5]], [[2.0]]]), torch.tensor([[[1.5, 1.5]], [[0.0, 0.0]]])]
    torch.testing.assert_close(fuse_cams(cams, (1, 1), [False, True]), torch.full((2, 1, 1), 2 / (2 + 1e-5)))


def test_fused_cams_peak_just_below_one():
    cam = torch.rand(2, 4, 4)
    peak = cam.amax((1, 2))
    torch.testing.assert_close(fuse_cams([cam], (4, 4), [False]).amax((1, 2)), peak / (peak + 1e-5))


def test_fused_cams_without_classes():
    assert fuse_cams([torch.zeros(0, 3, 4)] * 2, (9, 8), [False, True]).shape == (0, 9, 8)


@pytest.mark.parametrize(
    'cams, size, flips, name',
    [
        ([], (4, 4), [], 'cams'),
        ([torch.rand(1, 2, 2)], (4, 4), [False, True], 'flips'),
        ([torch.rand(1, 2, 2), torch.rand(2, 2, 2)], (4, 4), [False, True], 'cams'),
        ([torch.rand(1, 2, 2), torch.rand(2, 2, 2), torch.rand(2, 2, 2)], (4, 4), [False] * 3, r'got \(2, 2, 2\)'),
        ([torch.rand(2, 2)], (4, 4), [False], 'cams'),
        ([torch.rand(1, 2, 2)], (4, 0), [False], 'size'),
    ],
)
def test_fuse_cams_rejects_bad_arguments(cams, size, flips, name):
    with pytest.raises(ValueError, match=name):
        fuse_cams(cams, size, flips)


def test_confident_labels_follow_the_truth_table():
    """Columns: winner of (low, high) = (class, class), (class, bg), (bg, bg), (bg, class)."""
    low = np.array([[[0.1, 0.1, 0.9, 0.9]], [[0.9, 0.9, 0.1, 0.1]]])
    high = np.array([[[0.1, 0.9, 0.9, 0.1]], [[0.9, 0.1, 0.1, 0.9]]])
    assert confident_label_map(low, high, [7]).tolist() == [[7, 0, 0, 255]]


def test_affinity_labels_equal_those_of_the_recorded_crf(recorded):
    group = recorded('crf')
    labels = affinity_label_map(group['image_rgb'], group['cams'], class_ids=[3, 5])
    expected = confident_label_map(group['alpha4'], group['alpha32'], [3, 5])
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, expected)


def test_affinity_labels_without_classes_are_background():
    image = np.zeros((6, 5, 3), np.uint8)
    assert not affinity_label_map(image, np.zeros((0, 6, 5)), []).any()
    assert (affinity_label_map(image, np.zeros((0, 6, 5)), [], with_background=False) == 255).all()


def test_affinity_labels_without_background_are_sure_inside_the_classes():
    image = np.zeros((24, 32, 3), np.uint8)
    image[:, 16:] = 255
    cams = torch.full((2, 24, 32), 0.1)
    cams[0, :, :10], cams[1, :, 22:] = 0.9, 0.9
    labels = affinity_label_map(image, cams, [0, 4], with_background=False)
    assert (labels[:, :10] == 0).all() and (labels[:, 22:] == 4).all()
    assert set(np.unique(labels)) <= {0, 4, 255}


def test_affinity_label_margin_widens_the_neutral_area(recorded):
    group = recorded('crf')
    neutral = [
        (affinity_label_map(group['image_rgb'], group['cams'], [0, 1], with_background=False, margin=m) == 255).mean()
        for m in (0.0, 0.5, 0.99)
    ]
    assert neutral[0] == 0 and neutral[0] < neutral[1] < neutral[2]


def test_affinity_label_margin_is_a_half_unless_given_and_may_be_one(recorded):
    image, cams = recorded('crf')['image_rgb'], recorded('crf')['cams']
    default = affinity_label_map(image, cams, [0, 1], with_background=False)
    np.testing.assert_array_equal(default, affinity_label_map(image, cams, [0, 1], with_background=False, margin=0.5))
    assert (affinity_label_map(image, cams, [0, 1], with_background=False, margin=1) == 255).mean() > 0.5


def test_affinity_label_margin_of_zero_leaves_no_pixel_neutral_even_where_classes_tie():
    image = np.zeros((6, 5, 3), np.uint8)
    labels = affinity_label_map(image, np.full((2, 6, 5), 0.5), [3, 7], with_background=False, margin=0)
    assert (labels == 3).all()


def test_affinity_label_exponents_are_the_published_ones_by_default():
    image = np.tile(np.linspace(0, 255, 200).astype(np.uint8)[:, None], (4, 1, 3))
    cams = np.tile(np.linspace(0, 0.5, 200), (1, 4, 1))
    weak = dict(num_iters=1, gaussian=(3, 0.1), bilateral=(80, 13, 0.1))
    default = affinity_label_map(image, cams, [1], **weak)
    np.testing.assert_array_equal(default, affinity_label_map(image, cams, [1], 4, 32, **weak))
    for low, high in ((3.8, 32), (4.2, 32), (4, 31), (4, 33)):
        assert (default != affinity_label_map(image, cams, [1], low, high, **weak)).any()


def test_affinity_labels_of_a_single_class():
    """Without a background it covers the image; the last class index is 254."""
    image, cams = np.zeros((6, 5, 3), np.uint8), np.full((1, 6, 5), 0.5)
    assert (affinity_label_map(image, cams, [254], with_background=False) == 254).all()
    assert set(np.unique(affinity_label_map(image, np.ones((1, 6, 5)), [254]))) == {254}


def test_affinity_labels_take_another_ignore_index():
    image = np.zeros((6, 5, 3), np.uint8)
    assert (affinity_label_map(image, np.zeros((0, 6, 5)), [], with_background=False, ignore_index=99) == 99).all()


@pytest.mark.parametrize(
    'changes, name',
    [
        (dict(image=np.zeros((6, 5), np.uint8)), 'image'),
        (dict(image=np.zeros((6, 5, 3), np.float32)), 'image'),
        (dict(cams=np.zeros((1, 5, 6))), 'cams'),
        (dict(cams=np.full((1, 6, 5), np.nan)), 'cams'),
        (dict(class_ids=[1, 2]), 'class_ids must name each of the 1 maps'),
        (dict(margin=-0.1), 'margin'),
        (dict(class_ids=[0]), 'class_ids'),
        (dict(class_ids=[255]), 'class_ids'),
        (dict(alpha_low=0), 'alpha'),
        (dict(margin=1.5), 'margin'),
        (dict(num_iters=-1), 'num_iters'),
        (dict(gaussian=(3,)), 'gaussian'),
        (dict(bilateral=(80, 0, 10)), 'bilateral'),
    ],
)
def test_affinity_label_map_rejects_bad_arguments(changes, name):
    arguments = dict(image=np.zeros((6, 5, 3), np.uint8), cams=np.full((1, 6, 5), 0.5), class_ids=[1])
    with pytest.raises(ValueError, match=name):
        affinity_label_map(**{**arguments, **changes})


def slow_threshold_labels(image, cams, class_ids, high, low, label_probability, with_background, **crf):
    """The rule of each pixel, with one CRF after the other."""
    confident = []
    for score in (high, low):
        stack = np.concatenate([np.full((1, *image.shape[:2]), score), cams])
        probabilities = np.full(stack.shape, (1 - label_probability) / len(cams), np.float32)
        for y, x in np.ndindex(image.shape[:2]):
            probabilities[stack[:, y, x].argmax(), y, x] = label_probability
        confident.append(dense_crf(image, probabilities, **crf).argmax(0))
    labels = np.full(image.shape[:2], 255)
    for y, x in np.ndindex(image.shape[:2]):
        foreground, background = confident[0][y, x], confident[1][y, x]
        if foreground:
            labels[y, x] = class_ids[foreground - 1]
        elif not background and with_background:
            labels[y, x] = 0
    return labels


@pytest.mark.parametrize('with_background', [True, False])
@pytest.mark.parametrize('class_ids', [[254], [3, 5]])
def test_threshold_labels_equal_their_slow_version(recorded, class_ids, with_background):
    image, cams = recorded('crf')['image_rgb'], recorded('crf')['cams'][: len(class_ids)]
    crf = dict(num_iters=2, gaussian=(2, 3), bilateral=(40, 7, 5))
    labels = threshold_label_map(
        image, cams, class_ids, 0.5, 0.2, label_probability=0.6, with_background=with_background, **crf
    )
    expected = slow_threshold_labels(image, cams, class_ids, 0.5, 0.2, 0.6, with_background, **crf)
    assert labels.dtype == np.uint8 and set(np.unique(labels)) >= {*class_ids, 255}
    np.testing.assert_array_equal(labels, expected)


def test_threshold_labels_are_made_as_published_by_default(recorded):
    image, cams = recorded('crf')['image_rgb'], recorded('crf')['cams']
    cams = (cams - cams.min()) ** 2
    labels = threshold_label_map(image, cams, [3, 5])
    published = dict(num_iters=10, gaussian=(3, 3), bilateral=(50, 5, 10))
    np.testing.assert_array_equal(labels, slow_threshold_labels(image, cams, [3, 5], 0.3, 0.05, 0.7, True, **published))
    for changes in (
        dict(foreground=0.4),
        dict(background=0.1),
        dict(label_probability=0.9),
        dict(bilateral=(80, 13, 10)),
    ):
        assert (labels != threshold_label_map(image, cams, [3, 5], **changes)).any(), changes


def test_a_pixel_that_is_foreground_by_the_high_score_alone_stays_foreground(monkeypatch):
    winners = [np.array([[0, 1, 1, 0]]), np.array([[0, 0, 1, 1]])]
    monkeypatch.setattr(
        'mmwsss.ops.cam.dense_crf_stack', lambda *args, **kwargs: [np.eye(2)[one].transpose(2, 0, 1) for one in winners]
    )
    labels = threshold_label_map(np.zeros((1, 4, 3), np.uint8), np.zeros((1, 1, 4)), [7])
    assert labels.tolist() == [[0, 7, 7, 255]]


def test_threshold_labels_without_classes():
    image, cams = np.zeros((6, 5, 3), np.uint8), np.zeros((0, 6, 5))
    assert not threshold_label_map(image, cams, []).any()
    assert (threshold_label_map(image, cams, [], with_background=False, ignore_index=99) == 99).all()


@pytest.mark.parametrize(
    'changes, name',
    [
        (dict(cams=np.zeros((1, 5, 6))), 'cams'),
        (dict(class_ids=[0]), 'class_ids'),
        (dict(foreground=1.1), 'foreground'),
        (dict(background=-0.1), 'background'),
        (dict(foreground=0.2, background=0.3), 'background'),
        (dict(label_probability=1), 'label_probability'),
        (dict(label_probability=0), 'label_probability'),
        (dict(num_iters=-1), 'num_iters'),
    ],
)
def test_threshold_label_map_rejects_bad_arguments(changes, name):
    arguments = dict(image=np.zeros((6, 5, 3), np.uint8), cams=np.full((1, 6, 5), 0.5), class_ids=[1])
    with pytest.raises(ValueError, match=name):
        threshold_label_map(**{**arguments, **changes})


def test_whole_inference_equals_the_recorded_one(recorded):
    """CAMs and background score, pooled to the grid, walked, resized, argmax: the published way."""
    group = recorded('infer')
    cams = torch.as_tensor(group['cams'])
    height, width = cams.shape[1:]
    scores = F.pad(torch.cat([background_score(cams, 16), cams]), (0, -width % 8, 0, -height % 8))
    features = torch.as_tensor(recorded('affinity')['features_chw'])[None]
    affinity = pairwise_affinity(features, border='reference')
    walked = random_walk(F.avg_pool2d(scores, 8)[None], affinity)
    walked = F.interpolate(walked, scores.shape[1:], mode='bilinear', align_corners=False)[0]
    values = np.array([0, *(group['keys0'] + 1)])
    labels = values[walked[:, :height, :width].argmax(0).numpy()]
    assert np.mean(labels == group['label_map']) >= 0.999


def test_alphas_share_one_crf_of_the_image(recorded):
    """The two stacks refined together equal each refined alone."""
    group = recorded('crf')
    cams = torch.as_tensor(group['cams'])
    apart = [dense_crf(group['image_rgb'], torch.cat([background_score(cams, a), cams])) for a in (4, 32)]
    np.testing.assert_array_equal(
        affinity_label_map(group['image_rgb'], cams, [1, 2]), confident_label_map(*apart, class_ids=[1, 2])
    )


def test_peak_quantile_ignores_a_single_strong_cell():
    maps = torch.full((2, 10, 10), 0.6)
    maps[:, 3, 4] = 1.0
    maps[1, 5:] = 0.1
    plain = fuse_cams([maps], (10, 10), [False])
    torch.testing.assert_close(plain[:, 0, 0], torch.full((2,), 0.6), atol=1e-4, rtol=0)
    robust = fuse_cams([maps], (10, 10), [False], peak_quantile=0.95)
    torch.testing.assert_close(robust[:, 0, 0], torch.ones(2), atol=1e-4, rtol=0)
    assert robust.max() <= 1
    torch.testing.assert_close(robust[1, 9, 9], torch.tensor(0.1 / 0.6), atol=1e-4, rtol=0)


def test_peak_quantile_is_a_rank_among_all_cells():
    maps = torch.arange(1, 101.0).view(1, 4, 25)
    for quantile, peak in ((0.5, 50), (0.75, 75), (0.8, 80)):
        fused = fuse_cams([maps], (4, 25), [False], peak_quantile=quantile)
        torch.testing.assert_close(fused, (maps / (peak + 1e-5)).clamp(max=1))


def test_weighted_maps_are_repeated_maps():
    maps = [torch.rand(2, 3, 4), torch.rand(2, 6, 5)]
    weighted = fuse_cams(maps, (12, 15), [False, True], weights=[1, 3])
    repeated = fuse_cams([maps[0], *[maps[1]] * 3], (12, 15), [False, True, True, True])
    torch.testing.assert_close(weighted, repeated)


@pytest.mark.parametrize('weights', [[1.0], [1.0, 0.0], [1.0, -2.0], [1.0, 1.0, 1.0]])
def test_wrong_weights_are_refused(weights):
    with pytest.raises(ValueError, match='weights must be 2 positive numbers'):
        fuse_cams([torch.ones(1, 2, 2)] * 2, (2, 2), [False, True], weights=weights)


def test_peak_is_at_least_half_the_maximum():
    maps = torch.zeros(1, 20, 20)
    maps[0, 2, 2], maps[0, 2, 3] = 1.0, 0.2
    robust = fuse_cams([maps], (20, 20), [False], peak_quantile=0.9)
    torch.testing.assert_close(robust[0, 2, 3], torch.tensor(0.4), atol=1e-4, rtol=0)
    assert robust[0, 10:].max() == 0


@pytest.mark.parametrize('peak_quantile', [0, 1.5, -0.1])
def test_peak_quantile_outside_its_range_is_refused(peak_quantile):
    with pytest.raises(ValueError, match='peak_quantile'):
        fuse_cams([torch.ones(1, 2, 2)], (2, 2), [False], peak_quantile)
