"""IRNet's instance masks: recorded results of the released code, slow versions and known answers."""

from collections import deque

import numpy as np
import pytest
import torch

from mmwsss.ops import (
    best_channel,
    connected_parts,
    crop_to_covered,
    displacement_centroids,
    displacement_clusters,
    edge_to_affinity,
    instances,
    random_walk,
    split_by_cluster,
)

NUM_ITERS, CENTER_LENGTH, BETA, LOG_STEPS, RADIUS, BACKGROUND, SHARE = range(7)


def random(*shape, seed=0, scale=3.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64) * scale


@pytest.fixture
def recorded(recorded_irnet):
    return recorded_irnet('irn_inst')


@pytest.fixture
def clusters(recorded):
    return displacement_clusters(torch.tensor(recorded['displacement'])[None])[0]


@pytest.fixture
def scaled(recorded):
    maps = crop_to_covered(torch.tensor(recorded['walked']), recorded['size_hw'].tolist(), 4)
    return best_channel(maps, recorded['constants'][BACKGROUND].item())


def test_constants_are_the_recorded_ones(recorded):
    constants = recorded['constants']
    assert (instances.NUM_SHIFTS, instances.CENTER_LENGTH) == tuple(constants[[NUM_ITERS, CENTER_LENGTH]])
    assert (instances.BACKGROUND_SCORE, instances.SMALLEST_SHARE) == tuple(constants[[BACKGROUND, SHARE]])


def test_centroids_and_clusters_equal_the_recorded_ones(recorded, clusters):
    displacement = torch.tensor(recorded['displacement'])[None]
    np.testing.assert_array_equal(displacement_centroids(displacement)[0], recorded['centroids'])
    np.testing.assert_array_equal(clusters, recorded['cluster_map'])


def test_walked_maps_equal_the_recorded_ones(recorded, clusters):
    edge, cams = (torch.tensor(recorded[name]).double() for name in ('edge', 'cams'))
    parts = split_by_cluster(cams * (1 - edge), clusters)
    constants = recorded['constants']
    field = edge_to_affinity(edge[None], int(constants[RADIUS]))
    walked = random_walk(parts[None], field, constants[BETA].item(), 2 ** int(constants[LOG_STEPS]))
    expected = recorded['walked']
    np.testing.assert_allclose(walked[0], expected, atol=1e-6 * expected.max(), rtol=0)


def test_best_channels_equal_the_recorded_ones(recorded, scaled):
    np.testing.assert_array_equal(scaled[1], recorded['label_map_channels'])


def test_parts_equal_the_recorded_ones(recorded, clusters, scaled):
    masks, numbers, scores = connected_parts(*scaled, recorded['constants'][SHARE].item())
    classes = recorded['keys0'][numbers.numpy() // (int(clusters.max()) + 1)]
    np.testing.assert_array_equal(masks, recorded['det_mask'].astype(bool))
    np.testing.assert_array_equal(classes, recorded['det_class'])
    np.testing.assert_allclose(scores, recorded['det_score'], atol=1e-6, rtol=0)


def slow_centroid(displacement, y, x, num_iters):
    """One position after the other, with plain numbers."""
    _, height, width = displacement.shape
    for _ in range(num_iters):
        top, left = int(np.floor(y)), int(np.floor(x))
        bottom, right = int(np.ceil(y)), int(np.ceil(x))
        down, aside = y - top, x - left
        dy, dx = (
            one[top, left] * (1 - down) * (1 - aside)
            + one[top, right] * (1 - down) * aside
            + one[bottom, left] * down * (1 - aside)
            + one[bottom, right] * down * aside
            for one in displacement
        )
        y, x = min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)
    return round(y), round(x)


@pytest.mark.parametrize('size', [(6, 7), (1, 4), (3, 1), (1, 1)])
@pytest.mark.parametrize('num_iters', [0, 1, 2, 7])
def test_centroids_equal_their_slow_version(size, num_iters):
    displacement = random(2, 2, *size, scale=1.3)
    centroids = displacement_centroids(displacement, num_iters)
    assert centroids.dtype == torch.int64
    for image in range(2):
        for y, x in np.ndindex(*size):
            expected = slow_centroid(displacement[image].numpy(), y, x, num_iters)
            assert tuple(centroids[image, :, y, x].tolist()) == expected


def test_halves_are_rounded_to_the_even_cell():
    displacement = torch.zeros(1, 2, 1, 6)
    displacement[0, 1] = torch.tensor([0.5, 0.5, 0.5, -0.5, 0.5, -0.5])
    assert displacement_centroids(displacement, 1)[0, 1].tolist() == [[0, 2, 2, 2, 4, 4]]


def test_cells_walk_on_where_they_have_got_to_and_stay_on_the_grid():
    displacement = torch.zeros(1, 2, 1, 5)
    displacement[0, 1] = torch.tensor([1.0, 1.0, 1.0, 0.0, 9.0])
    assert displacement_centroids(displacement, 300)[0, 1].tolist() == [[3, 3, 3, 3, 4]]
    assert displacement_centroids(displacement, 2)[0, 1].tolist() == [[2, 3, 3, 3, 4]]
    assert displacement_centroids(-displacement.flip(3), 300)[0, 1].tolist() == [[0, 1, 1, 1, 1]]


def test_half_precision_is_as_single():
    displacement = random(1, 2, 6, 7, scale=1.0).half()
    assert torch.equal(displacement_centroids(displacement), displacement_centroids(displacement.float()))
    assert torch.equal(displacement_clusters(displacement), displacement_clusters(displacement.float()))


def slow_areas(short):
    """Numbers of 4-connected areas in raster order, by flooding."""
    numbers, count = np.zeros(short.shape, int), 0
    for start in zip(*np.nonzero(short), strict=True):
        if numbers[start]:
            continue
        count += 1
        numbers[start] = count
        waiting = deque([start])
        while waiting:
            y, x = waiting.popleft()
            for cell in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                inside = 0 <= cell[0] < short.shape[0] and 0 <= cell[1] < short.shape[1]
                if inside and short[cell] and not numbers[cell]:
                    numbers[cell] = count
                    waiting.append(cell)
    return numbers


@pytest.mark.parametrize('size', [(9, 12), (1, 8), (1, 1)])
def test_clusters_equal_their_slow_version(size):
    displacement = random(3, 2, *size, scale=2.0)
    clusters = displacement_clusters(displacement)
    centroids = displacement_centroids(displacement)
    for image in range(3):
        short = np.hypot(*displacement[image].numpy()) < 2.5
        areas = slow_areas(short)[tuple(centroids[image].numpy())]
        found = sorted(set(areas.flatten().tolist()))
        expected = [[found.index(area) for area in row] for row in areas.tolist()]
        assert clusters[image].tolist() == expected
    assert clusters.dtype == torch.int64


def test_the_length_of_a_center_is_strict_and_counts_both_directions():
    displacement = torch.zeros(1, 2, 1, 3)
    displacement[0, :, 0, 1] = torch.tensor([1.5, 2.0])
    stays = torch.stack(torch.meshgrid(torch.arange(1), torch.arange(3), indexing='ij'))[None]
    assert displacement_clusters(displacement, stays, 2.5).tolist() == [[[1, 0, 2]]]
    assert displacement_clusters(displacement, stays, 2.51).tolist() == [[[0, 0, 0]]]


def test_areas_that_touch_in_a_corner_are_two():
    displacement = torch.full((1, 2, 2, 2), 9.0)
    displacement[0, :, 0, 0] = displacement[0, :, 1, 1] = 0
    stays = torch.stack(torch.meshgrid(torch.arange(2), torch.arange(2), indexing='ij'))[None]
    assert displacement_clusters(displacement, stays).tolist() == [[[1, 0], [0, 2]]]


def test_maps_are_split_class_by_class():
    maps, clusters = random(2, 4, 5), torch.randint(3, (4, 5), generator=torch.Generator().manual_seed(0))
    parts = split_by_cluster(maps, clusters)
    assert parts.shape == (6, 4, 5)
    for index, cluster in np.ndindex(2, 3):
        assert torch.equal(parts[3 * index + cluster], torch.where(clusters == cluster, maps[index], 0))
    assert split_by_cluster(maps[:0], clusters).shape == (0, 4, 5)


def test_the_background_wins_a_tie_and_the_first_of_equal_maps_does():
    maps = torch.tensor([[[1.0, 0.25, 0.0, 4.0]], [[1.5, 1.0, 0.0, 4.0]]])
    scaled, best = best_channel(maps, 0.25)
    assert torch.equal(scaled, maps / 4) and best.tolist() == [[2, 0, 0, 1]]
    assert best_channel(maps, None)[1].tolist() == [[2, 2, 0, 1]]
    assert best_channel(maps, 1.0)[1].tolist() == [[0, 0, 0, 0]]
    assert best_channel(maps, 0.0)[1].tolist() == [[2, 2, 0, 1]]


def test_the_default_background_has_a_quarter():
    assert best_channel(torch.tensor([[[0.26, 0.24, 1.0]]]))[1].tolist() == [[1, 0, 1]]


@pytest.mark.parametrize('maps', [torch.zeros(0, 3, 4), torch.zeros(2, 3, 4)])
def test_without_any_score_there_is_no_object(maps):
    scaled, best = best_channel(maps)
    assert not best.any() and torch.equal(scaled, maps)
    masks, numbers, scores = connected_parts(scaled, best)
    assert masks.shape == (0, 3, 4) and masks.dtype == torch.bool
    assert numbers.shape == scores.shape == (0,) and numbers.dtype == torch.int64


def test_parts_equal_their_slow_version():
    generator = torch.Generator().manual_seed(3)
    channels, maps = torch.randint(4, (9, 12), generator=generator), torch.rand(3, 9, 12, generator=generator)
    masks, numbers, scores = connected_parts(maps, channels, 0.0)
    found = list(zip(masks.numpy(), numbers.tolist(), scores.tolist(), strict=True))
    for number in range(3):
        areas = slow_areas((channels == number + 1).numpy())
        for area in range(1, areas.max() + 1):
            mask, channel, score = found.pop(0)
            np.testing.assert_array_equal(mask, areas == area)
            assert channel == number and score == maps[number].numpy()[mask].max()
    assert not found


def test_small_parts_have_no_score_and_are_listed():
    channels = torch.zeros(10, 20, dtype=torch.int64)
    channels[0, :2], channels[5, 5], channels[9] = 1, 1, 2
    maps = torch.full((2, 10, 20), 0.5)
    masks, numbers, scores = connected_parts(maps, channels)
    assert numbers.tolist() == [0, 0, 1] and masks.sum((1, 2)).tolist() == [2, 1, 20]
    assert scores.tolist() == [0.5, 0, 0.5]
    assert connected_parts(maps, channels, 0.011)[2].tolist() == [0, 0, 0.5]


PLANE = torch.zeros(3, 4, dtype=torch.int64)


@pytest.mark.parametrize(
    'call, argument',
    [
        (lambda: displacement_centroids(torch.zeros(2, 3, 4)), 'displacement'),
        (lambda: displacement_centroids(torch.zeros(1, 3, 3, 4)), 'displacement'),
        (lambda: displacement_centroids(torch.zeros(1, 2, 3, 4), -1), 'num_iters'),
        (lambda: displacement_clusters(torch.zeros(1, 1, 3, 4)), 'displacement'),
        (lambda: displacement_clusters(torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 5).long()), 'centroids'),
        (lambda: displacement_clusters(torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 3).long()), 'centroids'),
        (lambda: displacement_clusters(torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 4)), 'centroids'),
        (lambda: split_by_cluster(torch.zeros(3, 4), PLANE), 'maps'),
        (lambda: split_by_cluster(torch.zeros(2, 3, 4).long(), PLANE), 'maps'),
        (lambda: split_by_cluster(torch.zeros(2, 3, 5), PLANE), 'clusters'),
        (lambda: split_by_cluster(torch.zeros(2, 3, 4), PLANE.float()), 'clusters'),
        (lambda: split_by_cluster(torch.zeros(1, 2, 3, 4), PLANE), 'maps'),
        (lambda: best_channel(torch.zeros(3, 4)), 'maps'),
        (lambda: best_channel(torch.zeros(1, 2, 3, 4)), 'maps'),
        (lambda: connected_parts(torch.zeros(1, 2, 3, 4), PLANE), 'maps'),
        (lambda: best_channel(torch.zeros(2, 3, 4).long()), 'maps'),
        (lambda: best_channel(torch.zeros(2, 3, 4), 1.1), 'background_score'),
        (lambda: best_channel(torch.zeros(2, 3, 4), -0.1), 'background_score'),
        (lambda: connected_parts(torch.zeros(3, 4), PLANE), 'maps'),
        (lambda: connected_parts(torch.zeros(2, 3, 4).long(), PLANE), 'maps'),
        (lambda: connected_parts(torch.zeros(2, 3, 5), PLANE), 'channels'),
        (lambda: connected_parts(torch.zeros(2, 3, 4), PLANE.float()), 'channels'),
        (lambda: connected_parts(torch.zeros(2, 3, 4), PLANE, 1.1), 'smallest_share'),
        (lambda: connected_parts(torch.zeros(2, 3, 4), PLANE, -0.1), 'smallest_share'),
    ],
)
def test_bad_arguments_are_refused(call, argument):
    with pytest.raises(ValueError, match=argument):
        call()
