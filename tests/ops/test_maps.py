"""Each function against a copy of the expression it took the place of, bit for bit, and against small known answers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmwsss.ops import (
    add_background,
    background_score,
    crop_to_covered,
    label_of_scores,
    label_of_two_scores,
    pool_to_cells,
    resize_maps,
    score_margin,
    share_of_agreement,
    unsure_pixels,
    weight_of_margin,
)

COUNTS = [1, 2, 5, 21]


def random(*shape, seed=0, dtype=torch.float32):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def numpy_resize(maps, size):
    """As a metric of seeds resized them."""
    if len(maps) == 0:
        return np.zeros((0, *size), np.float32)
    resized = F.interpolate(
        torch.from_numpy(maps).float()[None], size=tuple(size), mode='bilinear', align_corners=False
    )
    return resized[0].numpy()


@pytest.mark.parametrize('count', [0, *COUNTS])
@pytest.mark.parametrize('size', [(13, 17), (3, 5), (31, 40), (1, 1)])
def test_resized_maps_are_those_of_a_plain_interpolation(count, size):
    maps = random(count, 13, 17)
    np.testing.assert_array_equal(resize_maps(maps, size).numpy(), numpy_resize(maps.numpy(), size))


@pytest.mark.parametrize('align_corners', [False, True])
def test_resized_batches_are_the_resized_members(align_corners):
    maps = random(2, 3, 4, 6, 5)
    resized = resize_maps(maps, (9, 11), align_corners)
    expected = F.interpolate(maps.flatten(0, 1), size=(9, 11), mode='bilinear', align_corners=align_corners)
    assert resized.equal(expected.unflatten(0, (2, 3)))
    torch.testing.assert_close(resized[1, 2], resize_maps(maps[1, 2], (9, 11), align_corners))


def test_maps_of_the_right_size_are_returned_as_they_are():
    maps = random(2, 5, 6)
    assert resize_maps(maps, (5, 6)) is maps


@pytest.mark.parametrize('shape', [(0, 4, 5), (0, 3, 4, 5), (2, 0, 4, 5)])
def test_empty_maps_have_the_new_size_and_keep_their_dtype(shape):
    resized = resize_maps(torch.zeros(shape, dtype=torch.float64), (7, 9))
    assert resized.shape == (*shape[:-2], 7, 9) and resized.dtype == torch.float64


def test_resizing_has_a_gradient():
    maps = random(1, 2, 3, 4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda value: resize_maps(value, (5, 7)), maps)


@pytest.mark.parametrize(
    'maps, size, name',
    [
        (torch.zeros(3, 4), (5, 5), 'maps'),
        (torch.zeros(1, 3, 4, dtype=torch.long), (5, 5), 'maps'),
        (np.zeros((1, 3, 4), np.float32), (5, 5), 'maps'),
        (torch.zeros(1, 3, 4), (5, 0), 'size'),
        (torch.zeros(1, 3, 4), (5, 5, 5), 'size'),
        (torch.zeros(1, 3, 4), (5,), 'size'),
    ],
)
def test_resize_maps_rejects_bad_arguments(maps, size, name):
    with pytest.raises(ValueError, match=name):
        resize_maps(maps, size)


@pytest.mark.parametrize('count', [0, *COUNTS])
@pytest.mark.parametrize('cells, covered, stride', [((4, 5), (30, 37), 8), ((3, 2), (12, 8), 4), ((2, 3), (2, 2), 1)])
@pytest.mark.parametrize('size', [(43, 53), (30, 37)])
def test_covered_maps_at_image_size_are_those_of_the_metric_of_masks(count, cells, covered, stride, size):
    scores = random(count, *cells).numpy()
    old = numpy_resize(scores, (cells[0] * stride, cells[1] * stride))[:, : covered[0], : covered[1]]
    cropped = crop_to_covered(torch.from_numpy(scores), covered, stride)
    np.testing.assert_array_equal(cropped.numpy(), old)
    old = numpy_resize(old, size) if old.shape[1:] != size else old
    np.testing.assert_array_equal(resize_maps(cropped, size).numpy(), old)


def test_covered_batches_are_cropped_alike():
    maps = random(2, 3, 4, 5)
    assert crop_to_covered(maps, (30, 37), 8).shape == (2, 3, 30, 37)
    torch.testing.assert_close(crop_to_covered(maps, (30, 37), 8)[1], crop_to_covered(maps[1], (30, 37), 8))


@pytest.mark.parametrize(
    'covered, stride, name', [((33, 8), 8, 'covered'), ((8, 41), 8, 'covered'), ((8, 8), 0, 'stride')]
)
def test_crop_to_covered_rejects_bad_arguments(covered, stride, name):
    with pytest.raises(ValueError, match=name):
        crop_to_covered(torch.zeros(1, 4, 5), covered, stride)


@pytest.mark.parametrize('count', COUNTS)
@pytest.mark.parametrize('size, cells, stride', [((30, 37), (4, 5), 8), ((12, 8), (3, 2), 4), ((5, 5), (7, 6), 1)])
def test_pooled_cells_are_those_of_the_walk(count, size, cells, stride):
    maps = random(count, *size)
    padded = F.pad(maps, (0, cells[1] * stride - size[1], 0, cells[0] * stride - size[0]))
    assert pool_to_cells(maps, cells, stride).equal(F.avg_pool2d(padded, stride))
    batched = pool_to_cells(maps.expand(2, 3, *maps.shape), cells, stride)
    assert batched.equal(F.avg_pool2d(padded, stride).expand(2, 3, -1, -1, -1))


def test_zeros_fill_the_cells_beyond_the_maps():
    assert pool_to_cells(torch.ones(1, 3, 2), (2, 2), 2).tolist() == [[[1, 0], [0.5, 0]]]


@pytest.mark.parametrize('shape', [(0, 4, 5), (0, 3, 4, 5), (2, 0, 4, 5)])
def test_empty_maps_are_pooled_to_empty_maps(shape):
    assert pool_to_cells(torch.zeros(shape), (2, 3), 2).shape == (*shape[:-2], 2, 3)


@pytest.mark.parametrize(
    'cells, stride, name', [((1, 3), 2, 'cells'), ((2, 2), 2, 'cells'), ((0, 3), 2, 'cells'), ((9, 9), True, 'stride')]
)
def test_pool_to_cells_rejects_bad_arguments(cells, stride, name):
    with pytest.raises(ValueError, match=name):
        pool_to_cells(torch.zeros(1, 4, 5), cells, stride)


def test_background_score_is_the_power_of_the_complement():
    cams = torch.tensor([[[0.0, 0.5, 1.0]], [[0.2, 0.1, 0.0]]])
    torch.testing.assert_close(background_score(cams, 2), torch.tensor([[[0.64, 0.25, 0.0]]]))


def test_background_score_is_never_negative():
    assert background_score(torch.full((1, 1, 1), 1.5), 3).item() == 0


def test_background_score_without_classes_is_one():
    assert background_score(torch.zeros(0, 3, 4), 16).equal(torch.ones(1, 3, 4))
    assert background_score(torch.zeros(2, 0, 3, 4), 16).equal(torch.ones(2, 1, 3, 4))


@pytest.mark.parametrize('cams, alpha, name', [(torch.rand(3, 4), 16, 'cams'), (torch.rand(1, 3, 4), 0, 'alpha')])
def test_background_score_rejects_bad_arguments(cams, alpha, name):
    with pytest.raises(ValueError, match=name):
        background_score(cams, alpha)


@pytest.mark.parametrize('count', [0, *COUNTS])
@pytest.mark.parametrize('alpha', [1.5, 2, 4, 16, 32.0])
def test_a_background_by_exponent_is_that_of_the_walk(count, alpha):
    cams = random(count, 7, 9)
    if count:
        background = (1 - cams.amax(0, keepdim=True)).clamp_(min=0) ** alpha
    else:
        background = torch.ones(1, 7, 9)
    assert add_background(cams, alpha=alpha).equal(torch.cat([background, cams]))


@pytest.mark.parametrize('count', [0, *COUNTS])
@pytest.mark.parametrize('score', [0, 0.2, 0.32, 1.0])
def test_a_constant_background_is_that_of_the_metric_of_masks(count, score):
    cams = random(count, 7, 9).numpy()
    expected = np.concatenate([np.full((1, 7, 9), score, cams.dtype), cams])
    np.testing.assert_array_equal(add_background(torch.from_numpy(cams), score=score).numpy(), expected)


@pytest.mark.parametrize('background', [dict(alpha=4), dict(score=0.3)])
def test_every_member_of_a_batch_has_its_background(background):
    maps = random(3, 2, 5, 6)
    assert add_background(maps, **background)[2].equal(add_background(maps[2], **background))


@pytest.mark.parametrize('background', [{}, dict(alpha=4, score=0.3), dict(score=1.1), dict(score=-0.1), dict(alpha=0)])
def test_add_background_rejects_bad_arguments(background):
    with pytest.raises(ValueError, match='alpha|score'):
        add_background(torch.zeros(1, 3, 4), **background)


@pytest.mark.parametrize('count', [0, *COUNTS])
def test_labels_are_those_of_the_metric_of_masks(count):
    scores = (random(count, 11, 13) * 4).round().numpy() / 4
    class_ids = np.sort(np.random.default_rng(0).choice(255, count, replace=False)).astype(np.uint8)
    expected = class_ids[scores.argmax(0)] if count else np.full((11, 13), 255, np.uint8)
    labels = label_of_scores(torch.from_numpy(scores), class_ids)
    assert labels.dtype == torch.uint8
    np.testing.assert_array_equal(labels.numpy(), expected)


def test_without_maps_all_is_ignored():
    assert label_of_scores(torch.zeros(0, 2, 3), [], ignore_index=7).unique().tolist() == [7]
    assert label_of_scores(torch.zeros(2, 0, 2, 3), torch.zeros(2, 0)).shape == (2, 2, 3)


def test_labels_of_a_batch_have_classes_of_their_own():
    maps = random(3, 4, 5, 6)
    class_ids = torch.tensor([[0, 3, 5, 9], [0, 7, -1, -1], [-1, -1, -1, -1]])
    labels = label_of_scores(maps, class_ids)
    assert labels[0].equal(label_of_scores(maps[0], class_ids[0]))
    assert labels[1].equal(label_of_scores(maps[1, :2], class_ids[1, :2]))
    assert (labels[2] == 255).all()


@pytest.mark.parametrize(
    'maps, class_ids, name',
    [
        (torch.zeros(3, 4), [1, 2, 3], 'maps'),
        (torch.zeros(2, 3, 4), [1], 'class_ids'),
        (torch.zeros(2, 2, 3, 4), [1, 2], 'class_ids'),
        (torch.zeros(2, 3, 4), [1, 255], 'class_ids'),
        (torch.zeros(2, 3, 4), [1, -2], 'class_ids'),
    ],
)
def test_label_of_scores_rejects_bad_arguments(maps, class_ids, name):
    with pytest.raises(ValueError, match=name):
        label_of_scores(maps, class_ids)


def partitioned(scores, margin):
    """As the metric of masks found pixels without a clear winner."""
    second, best = np.partition(scores / scores.sum(0).clip(1e-8), -2, axis=0)[-2:]
    return best - second < margin


@pytest.mark.parametrize('count', [2, 3, 8, 21, 90])
@pytest.mark.parametrize('margin', [0, 0.001, 0.05, 0.2, 0.9])
def test_unsure_pixels_are_those_of_the_metric_of_masks(count, margin):
    scores = random(count, 60, 70).numpy() ** 8
    scores[:, :5] = 0
    scores[:2, 5:10] = 0.5
    scores[2:, 5:10] = 0
    unsure = unsure_pixels(torch.from_numpy(scores), margin)
    np.testing.assert_array_equal(unsure.numpy(), partitioned(scores, margin))


def test_a_margin_of_exactly_the_difference_is_sure():
    scores = torch.tensor([0.6, 0.4]).view(2, 1, 1)
    difference = (scores[0] - scores[1]).item()
    assert not unsure_pixels(scores, difference).item()
    assert unsure_pixels(scores, np.nextafter(np.float32(difference), np.float32(1)).item()).item()


@pytest.mark.parametrize('count', [0, 1])
def test_with_fewer_than_two_maps_no_pixel_is_unsure(count):
    unsure = unsure_pixels(torch.zeros(count, 3, 4), 0.9)
    assert unsure.shape == (3, 4) and unsure.dtype == torch.bool and not unsure.any()


def test_unsure_pixels_of_a_batch_are_those_of_its_members():
    maps = random(2, 3, 5, 6)
    assert unsure_pixels(maps, 0.3)[1].equal(unsure_pixels(maps[1], 0.3))


@pytest.mark.parametrize('margin', [-0.1, 1, float('nan')])
def test_unsure_pixels_rejects_bad_margins(margin):
    with pytest.raises(ValueError, match='margin'):
        unsure_pixels(torch.zeros(2, 3, 4), margin)


def test_recorded_on_one_size_maps_are_resized_to_another():
    def enlarge(maps):
        return resize_maps(maps, (maps.shape[2] * 2, maps.shape[3] + 1))

    recorded_on, other = torch.rand(1, 2, 4, 6), torch.rand(1, 2, 5, 3)
    traced = torch.jit.trace(enlarge, recorded_on, check_trace=False)
    for maps in (recorded_on, other):
        torch.testing.assert_close(traced(maps), enlarge(maps))


@pytest.mark.parametrize('count', [2, 3, 7])
def test_the_margin_is_that_of_the_sorted_shares(count):
    scores = np.random.default_rng(count).random((2, count, 5, 6)).astype(np.float32)
    ranked = np.sort(scores / scores.sum(1, keepdims=True), axis=1)
    found = score_margin(torch.from_numpy(scores))
    np.testing.assert_allclose(found, ranked[:, -1] - ranked[:, -2], atol=1e-6)
    assert torch.equal(unsure_pixels(torch.from_numpy(scores), 0.2), found < 0.2)


@pytest.mark.parametrize('count', [0, 1])
def test_without_a_second_map_a_pixel_is_sure(count):
    assert torch.equal(score_margin(torch.zeros(2, count, 3, 4)), torch.ones(2, 3, 4))


def test_the_weight_grows_with_the_margin_to_one():
    first = torch.tensor([0.5, 0.55, 0.6, 0.75, 0.8, 1.0], dtype=torch.float64)
    weights = weight_of_margin(torch.stack([first, 1 - first])[:, None], full_margin=0.5)
    torch.testing.assert_close(weights[0], torch.tensor([0, 0.2, 0.4, 1, 1, 1], dtype=torch.float64))


@pytest.mark.parametrize('full_margin', [0, 1.1, -0.2, float('nan')])
def test_a_margin_that_is_enough_is_a_share(full_margin):
    with pytest.raises(ValueError, match='full_margin must be in'):
        weight_of_margin(torch.zeros(2, 3, 4), full_margin)


def test_agreement_is_counted_with_the_first():
    first = torch.tensor([[0, 1, 255], [3, 4, 5]], dtype=torch.uint8)
    second, third = first.clone(), first.clone()
    second[0, 1] = third[0, 1] = second[1, 2] = 7
    share = share_of_agreement([first, second, third])
    assert share.dtype == torch.float32
    torch.testing.assert_close(share, torch.tensor([[1, 1 / 3, 1], [1, 1, 2 / 3]]))
    assert torch.equal(share_of_agreement([first]), torch.ones(2, 3))


@pytest.mark.parametrize('labels', [[], [torch.zeros(2, 3), torch.zeros(3, 2)]])
def test_agreement_is_of_label_maps_of_one_shape(labels):
    with pytest.raises(ValueError, match='label maps of one shape'):
        share_of_agreement(labels)


@pytest.mark.parametrize('with_background', [True, False])
def test_two_scores_of_the_background_agree_or_the_pixel_is_ignored(with_background):
    maps, class_ids = random(3, 12, 13), [2, 5, 9]
    found = label_of_two_scores(maps, class_ids, 0.7, 0.4, with_background)
    strong, weak = (label_of_scores(add_background(maps, score=score), [0, *class_ids]) for score in (0.7, 0.4))
    expected = torch.where(strong > 0, strong, torch.where(weak == 0, 0 if with_background else 255, 255))
    assert torch.equal(found, expected.to(torch.uint8))
    assert {2, 5, 9, 255} <= set(found.unique().tolist())


def test_two_scores_on_the_edge_and_without_maps():
    maps = torch.tensor([[[0.7, 0.71, 0.25, 0.26]]])
    assert label_of_two_scores(maps, [3], 0.7, 0.25).tolist() == [[255, 3, 0, 255]]
    assert label_of_two_scores(maps[:0], [], 0.7, 0.25).tolist() == [[0] * 4]
    assert label_of_two_scores(maps[:0], [], 0.7, 0.25, with_background=False).tolist() == [[255] * 4]


@pytest.mark.parametrize('high, low', [(0.2, 0.3), (0.5, -0.1), (float('nan'), 0.1)])
def test_two_scores_out_of_order(high, low):
    with pytest.raises(ValueError, match='low and high must be scores'):
        label_of_two_scores(torch.zeros(1, 2, 3), [1], high, low)


def test_two_scores_of_a_batch_are_refused():
    with pytest.raises(ValueError, match='those of one image'):
        label_of_two_scores(torch.zeros(1, 2, 3, 4), [[1, 2]], 0.7, 0.25)


def test_the_last_class_has_index_254():
    maps = random(2, 3, 4)
    assert set(label_of_scores(maps, [7, 254]).unique().tolist()) <= {7, 254}
    assert (label_of_scores(maps[:1], [254]) == 254).all()
