from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmwsss.ops import label_of_peaks, surest_pixels, weight_of_votes

RECORDED = Path(__file__).parents[1] / 'data' / 'confidence_reference.npz'


@pytest.fixture(scope='module')
def recorded():
    """Inputs and outputs of the original code of three methods."""
    with np.load(RECORDED, allow_pickle=False) as arrays:
        return {name.removeprefix('noise/'): torch.from_numpy(np.asarray(arrays[name])) for name in arrays.files}


def random(*size, seed=0):
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed))


def test_the_surest_half_is_that_of_the_original_code(recorded):
    assert torch.equal(surest_pixels(recorded['beco_scores']), recorded['beco_sure_from_scores'].bool())


@pytest.mark.parametrize('share', [0, 0.3, 0.5, 1])
def test_each_class_has_its_share_of_sure_pixels(share):
    maps = random(4, 9, 11) * torch.tensor([1, 0.9, 0.8, 0.7]).view(4, 1, 1)
    sure, best = surest_pixels(maps, share), maps.argmax(0)
    ranked = (maps / maps.sum(0)).sort(0).values
    margin = ranked[-1] - ranked[-2]
    for index in best.unique():
        mine = best == index
        assert (sure & mine).sum() == int(share * mine.sum())
        if 0 < share < 1:
            assert margin[sure & mine].min() >= margin[~sure & mine].max()


def test_of_equal_pixels_the_first_are_sure():
    assert surest_pixels(torch.tensor([0.8, 0.2]).view(2, 1, 1).expand(2, 2, 2)).tolist() == [[True, True], [False] * 2]
    assert not surest_pixels(torch.zeros(0, 2, 3)).any()


@pytest.mark.parametrize('share', [-0.1, 1.1, float('nan')])
def test_a_share_out_of_range(share):
    with pytest.raises(ValueError, match='share must be in'):
        surest_pixels(torch.zeros(2, 3, 4), share)


def test_weights_of_votes_are_those_of_the_original_code(recorded):
    found = weight_of_votes(recorded['urn_scaled_agreement'])
    # Truncated to a byte there.
    assert torch.equal((found * 255).to(torch.uint8), recorded['urn_weight_map_uint8'])


def test_the_loss_with_these_weights_is_that_of_the_original_code(recorded):
    weights = recorded['urn_weight_map_uint8'] / 255
    weights = torch.where(weights <= 0.05, 0.05, 1.0)
    losses = F.cross_entropy(recorded['logits'], recorded['label_map'].long(), reduction='none', ignore_index=255)
    torch.testing.assert_close((losses * weights).mean(), recorded['urn_weighted_loss'], rtol=1e-6, atol=0)


def test_where_all_agree_weights_are_full():
    assert torch.equal(weight_of_votes(torch.ones(2, 6, 3, 4)), torch.ones(3, 4, dtype=torch.float64))
    assert torch.equal(weight_of_votes(torch.zeros(0, 6, 3, 4)), torch.ones(3, 4, dtype=torch.float64))


@pytest.mark.parametrize('votes', [torch.zeros(2, 3, 4), torch.zeros(2, 0, 3, 4), None])
def test_votes_of_another_shape(votes):
    with pytest.raises(ValueError, match=r'votes must be a tensor \(K, N, H, W\)'):
        weight_of_votes(votes)


def test_labels_of_peaks_are_those_of_the_original_code(recorded):
    for maps, pseudo in zip(recorded['onestage_masks'], recorded['onestage_pseudo'], strict=True):
        expected = torch.where(pseudo.sum(0) == 1, pseudo.to(torch.uint8).argmax(0), 255).to(torch.uint8)
        assert torch.equal(label_of_peaks(maps, range(len(maps))), expected)
        assert (expected != 255).any() and (expected == 255).any()


@pytest.mark.parametrize('class_ids', [[0, 3, 7], [2, 3, 7]])
def test_a_pixel_near_the_peak_of_one_class_has_this_class(class_ids):
    maps = random(3, 8, 9) * torch.tensor([1, 0.25, 0.6]).view(3, 1, 1)
    found = label_of_peaks(maps, class_ids, least=0.2, share=0.6, background_share=0.9)
    for row, column in np.ndindex(8, 9):
        near = []
        for index, one in zip(class_ids, maps, strict=True):
            share = 0.9 if index == 0 else 0.6
            if one[row, column] > max(0.2, share * one.max()):
                near.append(index)
        assert found[row, column] == (near[0] if len(near) == 1 else 255)
    assert set(class_ids) | {255} == set(found.unique().tolist())


def test_without_maps_there_are_no_peaks():
    assert label_of_peaks(torch.zeros(0, 2, 3), []).tolist() == [[255] * 3] * 2


@pytest.mark.parametrize('class_ids', [[1], [1, 255], [-1, 2]])
def test_classes_of_peaks_name_each_map(class_ids):
    with pytest.raises(ValueError, match='class_ids must name each map'):
        label_of_peaks(torch.zeros(2, 3, 4), class_ids)


@pytest.mark.parametrize('function', [surest_pixels, lambda maps: label_of_peaks(maps, [0])])
@pytest.mark.parametrize('maps', [torch.zeros(1, 1, 3, 4), torch.zeros(1, 3, 4, dtype=torch.int64)])
def test_maps_of_another_kind(function, maps):
    with pytest.raises(ValueError, match=r'maps must be a floating-point tensor \(K, H, W\)'):
        function(maps)


def test_the_last_class_of_peaks_has_index_254():
    assert label_of_peaks(torch.tensor([[[0.9, 0.1]], [[0.1, 0.8]]]), [0, 254]).tolist() == [[0, 254]]


def test_where_not_all_pixels_differ_the_largest_variance_weighs_nothing():
    votes = torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0]]).T[None, :, None]
    # Variances of four votes of which none, three and two are against: 0, 3/16 and 1/4.
    torch.testing.assert_close(weight_of_votes(votes)[0], torch.tensor([1, 1 / 4, 0]).double(), atol=1e-4, rtol=0)


def test_a_single_vote_has_no_doubt():
    assert weight_of_votes(torch.tensor([[[[1, 0]]]])).tolist() == [[1, 1]]
