"""Which network a file of weights is of, and how our modules name its parts.

A source has the description that users read, the configs of our backbone and head, and rules: pairs of a pattern that
the whole of a foreign name must match, and what it is called here: a template of ``re``, a function of the match, or
None where the weights have no place here. The first rule that matches holds.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mmseg.models.backbones import MobileNetV2, ResNet
from torch import Tensor

Rule = tuple[str, str | Callable[[re.Match], str] | None]

_LABELS = 'image-level classifier'
_AFFINITY = 'AffinityNet'
_RESNET38_PARTS = {
    'conv_branch1': 'shortcut',
    'bn_branch2a': 'norm1',
    'conv_branch2a': 'conv1',
    'bn_branch2b1': 'norm2',
    'conv_branch2b1': 'conv2',
    'bn_branch2b2': 'norm3',
    'conv_branch2b2': 'conv3',
}
_MXNET_LEAVES = dict(gamma='weight', beta='bias', mean='running_mean', var='running_var')
_HEAD_RULES: tuple[Rule, ...] = (
    (r'fc8\.weight', 'head.classifier.weight'),
    (r'f8_([345])\.weight', lambda match: f'head.projections.{int(match[1]) - 3}.0.weight'),
    (r'gn8_([345])\.(weight|bias)', lambda match: f'head.projections.{int(match[1]) - 3}.1.{match[2]}'),
    (r'f9\.weight', 'head.mix.weight'),
)


@dataclass(frozen=True)
class Source:
    """A network that weights were recognized as.

    Attributes:
        description (str): What it is, in words.
        backbone (dict): Config of our backbone for it.
        rules (tuple): Pairs of a pattern and a name, see above.
        head (dict, optional): Config of our head. Defaults to None: the weights have none.
        optional (frozenset[str]): Names of ours that the weights need not have.
        parts (dict[str, dict]): Configs of other parts of our model, by their names. Defaults to none.
        cut (dict[str, slice]): Of a foreign tensor, what is taken of its first axis. Defaults to all of every tensor.
    """

    description: str
    backbone: dict
    rules: tuple[Rule, ...]
    head: dict | None = None
    optional: frozenset[str] = field(default_factory=frozenset)
    parts: Mapping[str, dict] = field(default_factory=dict)
    cut: Mapping[str, slice] = field(default_factory=dict)

    def rename(self, name: str) -> tuple[bool, str | None]:
        """Whether a rule knows the name, and its name here, None where it has no place."""
        for pattern, target in self.rules:
            match = re.fullmatch(pattern, name)
            if match is None:
                continue
            if target is None or isinstance(target, str):
                return True, target and match.expand(target)
            try:
                return True, target(match)
            except LookupError:  # A block or a layer that this network has not.
                return False, None
        return False, None


def _psa_head(tensors: Mapping[str, Tensor], taps: tuple[int, int, int], options: dict) -> tuple[str, dict | None]:
    """What follows AffinityNet's backbones: classifier, affinity or nothing."""
    if 'fc8.weight' in tensors and 'fc8.bias' not in tensors:
        labels = tensors['fc8.weight'].shape[0]
        return _LABELS, dict(type='mmwsss.CAMHead', in_channels=taps[-1], num_classes=labels, **options)
    names = [f'f8_{number}.weight' for number in (3, 4, 5)]
    if not all(name in tensors for name in names):
        return 'backbone', None
    channels = tuple(tensors[name].shape[0] for name in names)
    head = dict(type='mmwsss.AffinityHead', in_channels=taps, channels=channels)
    if 'gn8_3.weight' in tensors:
        head['norm_cfg'] = [dict(type='GN', num_groups=max(count // 8, 1)) for count in channels]
    return _AFFINITY, head


def _resnet38_part(stage: str, block: str | None, part: str, leaf: str) -> str:
    index = '' if stage in '67' else f'.{block or 0}'
    return f'backbone.stage{stage}{index}.{_RESNET38_PARTS[part]}.{leaf}'


_PART = '|'.join(_RESNET38_PARTS)
_PSA_RESNET38_RULES: tuple[Rule, ...] = (
    (r'conv1a\.weight', 'backbone.stage1.0.weight'),
    (rf'b([2-7])(?:_(\d))?\.({_PART})\.(\w+)', lambda match: _resnet38_part(*match.groups())),
    (r'bn7\.(\w+)', r'backbone.norm.\1'),
    *_HEAD_RULES,
)
_MXNET_RESNET38_RULES: tuple[Rule, ...] = (
    (r'(?:arg:)?linear1000_\w+', None),
    (r'(?:arg:)?conv1a_weight', 'backbone.stage1.0.weight'),
    (
        r'(?:arg:)?res([2-7])(?:a|b(\d))_(branch\w+)_weight',
        lambda match: _resnet38_part(match[1], match[2], f'conv_{match[3]}', 'weight'),
    ),
    (
        r'(?:(?:arg|aux):)?bn([2-7])(?:a|b(\d))_(branch2(?:a|b1|b2))_(?:moving_|running_)?(gamma|beta|mean|var)',
        lambda match: _resnet38_part(match[1], match[2], f'bn_{match[3]}', _MXNET_LEAVES[match[4]]),
    ),
    (
        r'(?:(?:arg|aux):)?bn7_(?:moving_|running_)?(gamma|beta|mean|var)',
        lambda match: f'backbone.norm.{_MXNET_LEAVES[match[1]]}',
    ),
)


_SEAM_RULES: tuple[Rule, ...] = (
    (r'f8_([34])\.weight', lambda match: f'correlation.projections.{int(match[1]) - 3}.weight'),
    (r'f9\.weight', 'correlation.mix.weight'),
    *_PSA_RESNET38_RULES,
)


def _seam(tensors: Mapping[str, Tensor]) -> Source | None:
    names = ('f8_3.weight', 'f8_4.weight', 'f9.weight')
    if not {'conv1a.weight', 'bn7.weight', 'fc8.weight', *names} <= set(tensors) or 'f8_5.weight' in tensors:
        return None
    base = tensors['conv1a.weight'].shape[0]
    channels = tuple(tensors[name].shape[0] for name in names[:2])
    correlation = dict(
        type='mmwsss.PixelCorrelation', in_channels=(8 * base, 16 * base), in_index=(0, 1), channels=channels
    )
    # The first output is one of the background, which no loss reaches.
    head = dict(type='mmwsss.CAMHead', in_channels=64 * base, num_classes=tensors['fc8.weight'].shape[0] - 1)
    return Source(
        'ResNet-38 of SEAM: image-level classifier and pixel correlation',
        _resnet38(base),
        _SEAM_RULES,
        head,
        parts=dict(correlation=correlation),
        cut={'fc8.weight': slice(1, None)},
    )


def _psa_resnet38(tensors: Mapping[str, Tensor]) -> Source | None:
    if not {'conv1a.weight', 'bn7.weight'} <= set(tensors):
        return None
    base = tensors['conv1a.weight'].shape[0]
    kind, head = _psa_head(tensors, (8 * base, 16 * base, 64 * base), {})
    return Source(f'ResNet-38 of PSA: {kind}', _resnet38(base), _PSA_RESNET38_RULES, head)


def _resnet38(base_channels: int) -> dict:
    return dict(type='mmwsss.ResNet38d', base_channels=base_channels)


def _mxnet_resnet38(tensors: Mapping[str, Tensor]) -> Source | None:
    stem = tensors.get('arg:conv1a_weight', tensors.get('conv1a_weight'))
    if stem is None:
        return None
    return Source('ResNet-38 of MXNet (ademxapp): backbone', _resnet38(stem.shape[0]), _MXNET_RESNET38_RULES)


def _vgg16(tensors: Mapping[str, Tensor]) -> Source | None:
    if not {'conv1_1.weight', 'fc6.weight'} <= set(tensors):
        return None
    base = tensors['conv1_1.weight'].shape[0]
    kind, head = _psa_head(tensors, (8 * base, 8 * base, 16 * base), dict(pool='after', cam_activation='sqrt'))
    backbone = dict(type='mmwsss.VGG16LargeFOV', fc6_dilation=4 if kind == _AFFINITY else 1, base_channels=base)
    rules = (
        (
            r'conv([1-5])_([1-3])\.(weight|bias)',
            lambda match: f'backbone.stage{match[1]}.{int(match[2]) - 1}.{match[3]}',
        ),
        (r'(fc[67])\.(weight|bias)', r'backbone.\1.\2'),
        # The classifier of ImageNet, or of the images that a segmentor was trained on.
        *(((r'fc8\w*\.(?:weight|bias)', None),) if head is None else ()),
        *_HEAD_RULES,
    )
    return Source(f'VGG-16 LargeFOV: {kind}', backbone, rules, head)


def _count(names: Iterable[str], pattern: str) -> int:
    return len({match[1] for name in names if (match := re.match(pattern, name))})


def _resnet_config(tensors: Mapping[str, Tensor], prefix: str = '') -> dict | None:
    """Config of mmseg's ResNet that has these blocks, None where it has none such."""
    blocks = tuple(_count(tensors, rf'{re.escape(prefix)}layer{stage}\.(\d+)\.') for stage in range(1, 5))
    bottleneck = f'{prefix}layer1.0.conv3.weight' in tensors
    deep_stem = f'{prefix}conv1.0.weight' in tensors
    stem, first = tensors.get(f'{prefix}conv1.{"6." if deep_stem else ""}weight'), f'{prefix}layer1.0.conv1.weight'
    if stem is None or first not in tensors:
        return None
    for depth, (block, depths) in ResNet.arch_settings.items():
        if depths == blocks and (block.__name__ == 'Bottleneck') == bottleneck:
            pooled = tensors.get(f'{prefix}layer2.0.downsample.0.weight') is None
            kind = ('ResNetV1d' if pooled else 'ResNetV1c') if deep_stem else 'ResNet'
            widths = dict(stem_channels=stem.shape[0], base_channels=tensors[first].shape[0])
            return dict(type=kind, depth=depth, **{key: value for key, value in widths.items() if value != 64})
    return None


def _resnet(tensors: Mapping[str, Tensor]) -> Source | None:
    backbone = _resnet_config(tensors)
    if backbone is None:
        return None
    rules = (
        (r'fc\.(?:weight|bias)', None),
        *(
            ((r'conv1\.(\d)\.(\w+)', r'backbone.stem.\1.\2'), (r'bn1\.(\w+)', r'backbone.stem.7.\1'))
            if backbone['type'] != 'ResNet'
            else ()
        ),
        (r'((?:conv1|bn1|layer[1-4])\..*)', r'backbone.\1'),
    )
    return Source(f'{backbone["type"]}-{backbone["depth"]} of torchvision or timm: backbone', backbone, rules)


def _irn(tensors: Mapping[str, Tensor]) -> Source | None:
    backbone = _resnet_config(tensors, 'resnet50.')
    if backbone is None or 'classifier.weight' not in tensors:
        return None
    labels, channels = tensors['classifier.weight'].shape[:2]
    # IRN registers its layers up to three times.
    stages = r'(?:stage([1-4])|backbone\.([0-3]))'
    stem = ('conv1', 'bn1')
    rules = (
        (r'resnet50\.fc\.(?:weight|bias)', None),
        (r'resnet50\.((?:conv1|bn1|layer[1-4])\..*)', r'backbone.\1'),
        (r'(?:classifier|newly_added\.0)\.weight', 'head.classifier.weight'),
        (r'(?:stage1|backbone\.0)\.([01])\.(\w+)', lambda match: f'backbone.{stem[int(match[1])]}.{match[2]}'),
        (r'(?:stage1|backbone\.0)\.4\.(.*)', r'backbone.layer1.\1'),
        (rf'{stages}\.0\.(.*)', lambda match: f'backbone.layer{match[1] or int(match[2]) + 1}.{match[3]}'),
    )
    head = dict(type='mmwsss.CAMHead', in_channels=channels, num_classes=labels, dropout_ratio=0.0)
    backbone = dict(backbone, strides=(1, 2, 2, 1), dilations=(1, 1, 1, 1))
    return Source(f'ResNet-{backbone["depth"]} of IRN: {_LABELS}', backbone, rules, head)


_IRNET_RULES: tuple[Rule, ...] = (
    (r'resnet50\.fc\.(?:weight|bias)', None),
    (r'resnet50\.(.*)', r'backbone.\1'),
    (r'fc_edge([1-5])\.(.*)', lambda match: f'head.boundary_taps.{int(match[1]) - 1}.{match[2]}'),
    (r'fc_edge6\.(.*)', r'head.boundary.\1'),
    (r'fc_dp([1-5])\.(.*)', lambda match: f'head.displacement_taps.{int(match[1]) - 1}.{match[2]}'),
    (r'fc_dp6\.(.*)', r'head.displacement_coarse.\1'),
    (r'fc_dp7\.([01])\.(.*)', r'head.displacement.0.\1.\2'),
    (r'fc_dp7\.3\.(.*)', r'head.displacement.2.\1'),
    (r'mean_shift\.running_mean', 'head.displacement_mean'),
    # Other names of the same tensors.
    (r'(?:stage[1-5]|backbone|edge_layers|dp_layers|fc_dp7\.4)\..*', None),
)


def _irnet(tensors: Mapping[str, Tensor]) -> Source | None:
    backbone = _resnet_config(tensors, 'resnet50.')
    taps = [f'fc_edge{number}.0.weight' for number in range(1, 6)]
    if backbone is None or not {*taps, 'fc_edge6.weight'} <= set(tensors):
        return None
    head = dict(type='mmwsss.IRNetHead', in_channels=tuple(tensors[name].shape[1] for name in taps))
    backbone = dict(backbone, strides=(1, 2, 2, 1), dilations=(1, 1, 1, 1))
    return Source(f'ResNet-{backbone["depth"]} of IRN: boundaries and displacements', backbone, _IRNET_RULES, head)


# Parts of an inverted residual block in torchvision's or timm's names, as (block, part, 'conv' or 'bn', leaf).
_BlockPart = tuple[int, str, str, str]
_INVERTED = ('expand', 'depthwise', 'linear')
_TIMM_BLOCK = dict(
    conv_pw=('expand', 'conv'),
    bn1=('expand', 'bn'),
    conv_dw=('depthwise', 'conv'),
    bn2=('depthwise', 'bn'),
    conv_pwl=('linear', 'conv'),
    bn3=('linear', 'bn'),
)
_TIMM_FIRST_BLOCK = dict(
    conv_dw=('depthwise', 'conv'),
    bn1=('depthwise', 'bn'),
    conv_pw=('linear', 'conv'),
    bn2=('linear', 'bn'),
)


def _timm_blocks(names: Iterable[str]) -> Callable[[re.Match], _BlockPart]:
    """Reads ``blocks.STAGE.BLOCK.LAYER.LEAF``; blocks are counted from 1, through all stages."""
    numbers = {
        tuple(map(int, match.groups())) for name in names if (match := re.match(r'blocks\.(\d+)\.(\d+)\.', name))
    }
    order = {number: index for index, number in enumerate(sorted(numbers), 1)}

    def read(match: re.Match) -> _BlockPart:
        stage, block, layer, leaf = match.groups()
        number = order[int(stage), int(block)]
        if layer.startswith('se.'):
            return number, 'se1' if layer == 'se.conv_reduce' else 'se2', 'conv', leaf
        return number, *(_TIMM_FIRST_BLOCK if number == 1 else _TIMM_BLOCK)[layer], leaf

    return read


def _torchvision_blocks(names: Iterable[str], folder: str) -> Callable[[re.Match], _BlockPart]:
    """Reads ``features.BLOCK.FOLDER.LAYER[.PART].LEAF``.

    The layers are those that a block has of: expansion, depthwise, squeeze and excitation, linear. MobileNetV2 has the
    linear convolution and its norm as two layers.
    """
    layers: dict[int, set[int]] = {}
    excited = set()
    for name in names:
        if match := re.match(rf'features\.(\d+)\.{folder}\.(\d+)\.(fc1)?', name):
            layers.setdefault(int(match[1]), set()).add(int(match[2]))
            if match[3]:
                excited.add(int(match[1]))

    def read(match: re.Match) -> _BlockPart:
        block, layer, part, leaf = int(match[1]), int(match[2]), match[3], match[4]
        last = max(layers[block])
        split = folder == 'conv'
        if part in ('fc1', 'fc2'):
            return block, f'se{part[-1]}', 'conv', leaf
        if layer >= last - split:
            return block, 'linear', 'bn' if (layer == last if split else part == '1') else 'conv', leaf
        expands = last - split - (block in excited) == 2
        return block, _INVERTED[layer + (not expands)], 'bn' if part == '1' else 'conv', leaf

    return read


_TIMM_BLOCK_NAME = r'blocks\.(\d+)\.(\d+)\.(conv_pw|conv_dw|conv_pwl|bn[123]|se\.conv_reduce|se\.conv_expand)\.(\w+)'


def _mobilenet_v2(tensors: Mapping[str, Tensor]) -> Source | None:
    timm = {'blocks.0.0.conv_dw.weight', 'blocks.6.0.conv_pwl.weight'} <= set(tensors)
    if not timm and not {'features.1.conv.0.0.weight', 'features.18.0.weight'} <= set(tensors):
        return None
    # Stage and index of each block, in the order of the network.
    depths = [depth for _, _, depth, *_ in MobileNetV2.arch_settings]
    places = [(stage, index) for stage, depth in enumerate(depths, 1) for index in range(depth)]
    read = _timm_blocks(tensors) if timm else _torchvision_blocks(tensors, 'conv')

    def rename(match: re.Match) -> str:
        block, part, kind, leaf = read(match)
        stage, index = places[block - 1] if block <= len(places) else (0, 0)
        layer = _INVERTED.index(part) - (stage == 1) if part in _INVERTED else part
        return f'backbone.layer{stage}.{index}.conv.{layer}.{kind}.{leaf}'

    rules: tuple[Rule, ...]
    if timm:
        rules = (
            (r'conv_stem\.weight', 'backbone.conv1.conv.weight'),
            (r'bn1\.(\w+)', r'backbone.conv1.bn.\1'),
            (_TIMM_BLOCK_NAME, rename),
            (r'conv_head\.weight', 'head.expand.conv.weight'),
            (r'bn2\.(\w+)', r'head.expand.bn.\1'),
            (r'classifier\.(?:weight|bias)', None),
        )
    else:
        rules = (
            *_conv_bn_rules('features.0', 'backbone.conv1'),
            *_conv_bn_rules('features.18', 'head.expand'),
            (r'features\.(\d+)\.conv\.(\d)\.(?:([01])\.)?(\w+)', rename),
            (r'classifier\.1\.(?:weight|bias)', None),
        )
    expand = dict(type='ConvModule', out_channels=1280, kernel_size=1, norm_cfg=dict(type='BN'))
    head = dict(type='mmwsss.CAMHead', in_channels=320, num_classes=1, expand={**expand, 'act_cfg': dict(type='ReLU6')})
    return Source(
        f'MobileNetV2 of {"timm" if timm else "torchvision"}: backbone and the layer behind it',
        dict(type='MobileNetV2'),
        rules,
        head,
        optional=frozenset(['head.classifier.weight']),
    )


def _conv_bn_rules(source: str, target: str) -> tuple[Rule, Rule]:
    source = re.escape(source)
    return (rf'{source}\.0\.weight', f'{target}.conv.weight'), (rf'{source}\.1\.(\w+)', rf'{target}.bn.\1')


def _mobilenet_v3(tensors: Mapping[str, Tensor]) -> Source | None:
    timm = {'blocks.0.0.conv_dw.weight', 'conv_head.bias'} <= set(tensors)
    if not timm and 'features.1.block.0.0.weight' not in tensors:
        return None
    excited = 'blocks.0.0.se.conv_reduce.weight' if timm else 'features.1.block.1.fc1.weight'
    arch, last = ('small', 12) if excited in tensors else ('large', 16)
    read = _timm_blocks(tensors) if timm else _torchvision_blocks(tensors, 'block')

    def rename(match: re.Match) -> str:
        block, part, kind, leaf = read(match)
        layer = f'se.conv{part[-1]}' if part.startswith('se') else f'{part}_conv'
        return f'backbone.layer{block}.{layer}.{kind}.{leaf}'

    rules: tuple[Rule, ...]
    if timm:
        rules = (
            (r'conv_stem\.weight', 'backbone.layer0.conv.weight'),
            (r'bn1\.(\w+)', r'backbone.layer0.bn.\1'),
            (r'blocks\.\d+\.0\.conv\.weight', f'backbone.layer{last}.conv.weight'),
            (rf'blocks\.{6 if arch == "large" else 5}\.0\.bn1\.(\w+)', rf'backbone.layer{last}.bn.\1'),
            (_TIMM_BLOCK_NAME, rename),
            (r'(?:conv_head|classifier)\.(?:weight|bias)', None),
        )
    else:
        rules = (
            *_conv_bn_rules('features.0', 'backbone.layer0'),
            *_conv_bn_rules(f'features.{last}', f'backbone.layer{last}'),
            (r'features\.(\d+)\.block\.(\d)\.(?:(fc[12]|[01])\.)(\w+)', rename),
            (r'classifier\.[03]\.(?:weight|bias)', None),
        )
    backbone: dict[str, Any] = dict(type='MobileNetV3', arch=arch)
    if not timm:
        backbone['norm_cfg'] = dict(type='BN', eps=0.001)
    return Source(f'MobileNetV3-{arch} of {"timm" if timm else "torchvision"}: backbone', backbone, rules)


_SOURCES = (_seam, _psa_resnet38, _mxnet_resnet38, _vgg16, _irn, _irnet, _resnet, _mobilenet_v2, _mobilenet_v3)
NETWORKS = "PSA's, SEAM's, ademxapp's, IRN's networks, VGG-16 LargeFOV, ResNets and MobileNets of torchvision and timm"


def recognize(tensors: Mapping[str, Tensor]) -> Source | None:
    """The network that tensors are of, going by their names and sizes; None where it is none of :data:`NETWORKS`."""
    return next((source for recognizer in _SOURCES if (source := recognizer(tensors))), None)
