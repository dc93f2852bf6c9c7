"""Weights of every project, by their own names, go where they belong in our networks."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from torch import nn

from mmwsss.converters.weights import convert_checkpoint, convert_tensors
from mmwsss.engine import load_from_local
from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')

MXNET_LEAVES = dict(weight='gamma', bias='beta', running_mean='moving_mean', running_var='moving_var')
# Expansion, channels and depth of MobileNetV2's stages; expansion channels, channels, squeezed channels of MobileNetV3.
V2_STAGES = [(1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1)]
V3_SMALL = [
    [(16, 16, 8)],
    [(72, 24, 0), (88, 24, 0)],
    [(96, 40, 24), (240, 40, 64), (240, 40, 64)],
    [(120, 48, 32), (144, 48, 40)],
    [(288, 96, 72), (576, 96, 144), (576, 96, 144)],
]
V3_LARGE = [
    [(16, 16, 0)],
    [(64, 24, 0), (72, 24, 0)],
    [(72, 40, 24), (120, 40, 32), (120, 40, 32)],
    [(240, 80, 0), (200, 80, 0), (184, 80, 0), (184, 80, 0)],
    [(480, 112, 120), (672, 112, 168)],
    [(672, 160, 168), (960, 160, 240), (960, 160, 240)],
]
V3_KERNELS = {
    'small': [3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5],
    'large': [3, 3, 3, 5, 5, 5, 3, 3, 3, 3, 3, 3, 5, 5, 5],
}


class Weights(dict):
    """Random tensors, added in the order of the network."""

    def conv(self, name, out, source, size=1, bias=False):
        self[f'{name}.weight'] = torch.rand(out, source, size, size)
        if bias:
            self[f'{name}.bias'] = torch.rand(out)

    def norm(self, name, channels):
        for leaf in ('weight', 'bias', 'running_mean', 'running_var'):
            self[f'{name}.{leaf}'] = torch.rand(channels)
        self[f'{name}.num_batches_tracked'] = torch.randint(9, ())

    def conv_norm(self, conv, norm, out, source, size=1):
        self.conv(conv, out, source, size)
        self.norm(norm, out)

    def linear(self, name, out, source):
        self[f'{name}.weight'], self[f'{name}.bias'] = torch.rand(out, source), torch.rand(out)


def resnet(depth=18, base=4, deep_stem=False, pooled=False, classifier=True):
    """torchvision's ResNet; with a deep stem and pooled shortcuts, timm's ResNet-D."""
    weights, bottleneck = Weights(), depth >= 50
    depths = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}[depth]
    if deep_stem:
        weights.conv_norm('conv1.0', 'conv1.1', base // 2, 3, 3)
        weights.conv_norm('conv1.3', 'conv1.4', base // 2, base // 2, 3)
        weights.conv_norm('conv1.6', 'bn1', base, base // 2, 3)
    else:
        weights.conv_norm('conv1', 'bn1', base, 3, 7)
    source = base
    for stage, blocks in enumerate(depths):
        mid = base << stage
        out = mid * 4 if bottleneck else mid
        for block in range(blocks):
            name = f'layer{stage + 1}.{block}'
            sizes = (
                ((mid, source, 1), (mid, mid, 3), (out, mid, 1)) if bottleneck else ((mid, source, 3), (mid, mid, 3))
            )
            for number, size in enumerate(sizes, 1):
                weights.conv_norm(f'{name}.conv{number}', f'{name}.bn{number}', *size)
            if block == 0 and (source != out or stage):
                weights.conv_norm(f'{name}.downsample.{int(pooled)}', f'{name}.downsample.{1 + pooled}', out, source)
            source = out
    if classifier:
        weights.linear('fc', 10, source)
    return weights


def irn_cam():
    """The layers of a ResNet-50, registered three times, and the classifier, twice."""
    layers = resnet(50, classifier=False)
    weights = {f'resnet50.{name}': tensor for name, tensor in layers.items()}
    stages = {}
    for name, tensor in layers.items():
        part, leaf = name.split('.', 1)
        stage = dict(conv1='1.0', bn1='1.1', layer1='1.4').get(part) or f'{part[-1]}.0'
        stages[f'{stage}.{leaf}'] = tensor
    weights |= {f'stage{name}': tensor for name, tensor in stages.items()}
    weights['classifier.weight'] = weights['newly_added.0.weight'] = torch.rand(20, 128, 1, 1)
    return weights | {f'backbone.{int(name[0]) - 1}{name[1:]}': tensor for name, tensor in stages.items()}


def mobilenet_v2_torchvision():
    weights, source, index = Weights(), 32, 0
    weights.conv_norm('features.0.0', 'features.0.1', 32, 3, 3)
    for expansion, out, depth in V2_STAGES:
        for _ in range(depth):
            index, mid, layer = index + 1, source * expansion, 0
            name = f'features.{index}.conv'
            if expansion > 1:
                weights.conv_norm(f'{name}.0.0', f'{name}.0.1', mid, source)
                layer = 1
            weights.conv_norm(f'{name}.{layer}.0', f'{name}.{layer}.1', mid, 1, 3)
            weights.conv_norm(f'{name}.{layer + 1}', f'{name}.{layer + 2}', out, mid)
            source = out
    weights.conv_norm('features.18.0', 'features.18.1', 1280, 320)
    weights.linear('classifier.1', 10, 1280)
    return weights


def timm_block(weights, name, source, mid, out, size=3, squeezed=0):
    expands = mid != source
    if expands:
        weights.conv_norm(f'{name}.conv_pw', f'{name}.bn1', mid, source)
    weights.conv_norm(f'{name}.conv_dw', f'{name}.bn{1 + expands}', mid, 1, size)
    if squeezed:
        weights.conv(f'{name}.se.conv_reduce', squeezed, mid, bias=True)
        weights.conv(f'{name}.se.conv_expand', mid, squeezed, bias=True)
    weights.conv_norm(f'{name}.conv_pw{"l" if expands else ""}', f'{name}.bn{2 + expands}', out, mid)


def mobilenet_v2_timm():
    weights, source = Weights(), 32
    weights.conv_norm('conv_stem', 'bn1', 32, 3, 3)
    for stage, (expansion, out, depth) in enumerate(V2_STAGES):
        for block in range(depth):
            timm_block(weights, f'blocks.{stage}.{block}', source, source * expansion, out)
            source = out
    weights.conv_norm('conv_head', 'bn2', 1280, 320)
    weights.linear('classifier', 10, 1280)
    return weights


def mobilenet_v3_torchvision(arch):
    weights, source = Weights(), 16
    weights.conv_norm('features.0.0', 'features.0.1', 16, 3, 3)
    blocks = sum(V3_SMALL if arch == 'small' else V3_LARGE, [])
    for index, ((mid, out, squeezed), size) in enumerate(zip(blocks, V3_KERNELS[arch], strict=True), 1):
        name, layer = f'features.{index}.block', 0
        if mid != source:
            weights.conv_norm(f'{name}.0.0', f'{name}.0.1', mid, source)
            layer = 1
        weights.conv_norm(f'{name}.{layer}.0', f'{name}.{layer}.1', mid, 1, size)
        if squeezed:
            layer += 1
            weights.conv(f'{name}.{layer}.fc1', squeezed, mid, bias=True)
            weights.conv(f'{name}.{layer}.fc2', mid, squeezed, bias=True)
        weights.conv_norm(f'{name}.{layer + 1}.0', f'{name}.{layer + 1}.1', out, mid)
        source = out
    last = len(blocks) + 1
    weights.conv_norm(f'features.{last}.0', f'features.{last}.1', 6 * source, source)
    weights.linear('classifier.0', 16, 6 * source)
    weights.linear('classifier.3', 10, 16)
    return weights


def mobilenet_v3_timm(arch):
    weights, source, number = Weights(), 16, 0
    weights.conv_norm('conv_stem', 'bn1', 16, 3, 3)
    stages = V3_SMALL if arch == 'small' else V3_LARGE
    for stage, blocks in enumerate(stages):
        for block, (mid, out, squeezed) in enumerate(blocks):
            timm_block(weights, f'blocks.{stage}.{block}', source, mid, out, V3_KERNELS[arch][number], squeezed)
            source, number = out, number + 1
    weights.conv_norm(f'blocks.{len(stages)}.0.conv', f'blocks.{len(stages)}.0.bn1', 6 * source, source)
    weights.conv('conv_head', 32, 6 * source, bias=True)
    weights.linear('classifier', 10, 32)
    return weights


@pytest.fixture
def psa(networks):
    """``psa(network)``: the published network with a sixteenth of the channels, random."""

    def make(network):
        weights = {}
        for name, shape in networks.shapes(network).items():
            sides = [side if side in (1, 3, 20) else max(side // 16, 1) for side in shape]
            weights[name] = torch.rand(sides) if sides else torch.randint(9, ())
        return weights

    return make


def load(conversion):
    """Our network with the converted weights, loaded strictly."""
    model = nn.ModuleDict({part: MODELS.build(dict(config)) for part, config in conversion.model.items()})
    weights = dict(conversion.state_dict)
    if 'head.expand.conv.weight' in weights:
        weights['head.classifier.weight'] = model['head'].classifier.weight
    model.load_state_dict(weights, strict=True)
    return model


def assert_same_order(conversion, weights):
    """Every tensor is at its place: both networks list them from the input to the output."""
    model = load(conversion)
    ours = [tensor for name, tensor in model.state_dict().items() if name in conversion.state_dict]
    theirs = [tensor for name, tensor in weights.items() if name not in conversion.dropped]
    for our, their in zip(ours, theirs, strict=True):
        assert torch.equal(our, their.float() if their.is_floating_point() else their)


@pytest.mark.parametrize(
    'network, description, shapes',
    [
        ('resnet38_cls', 'ResNet-38 of PSA: image-level classifier', [(32, 5, 5), (64, 5, 5), (256, 5, 5)]),
        ('resnet38_aff', 'ResNet-38 of PSA: AffinityNet', [(32, 5, 5), (64, 5, 5), (256, 5, 5)]),
        ('vgg16_cls', 'VGG-16 LargeFOV: image-level classifier', [(32, 5, 5), (32, 5, 5), (64, 5, 5)]),
        ('vgg16_aff', 'VGG-16 LargeFOV: AffinityNet', [(32, 5, 5), (32, 5, 5), (64, 5, 5)]),
    ],
)
def test_psa_file(psa, tmp_path, network, description, shapes):
    weights = psa(network)
    torch.save({f'module.{name}': tensor for name, tensor in weights.items()}, tmp_path / 'psa.pth')
    conversion = convert_checkpoint(tmp_path / 'psa.pth', tmp_path / 'new' / 'ours.pth')
    assert conversion.description == description and not conversion.dropped
    written = load_from_local(str(tmp_path / 'new' / 'ours.pth'))
    assert written['meta'] == dict(source=description, model=conversion.model)
    model = load(conversion)
    model.load_state_dict(written['state_dict'], strict=True)
    assert sorted(tensor.sum().item() for tensor in written['state_dict'].values()) == sorted(
        tensor.sum().item() for tensor in weights.values()
    )
    taps = model['backbone'].eval()(torch.rand(1, 3, 33, 40))
    assert [tuple(tap.shape[1:]) for tap in taps] == shapes
    if network.endswith('aff'):
        assert model['head'].affinity(taps, (5, 5)).shape == (1, 34, 5, 5)
    else:
        assert model['head'].localize(taps)[0].shape == (1, 20, 5, 5)


@pytest.mark.parametrize('prefixes', [('arg:', 'aux:'), ('', '')])
@pytest.mark.parametrize('version', ['legacy', 'v2'])
def test_mxnet_resnet38(psa, writers, tmp_path, prefixes, version):
    backbone = {name: tensor for name, tensor in psa('resnet38_cls').items() if name != 'fc8.weight'}
    arrays = {}
    for name, tensor in backbone.items():
        match = re.fullmatch(r'(?:b(\d)(?:_(\d))?\.(conv|bn)_(\w+)|conv1a|bn7)\.(\w+)', name)
        stage, block, kind, branch, leaf = match.groups()
        if leaf == 'num_batches_tracked':
            continue
        if stage is None:
            base = name.split('.')[0]
        else:
            base = f'{"res" if kind == "conv" else "bn"}{stage}{f"b{block}" if block else "a"}_{branch}'
        norm = name.startswith('bn7') or kind == 'bn'
        prefix = prefixes['running' in leaf]
        arrays[f'{prefix}{base}_{MXNET_LEAVES[leaf] if norm else leaf}'] = tensor.numpy()
    arrays[f'{prefixes[0]}linear1000_weight'] = np.ones((5, 256), np.float32)
    arrays[f'{prefixes[0]}linear1000_bias'] = np.ones(5, np.float32)
    (tmp_path / 'a1.params').write_bytes(writers.mxnet(arrays, version))
    conversion = convert_checkpoint(tmp_path / 'a1.params', tmp_path / 'ours.pth')
    assert conversion.description == 'ResNet-38 of MXNet (ademxapp): backbone'
    assert conversion.dropped == (f'{prefixes[0]}linear1000_weight', f'{prefixes[0]}linear1000_bias')
    load(conversion)
    published = convert_tensors(backbone, 'psa').state_dict
    for name, tensor in conversion.state_dict.items():
        assert name.endswith('num_batches_tracked') or torch.equal(tensor, published[name]), name


@pytest.mark.parametrize('kind', ['packed', 'legacy'])
def test_caffe_vgg16(psa, writers, tmp_path, kind):
    backbone = {name: tensor for name, tensor in psa('vgg16_cls').items() if name != 'fc8.weight'}
    layers = {}
    for name, tensor in backbone.items():
        layers.setdefault(name.split('.')[0], []).append(tensor.numpy())
    layers['fc8_voc12'] = [np.ones((21, 64, 1, 1), np.float32), np.ones(21, np.float32)]
    (tmp_path / 'vgg16_20M.caffemodel').write_bytes(writers.caffe(layers, kind))
    conversion = convert_checkpoint(tmp_path / 'vgg16_20M.caffemodel', tmp_path / 'ours.pth')
    assert conversion.description == 'VGG-16 LargeFOV: backbone'
    assert conversion.dropped == ('fc8_voc12.weight', 'fc8_voc12.bias')
    assert_same_order(conversion, backbone)
    torch.save(backbone, tmp_path / 'vgg16_20M.pth')
    again = convert_checkpoint(tmp_path / 'vgg16_20M.pth', tmp_path / 'ours.pth')
    assert all(torch.equal(tensor, conversion.state_dict[name]) for name, tensor in again.state_dict.items())


OTHERS = {
    'ResNet-18 of torchvision or timm: backbone': lambda: resnet(18),
    'ResNet-34 of torchvision or timm: backbone': lambda: resnet(34),
    'ResNet-50 of torchvision or timm: backbone': lambda: resnet(50),
    'ResNetV1c-50 of torchvision or timm: backbone': lambda: resnet(50, deep_stem=True),
    'ResNetV1d-50 of torchvision or timm: backbone': lambda: resnet(50, deep_stem=True, pooled=True),
    'ResNetV1d-18 of torchvision or timm: backbone': lambda: resnet(18, deep_stem=True, pooled=True),
    'MobileNetV2 of torchvision: backbone and the layer behind it': mobilenet_v2_torchvision,
    'MobileNetV2 of timm: backbone and the layer behind it': mobilenet_v2_timm,
    'MobileNetV3-small of torchvision: backbone': lambda: mobilenet_v3_torchvision('small'),
    'MobileNetV3-large of torchvision: backbone': lambda: mobilenet_v3_torchvision('large'),
    'MobileNetV3-small of timm: backbone': lambda: mobilenet_v3_timm('small'),
    'MobileNetV3-large of timm: backbone': lambda: mobilenet_v3_timm('large'),
}


@pytest.mark.parametrize('description', OTHERS)
def test_torchvision_and_timm(description):
    weights = OTHERS[description]()
    conversion = convert_tensors(weights, 'file')
    assert conversion.description == description
    assert all(name.startswith(('fc.', 'classifier', 'conv_head')) for name in conversion.dropped)
    assert_same_order(conversion, weights)


def test_irn():
    weights = irn_cam()
    conversion = convert_tensors(weights, 'res50_cam.pth')
    assert conversion.description == 'ResNet-50 of IRN: image-level classifier' and not conversion.dropped
    model = load(conversion)
    for name, tensor in model['backbone'].state_dict().items():
        assert torch.equal(tensor, weights[f'resnet50.{name}'])
    assert torch.equal(model['head'].classifier.weight, weights['classifier.weight'])
    # A stride of 16: the last stage keeps the size.
    model.train(False)
    assert model['backbone'](torch.rand(1, 3, 64, 64))[-1].shape[2:] == (4, 4)


def test_irn_names_of_one_tensor_agree():
    weights = irn_cam()
    weights['stage1.4.0.conv1.weight'] = weights['stage1.4.0.conv1.weight'] + 1
    with pytest.raises(DataError, match=r'stage1\.4\.0\.conv1\.weight.*backbone\.layer1\.0\.conv1\.weight.*differ'):
        convert_tensors(weights, 'res50_cam.pth')


def test_half_precision_becomes_single():
    weights = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in resnet().items()}
    assert_same_order(convert_tensors(weights, 'file'), weights)


def test_wrong_keys_are_listed(psa):
    weights = psa('resnet38_cls')
    del weights['b4_2.conv_branch2a.weight'], weights['bn7.bias']
    weights['extra.weight'] = weights['b8.conv_branch2a.weight'] = torch.ones(1)
    weights['b5.conv_branch1.weight'] = torch.ones(1, 2)
    with pytest.raises(DataError) as error:
        convert_tensors(weights, 'psa.pth')
    assert str(error.value) == (
        'psa.pth: recognized as ResNet-38 of PSA: image-level classifier, but it has unknown keys extra.weight, '
        'b8.conv_branch2a.weight and lacks what makes backbone.stage4.2.conv1.weight, backbone.norm.bias and has '
        'b5.conv_branch1.weight (1, 2) instead of (64, 32, 1, 1)'
    )


@pytest.mark.parametrize(
    'name', ['blocks.0.0.conv_pwl.weight', 'blocks.9.0.conv_pw.weight', 'blocks.1.0.se.conv_reduce.bias']
)
def test_layers_that_a_network_has_not(name):
    with pytest.raises(DataError, match=f'MobileNetV2 of timm.*unknown keys.*{re.escape(name)}'):
        convert_tensors({**mobilenet_v2_timm(), name: torch.ones(1)}, 'file')


def test_unknown_networks_are_refused():
    with pytest.raises(DataError, match=r'^file: expected weights of PSA.*found the keys a\.bias, a\.weight$'):
        convert_tensors({'a.weight': torch.ones(2), 'a.bias': torch.ones(2)}, 'file')


def test_tool(psa, tmp_path, monkeypatch, capsys):
    src, dst = tmp_path / 'src.pth', tmp_path / 'dst.pth'
    torch.save(psa('vgg16_cls'), src)
    tool = Path(__file__).parents[3] / 'tools' / 'model_converters' / 'published2mmwsss.py'
    monkeypatch.setattr('sys.argv', ['published2mmwsss.py', str(src), str(dst)])
    runpy.run_path(tool, run_name='__main__')
    said = capsys.readouterr().out
    assert f'{src}: VGG-16 LargeFOV: image-level classifier' in said and f'{dst}: 31 tensors' in said
    dst.unlink()
    src.write_bytes(src.read_bytes()[:5000])
    with pytest.raises(SystemExit, match='^error: .*src.pth: expected a whole checkpoint'):
        runpy.run_path(tool, run_name='__main__')
    assert not dst.exists()
