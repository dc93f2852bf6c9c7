import numpy as np
import pytest
import torch

from mmwsss.ops.checks import check_float_map, check_integer, describe, is_recorded


def test_tensors_are_described_by_dtype_and_shape_and_all_else_by_its_type():
    assert describe(torch.zeros(2, 3, dtype=torch.uint8)) == 'torch.uint8 (2, 3)'
    assert describe(np.zeros(2)) == 'ndarray'


@pytest.mark.parametrize('value', [torch.zeros(1, 2, 3, 4), torch.zeros(0, 2, 3, 4, dtype=torch.float16)])
def test_floating_point_tensors_of_four_axes_pass(value):
    check_float_map('scores', value, 'K')


@pytest.mark.parametrize(
    'value', [torch.zeros(2, 3, 4), torch.zeros(1, 2, 3, 4, dtype=torch.long), np.zeros((1, 2, 3, 4))]
)
def test_other_maps_are_refused_by_name(value):
    with pytest.raises(ValueError, match=r'scores must be a floating-point tensor \(B, K, H, W\), got '):
        check_float_map('scores', value, 'K')


@pytest.mark.parametrize('value', [3, np.int8(3), np.uint64(3), torch.tensor(3), np.array(3)])
def test_integers_of_every_type_become_plain_ones(value):
    number = check_integer('stride', value, least=3)
    assert number == 3 and type(number) is int


@pytest.mark.parametrize(
    'value', [2, -5, 3.0, np.float64(3), True, np.bool_(True), torch.tensor(True), torch.tensor(3.0), '3', None]
)
def test_all_else_is_no_integer(value):
    with pytest.raises(ValueError, match='stride must be an integer of at least 3, got '):
        check_integer('stride', value, least=3)


@pytest.mark.parametrize('value', [True, np.bool_(True), torch.tensor(True)])
def test_true_is_no_one(value):
    with pytest.raises(ValueError, match='stride'):
        check_integer('stride', value, least=0)


def test_what_torch_traces_is_recorded():
    seen = []

    def function(value):
        seen.append(is_recorded())
        return value + 1

    assert not is_recorded()
    torch.jit.trace(function, torch.zeros(2), check_trace=False)
    assert seen == [True]
