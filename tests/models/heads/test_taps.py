import pytest

from mmwsss.models.backbones.outputs import BackboneOutput
from mmwsss.models.heads.taps import complete_affinity_head, complete_head


def outputs(*strides):
    return [BackboneOutput(channels=10 * index, stride=stride) for index, stride in enumerate(strides, 1)]


@pytest.mark.parametrize(
    'head, channels', [(dict(), 30), (dict(in_index=0), 10), (dict(in_index=-2, in_channels=None), 20)]
)
def test_channels_of_one_tap(head, channels):
    head = dict(head, type='Head')
    assert complete_head(head, outputs(4, 8, 16)) == {**head, 'in_channels': channels}


@pytest.mark.parametrize(
    'strides, indices',
    [
        ((4, 8, 16, 32), (1, 2, 3)),
        ((2, 4, 8, 8, 8, 8), (3, 4, 5)),
        ((16, 8, 4, 2, 1), (0, 1)),
        ((16,), (0,)),
        ((1, 2, 4, 4), (1, 2, 3)),
    ],
)
def test_taps_are_the_last_three_not_finer_than_the_grid(strides, indices):
    head = complete_affinity_head(dict(type='Head'), outputs(*strides), stride=8)
    assert head == dict(type='Head', in_index=indices, in_channels=tuple(10 * (index + 1) for index in indices))


def test_taps_that_are_given_are_kept():
    head = complete_affinity_head(dict(type='Head', in_index=[0, -1]), outputs(4, 8, 16), stride=8)
    assert head['in_index'] == (0, -1) and head['in_channels'] == (10, 30)


@pytest.mark.parametrize('complete', [complete_head, lambda *args: complete_affinity_head(*args, 8)])
def test_no_such_output(complete):
    index = 3 if complete is complete_head else (0, 3)
    with pytest.raises(ValueError, match='in_index of Head: the backbone has 3 outputs, 3 is none of them'):
        complete(dict(type='Head', in_index=index), outputs(4, 8, 16))
