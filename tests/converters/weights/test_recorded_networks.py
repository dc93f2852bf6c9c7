"""Weights of the published networks, converted, give the outputs that these networks gave."""

import numpy as np
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
    networks.check(f'{network}_cls/cam', head.localize(taps)[0])


@pytest.mark.parametrize('network', ['resnet38_aff', 'vgg16_aff'])
@torch.no_grad()
def test_pair_affinities(networks, run, network):
    taps, head = run(network)
    field = head.affinity(taps, (13, 15))
    # Sources of the released code: not the last four rows, nor four columns on either side.
    networks.check(f'{network}/pairs', field[:, :, :9, 4:11].flatten(2))
    assert field[:, :, 9:].count_nonzero() == 0


@torch.no_grad()
def test_seam(recorded_network):
    recorded = recorded_network('seam_net', 'seam_reference.npz')
    conversion = convert_tensors(recorded.weights('seam_net'), 'seam')
    assert conversion.description == 'ResNet-38 of SEAM: image-level classifier and pixel correlation'
    model = MODELS.build(dict(type='mmwsss.SEAM', **conversion.model)).eval()
    model.load_state_dict(conversion.state_dict, strict=True)
    image = recorded.image
    raw, spread, feats = model._view(image)
    # The raw map of the background, which ours has not, is the first of the recorded channels.
    shape = recorded.arrays['seam_net/cam/shape']
    for name, measured in (('cam', raw), ('cam_rv', spread)):
        whole = torch.zeros(tuple(shape))
        whole[:, -measured.shape[1] :] = measured
        expected = recorded.arrays[f'seam_net/{name}/sample']
        stride = max(1, whole.numel() // 4096)
        kept = np.arange(whole.numel())[::stride] % np.prod(shape[1:]) >= np.prod(shape[2:]) * (
            shape[1] - measured.shape[1]
        )
        sampled = whole.flatten()[::stride].numpy()
        np.testing.assert_allclose(sampled[kept], expected[kept], atol=1e-4 * np.abs(expected).max(), rtol=0)


@torch.no_grad()
def test_irnet(recorded_network):
    recorded = recorded_network('irn_net', 'irnet_reference.npz')
    weights = recorded.weights('irn_net')
    conversion = convert_tensors(weights, 'res50_irn.pth')
    assert conversion.description == 'ResNet-50 of IRN: boundaries and displacements' and not conversion.dropped
    model = MODELS.build(dict(type='mmwsss.IRNet', stem='maxpool', instances=True, **conversion.model)).eval()
    model.load_state_dict(conversion.state_dict, strict=True)
    affinity = model.affinity(recorded.image)
    expected = recorded.arrays['irn_net/displacement_eval']
    np.testing.assert_allclose(affinity.displacement, expected, atol=1e-4 * np.abs(expected).max(), rtol=0)
    model.flip = False
    expected = 1 / (1 + np.exp(-recorded.arrays['irn_net/edge_logit']))
    np.testing.assert_allclose(model.affinity(recorded.image).edge, expected, atol=1e-4, rtol=0)
    aliases = {
        'stage1.0.weight': 0,
        'backbone.4.0.x': 0,
        'edge_layers.0.1.bias': 0,
        'dp_layers.6.x': 0,
        'fc_dp7.4.running_mean': 0,
    }
    again = convert_tensors(weights | {name: torch.zeros(1) for name in aliases}, 'res50_irn.pth')
    assert again.dropped == tuple(aliases) and again.state_dict.keys() == conversion.state_dict.keys()
