"""Classifier and AffinityNet on backbones of mmseg and of the packages beside it: nothing but their type is said."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from mmcv.cnn.utils import fuse_conv_bn
from mmengine.structures import LabelData, PixelData
from mmseg.registry import MODELS, OPTIM_WRAPPERS
from mmseg.structures import SegDataSample

pytestmark = pytest.mark.usefixtures('mmseg_scope')

HRNET = {
    f'stage{number}': dict(
        num_modules=1,
        num_branches=number,
        block='BOTTLENECK' if number == 1 else 'BASIC',
        num_blocks=(1,) * number,
        num_channels=(4, 8, 16, 32)[:number],
    )
    for number in range(1, 5)
}
RESNET = dict(base_channels=4, stem_channels=4, norm_eval=True)
# Name: backbone, channels and stride of the map that is classified, channels of AffinityNet's taps.
BACKBONES = {
    'ResNet-50': (dict(type='ResNet', depth=50, **RESNET), (128, 32), (32, 64, 128)),
    'ResNet-50 at stride 8': (
        dict(type='ResNetV1c', depth=50, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), **RESNET),
        (128, 8),
        (32, 64, 128),
    ),
    'ResNet-101': (dict(type='ResNet', depth=101, out_indices=(3,), **RESNET), (128, 32), (128,)),
    'MobileNetV2': (dict(type='MobileNetV2', widen_factor=0.25), (80, 32), (8, 24, 80)),
    'MobileNetV3': (dict(type='MobileNetV3', out_indices=(1, 3, 8, 12)), (576, 8), (24, 48, 576)),
    'ConvNeXt': (
        dict(
            type='mmpretrain.ConvNeXt',
            arch=dict(depths=[1, 1, 1, 1], channels=[8, 16, 32, 64]),
            out_indices=(0, 1, 2, 3),
            gap_before_final_norm=False,
        ),
        (64, 32),
        (16, 32, 64),
    ),
    'MiT': (dict(type='MixVisionTransformer', embed_dims=4, num_layers=[1] * 4), (32, 32), (8, 16, 32)),
    'Swin': (
        dict(type='SwinTransformer', embed_dims=6, depths=(1, 1, 1, 1), num_heads=(1, 2, 3, 6), window_size=4),
        (48, 32),
        (12, 24, 48),
    ),
    'ViT': (
        dict(type='VisionTransformer', img_size=64, embed_dims=12, num_layers=2, num_heads=2, out_indices=(0, 1)),
        (12, 16),
        (12, 12),
    ),
    'HRNet': (dict(type='HRNet', extra=HRNET), (32, 32), (8, 16, 32)),
    # From coarse to fine: the classifier takes the last, finest map, AffinityNet the two that are not finer than its
    # grid.
    'UNet': (dict(type='UNet', base_channels=4), (4, 1), (64, 32)),
    'timm': (
        dict(type='TIMMBackbone', model_name='convnext_atto', pretrained=False, depths=[1] * 4, dims=[8, 16, 32, 64]),
        (64, 32),
        (16, 32, 64),
    ),
}
PACKAGES = {'ConvNeXt': 'mmpretrain', 'timm': 'timm'}
SIZE = (64, 96)


@pytest.fixture(params=BACKBONES)
def case(request):
    package = PACKAGES.get(request.param)
    if package and find_spec(package) is None:
        pytest.skip(f'{package} is not installed, which has this backbone')
    torch.manual_seed(0)
    return BACKBONES[request.param]


def build(config, stride):
    divisor = dict(size_divisor=max(stride, 16))
    preprocessor = dict(type='SegDataPreProcessor', mean=[127.5] * 3, std=[60.0] * 3, **divisor, test_cfg=divisor)
    model = MODELS.build(dict(config, data_preprocessor=preprocessor))
    model.init_weights()
    return model


def images(size=SIZE):
    made = torch.randint(0, 256, (2, 3, size[0] // 8, size[1] // 8), dtype=torch.uint8)
    return list(made.repeat_interleave(8, 2).repeat_interleave(8, 3))


def samples(size=SIZE, **fields):
    made = []
    for _ in range(2):
        sample = SegDataSample(metainfo=dict(img_shape=size, img_path='p.jpg'))
        for name, value in fields.items():
            sample.set_field(value, name)
        made.append(sample)
    return made


def train_one_iteration(model, data):
    """In bfloat16, as the configs train on a CPU."""
    optimizer = torch.optim.SGD([parameter for parameter in model.parameters() if parameter.requires_grad], lr=0.01)
    wrapper = OPTIM_WRAPPERS.build(dict(type='mmwsss.BFloat16OptimWrapper', optimizer=optimizer))
    before = {name: value.clone() for name, value in model.named_parameters()}
    loss = model.train().train_step(data, wrapper)['loss']
    assert torch.isfinite(loss) and loss > 0
    changed = [name for name, value in model.named_parameters() if not torch.equal(value, before[name])]
    assert any(name.startswith('head.') for name in changed)
    assert any(name.startswith('backbone.') for name in changed)
    model.eval()


def test_classifier(case):
    backbone, (channels, stride), _ = case
    config = dict(
        type='mmwsss.CAMClassifier',
        backbone=backbone,
        head=dict(type='mmwsss.CAMHead', num_classes=3),
        test_cfg=dict(scales=(1, 1.5), flip=True, seed_stride=4),
    )
    model = build(config, stride)
    assert model.head.in_channels == channels
    train_one_iteration(
        model, dict(inputs=images(), data_samples=samples(gt_label=LabelData(score=torch.tensor([1.0, 0, 1]))))
    )
    size = (50, 90)
    data = dict(inputs=[images((56, 96))[0][:, : size[0], : size[1]]])
    labels = dict(gt_label=LabelData(score=torch.tensor([1.0, 0, 1])))
    (sample,) = model.test_step(dict(data, data_samples=samples(size, **labels)[:1]))
    seeds = sample.seeds
    assert seeds.class_ids.tolist() == [1, 3] and seeds.cams.shape == (2, 13, 23)
    assert np.isfinite(seeds.cams).all() and 0 <= seeds.cams.min() <= seeds.cams.max() <= 1
    (fused,) = fuse_conv_bn(model).test_step(dict(data, data_samples=samples(size, **labels)[:1]))
    np.testing.assert_allclose(fused.seeds.cams, seeds.cams, atol=2e-3)
    torch.testing.assert_close(fused.label_scores, sample.label_scores, atol=1e-4, rtol=0)


def test_affinity_net(case):
    backbone, (_, stride), taps = case
    config = dict(
        type='mmwsss.AffinityNet',
        backbone=backbone,
        head=dict(type='mmwsss.AffinityHead', radius=3),
    )
    model = build(config, stride)
    assert tuple(projection[0].in_channels for projection in model.head.projections) == taps
    assert model.head.mix.in_channels == sum((64, 128, 256)[-len(taps) :])
    label_map = torch.zeros(1, *SIZE, dtype=torch.int64)
    label_map[:, :, SIZE[1] // 2 :] = 1
    train_one_iteration(model, dict(inputs=images(), data_samples=samples(gt_sem_seg=PixelData(data=label_map))))
    size = (50, 90)
    image = images((56, 96))[0][:, : size[0], : size[1]]
    (sample,) = model.test_step(dict(inputs=[image], data_samples=samples(size)[:1]))
    affinity = sample.affinity
    assert affinity.grid == (7, 12) and (affinity.covered_size, affinity.stride) == (size, 8)
    assert torch.isfinite(affinity.field).all() and 0 <= affinity.field.min() <= affinity.field.max() <= 1
