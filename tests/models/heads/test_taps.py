import pytest
import torch

from mmwsss.models.heads.taps import take_tap


def test_a_tap_is_one_output():
    feats = [torch.zeros(1, channels, 2, 2) for channels in (3, 5, 7)]
    assert take_tap(feats, 1, 5, 'Head') is feats[1] and take_tap(feats, -1, 7, 'Head') is feats[2]


@pytest.mark.parametrize(
    'index, channels, message',
    [
        (3, 7, 'in_index of Head: the backbone has 3 outputs, 3 is none of them'),
        (-4, 3, 'in_index of Head: the backbone has 3 outputs, -4 is none of them'),
        (1, 6, 'in_channels of Head: output 1 of the backbone has 5 channels, not 6'),
    ],
)
def test_wrong_taps_are_named(index, channels, message):
    feats = [torch.zeros(1, count, 2, 2) for count in (3, 5, 7)]
    with pytest.raises(ValueError, match=message):
        take_tap(feats, index, channels, 'Head')
