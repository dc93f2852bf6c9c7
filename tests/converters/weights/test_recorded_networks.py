"""Weights of the published networks, converted, give the outputs that these networks gave."""

import pytest
import torch
from mmseg.registry import MODELS

from mmwsss.converters.weights import convert_tensors

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture(scope='module')
def run(networks):
    """``run(network)``: its taps of the recorded image and our head for it; one backbone is kept for both heads."""
    kept = {}

    def make(network):
        conversion = convert_tensors(networks.weights(network), network)
        backbone_key = str(conversion.model['backbone'])
        if backbone_key not in kept:
            kept.clear()
            backbone = MODELS.build(dict(conversion.model['backbone'])).eval()
            backbone.load_state_dict(part(conversion.state_dict, 'backbone.'))
            with torch.no_grad():
                kept[backbone_key] = backbone(networks.image)
        head = MODELS.build({**conversion.model['head'], **BORDER.get(network[-3:], {})}).eval()
        head.load_state_dict(part(conversion.state_dict, 'head.'))
        assert {name.split('.')[0] for name in conversion.state_dict} == {'backbone', 'head'}
        return kept[backbone_key], head

    return make


BORDER = dict(aff=dict(border='reference'))


def part(state_dict, prefix):
    return {name.removeprefix(prefix): tensor for name, tensor in state_dict.items() if name.startswith(prefix)}


@pytest.mark.parametrize(
    'network, names', [('resnet38', ('conv4', 'conv5', 'conv6')), ('vgg16', ('conv4', 'conv5', 'conv5fc'))]
)
@torch.no_grad()
def test_classifier(networks, run, network, names):
    taps, head = run(f'{network}_cls')
    for name, tap in zip(names, taps, strict=True):
        networks.check(f'{network}/{name}', tap)
    expected = torch.from_numpy(networks.arrays[f'{network}_cls/logits'])
    torch.testing.assert_close(head(taps), expected, rtol=0, atol=1e-4)
    networks.check(f'{network}_cls/cam', head.cams(taps))


@pytest.mark.parametrize('network', ['resnet38_aff', 'vgg16_aff'])
@torch.no_grad()
def test_pair_affinities(networks, run, network):
    taps, head = run(network)
    field = head.affinity(taps, (13, 15))
    # Sources of the released code: not the last four rows, nor four columns on either side.
    networks.check(f'{network}/pairs', field[:, :, :9, 4:11].flatten(2))
    assert field[:, :, 9:].count_nonzero() == 0
