import pytest
import torch
from mmengine.model import BaseModule

import mmwsss.registry  # noqa: F401
from mmwsss.fileio import DataError


class Network(BaseModule):
    """Two layers and a BatchNorm, whose counter of batches other projects do not have."""

    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.conv = torch.nn.Conv2d(3, 4, 1)
        self.norm = torch.nn.BatchNorm2d(4)


@pytest.fixture
def start_from(tmp_path):
    """``start_from(content, **init_cfg)``: the network after its initialization from a file that holds that."""

    def start(content, **init_cfg):
        path = tmp_path / 'weights.pth'
        torch.save(content, path)
        network = Network(dict(type='Pretrained', checkpoint=str(path), **init_cfg))
        network.init_weights()
        return network

    return start


def weights(prefix=''):
    torch.manual_seed(1)
    return {f'{prefix}{name}': torch.rand_like(value.float()) for name, value in Network().state_dict().items()}


SPELLINGS = {
    'as asked for': (weights('backbone.'), 'backbone.'),
    'without the dot': (weights('backbone.'), 'backbone'),
    'no prefix asked for': (weights(), None),
    'without the prefix': (weights(), 'backbone.'),
    'of a whole checkpoint': (weights('backbone.'), None),
    'of a parallel wrapper': (weights('module.backbone.'), 'backbone.'),
    'under model': (dict(model=weights()), 'backbone.'),
    'under model, with another prefix': (dict(model=weights('encoder.')), None),
}


@pytest.mark.parametrize('content, prefix', SPELLINGS.values(), ids=SPELLINGS)
def test_known_spellings_are_read(start_from, content, prefix):
    network = start_from(content, prefix=prefix)
    for name, value in weights().items():
        if not name.endswith('num_batches_tracked'):
            assert torch.equal(network.state_dict()[name], value), name


def test_a_part_under_the_prefix_is_enough(start_from):
    network = start_from({'backbone.conv.weight': torch.full((4, 3, 1, 1), 7.0), **weights()}, prefix='backbone.')
    assert (network.conv.weight == 7).all() and (network.norm.weight == 1).all()


def test_weights_of_another_network_are_named_with_the_converter(start_from):
    message = (
        r'weights\.pth: expected weights of Network, such as backbone\.conv\.weight, found features\.0\.weight, '
        r'features\.1\.weight; tools/model_converters/published2mmwsss\.py converts weights of other projects'
    )
    with pytest.raises(DataError, match=message):
        start_from({f'features.{index}.weight': torch.ones(3) for index in range(2)}, prefix='backbone.')


def test_weights_of_other_shapes_are_named(start_from):
    other = {name: torch.ones(9) for name in weights()}
    with pytest.raises(DataError, match=r'conv\.weight has the shape \(9,\) instead of \(4, 3, 1, 1\)'):
        start_from(other)


def test_a_stray_name_does_not_pass_for_another_spelling(start_from):
    with pytest.raises(DataError, match='expected weights of Network'):
        start_from({'norm.bias': torch.ones(4), 'other': torch.ones(1)}, prefix='backbone.')


def test_a_part_of_another_network_is_refused_even_where_some_weights_fit(start_from):
    content = weights('neck.')
    content['neck.conv.weight'] = torch.zeros(4, 5, 1, 1)
    with pytest.raises(DataError, match=r'neck\.conv\.weight has the shape \(4, 5, 1, 1\) instead of \(4, 3, 1, 1\)'):
        start_from(content, prefix='neck.')
