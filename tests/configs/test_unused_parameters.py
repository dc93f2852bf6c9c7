"""What a network of the configs does not use in training: several processes wait for its gradient without being told."""

from pathlib import Path

import pytest
import torch
from mmengine.structures import LabelData, PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmwsss.engine.launch import load_config

CONFIGS = Path(__file__).parents[2] / 'configs/affinitynet'
NETWORKS = ('mobilenet_v2', 'resnet38d', 'vgg16', 'resnet50', 'mit_b1', 'swin_t')
LEAVES = [CONFIGS / f'voc12/{network}/{stage}.py' for stage in ('cam', 'affinity') for network in NETWORKS]
# The segmentors of the last two are that of ResNet-50.
LEAVES += [CONFIGS / f'voc12/{network}/segmentor.py' for network in NETWORKS[:4]]
LEAVES += sorted(CONFIGS.glob('voc12/*/segmentor_*_*.py'))
# Other methods.
LEAVES += [
    CONFIGS.parent / leaf
    for leaf in ('irnet/voc12/resnet50/affinity.py', 'layercam/voc12/resnet50/cam.py', 'seam/voc12/resnet38d/cam.py')
]


def without_weights(config):
    """A config of a model whose weights are not on this disk."""
    if isinstance(config, dict):
        return {key: None if key == 'init_cfg' else without_weights(value) for key, value in config.items()}
    return [without_weights(value) for value in config] if isinstance(config, list | tuple) else config


@pytest.mark.usefixtures('mmseg_scope')
@pytest.mark.parametrize('leaf', LEAVES, ids=lambda path: f'{path.parts[-4]}-{path.parent.name}-{path.stem}')
def test_parameters_without_gradient_are_announced(leaf):
    cfg = load_config(str(leaf))
    model = MODELS.build(without_weights(cfg.model.to_dict())).train()
    samples = [SegDataSample(metainfo=dict(img_shape=(64, 64))) for _ in range(2)]
    for sample in samples:
        sample.gt_label = LabelData(score=torch.arange(20) % 2.0)
        sample.gt_sem_seg = PixelData(data=torch.arange(64 * 64).reshape(1, 64, 64) // 1000)
    losses = model(torch.randn(2, 3, 64, 64), samples, mode='loss')
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    unused = [name for name, value in model.named_parameters() if value.requires_grad and value.grad is None]
    assert bool(unused) == bool(cfg.get('find_unused_parameters')), unused
