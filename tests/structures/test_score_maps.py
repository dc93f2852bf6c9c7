"""Score maps on a grid of cells, brought to the pixels of their images."""

import pickle

import numpy as np
import pytest
import torch

from mmwsss.structures import ScoreMaps, Seeds


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
    return bilinear(padded[:, : covered[0], : covered[1]], size)


def maps_of(scores, size, class_ids=None, **settings):
    maps = torch.as_tensor(np.asarray(scores, np.float32))[None]
    ids = torch.arange(len(scores)) if class_ids is None else torch.tensor(class_ids)
    return ScoreMaps(maps, ids[None], size, True, **settings)


@pytest.mark.parametrize(
    'covered, size', [((40, 48), (40, 48)), ((33, 41), (33, 41)), ((34, 47), (51, 71)), ((35, 42), (17, 20))]
)
def test_maps_of_a_padded_grid_lie_on_the_image(covered, size):
    scores = np.random.default_rng(0).random((3, 5, 6)).astype(np.float16)
    maps = maps_of(scores, size, covered_size=covered, stride=8)
    np.testing.assert_allclose(maps.at_image_size[0], slow_scores(scores, size, covered, 8), atol=1e-5)


def test_maps_without_padding_cover_the_image():
    scores = np.random.default_rng(0).random((2, 5, 6))
    np.testing.assert_allclose(maps_of(scores, (13, 17)).at_image_size[0], bilinear(scores, (13, 17)), atol=1e-5)
    assert maps_of(scores[:0], (13, 17)).at_image_size.shape == (1, 0, 13, 17)


def test_border_between_two_classes_is_where_the_network_saw_it():
    """The input is 0.7 times the image and padded from 37 to 40 columns; the classes meet in its middle."""
    columns = (np.arange(5) * 8 + 4 - 18.5) / 40
    scores = np.stack([0.5 - columns, 0.5 + columns])[:, None].repeat(4, 1)
    resized = maps_of(scores, (43, 53), covered_size=(30, 37), stride=8).at_image_size[0].numpy()
    border = (resized.argmax(0) == 1).argmax(1)
    assert np.abs(border - 26.5).max() <= 1


@pytest.mark.parametrize('count', [0, 1, 3])
def test_seeds_are_a_batch_of_one(count):
    cams = np.random.default_rng(0).random((count, 4, 5)).astype(np.float16)
    seeds = Seeds(np.arange(2, 2 + count, dtype=np.uint8), cams, (np.int32(9), np.int32(11)))
    maps = ScoreMaps.of_seeds(seeds, with_background=False)
    assert maps.maps.dtype == torch.float32 and maps.maps.shape == (1, count, 4, 5)
    np.testing.assert_array_equal(maps.maps[0], cams)
    assert maps.class_ids.tolist() == [seeds.class_ids.tolist()]
    assert maps.image_size == (9, 11) and not maps.with_background and not maps.has_background


def test_one_image_comes_without_the_padding_of_its_batch():
    maps = ScoreMaps(torch.rand(2, 3, 4, 5), torch.tensor([[1, 2, -1], [-1, -1, -1]]), (8, 10), True)
    scores, class_ids = maps.of_image(0)
    assert class_ids.tolist() == [1, 2]
    torch.testing.assert_close(scores, maps.at_image_size[0, :2])
    assert maps.of_image(1)[0].shape == (0, 8, 10)


def test_background_in_front_is_class_0_of_every_image():
    maps = ScoreMaps(torch.rand(2, 2, 4, 5), torch.tensor([[1, 3], [2, -1]]), (8, 10), True)
    front = maps.with_front(torch.rand(2, 3, 4, 5))
    assert front.class_ids.tolist() == [[0, 1, 3], [0, 2, -1]]
    assert front.has_background and not maps.has_background


def test_maps_at_the_size_of_the_image_are_on_no_grid():
    maps = maps_of(np.ones((2, 5, 6)), (30, 37), covered_size=(30, 37), stride=8)
    other = torch.rand(1, 2, 30, 37)
    assert maps.at_size(other).at_image_size is other


@pytest.mark.parametrize('count', [0, 2])
def test_other_processes_get_the_same(count):
    maps = maps_of(np.random.default_rng(0).random((count, 5, 6)), (30, 37), covered_size=(30, 37), stride=8)
    # What is computed on the way does not travel.
    assert maps.at_image_size.shape == (1, count, 30, 37) and len(pickle.dumps(maps)) < 1500
    copy = pickle.loads(pickle.dumps(maps))
    assert torch.equal(copy.maps, maps.maps) and torch.equal(copy.class_ids, maps.class_ids)
    assert torch.equal(copy.at_image_size, maps.at_image_size)
    assert (copy.image_size, copy.with_background, copy.has_background) == ((30, 37), True, False)
