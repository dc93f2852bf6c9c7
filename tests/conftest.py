"""Tiny images, data sets and networks that the tests of several packages share."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

# Tiny networks gain nothing from threads, and processes that share few cores lose much.
os.environ.setdefault('OMP_NUM_THREADS', '1')

CLASSES = ('background', 'disc', 'stripe', 'box')


@pytest.fixture(params=['cpu', pytest.param('cuda', marks=pytest.mark.cuda)])
def device(request, monkeypatch):
    """Each device that results must be the same on; CUDA in float32, not in TF32, which is off by 1e-3."""
    import torch

    if request.param == 'cuda':
        if not torch.cuda.is_available():
            pytest.skip('no CUDA device')
        monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)
        monkeypatch.setattr(torch.backends.cuda.matmul, 'allow_tf32', False)
    return torch.device(request.param)


@pytest.fixture
def mmseg_scope():
    """Lets component configs name their types as in a config file."""
    from mmengine.registry import DefaultScope

    import mmwsss.registry  # noqa: F401

    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


@pytest.fixture
def plain_config_text(monkeypatch):
    """Configs are dumped without being laid out, which takes longer than most runs of a tiny network."""
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', lambda text, **settings: (text, True))


@pytest.fixture
def make_image():
    """``make_image(size, seed)``: a smooth random BGR image that JPEG keeps well."""
    import cv2

    def make(size=(40, 56), seed=0):
        coarse = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)

    return make


@pytest.fixture
def image_set(tmp_path, make_image):
    """``image_set(labels, sizes=...)`` writes a data set and gives its config, paths and masks.

    ``labels`` holds the class names of each image, whose ids are ``p0``, ``sub/p1``, ``p2`` and so on. The background
    is class 0 if the first class has this name.
    """
    import cv2

    from mmwsss.fileio import write_mask

    def make(labels, sizes=((40, 56),), classes=CLASSES, root=tmp_path / 'set'):
        ids = [f'sub/p{index}' if index % 2 else f'p{index}' for index in range(len(labels))]
        masks, background = {}, [name for name in classes[:1] if name == 'background']
        for index, (image_id, names) in enumerate(zip(ids, labels, strict=True)):
            size = sizes[index % len(sizes)]
            path = root / 'images' / f'{image_id}.jpg'
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), make_image(size, index))
            present = [classes.index(name) for name in (*background, *names)]
            columns = np.arange(size[1]) * max(len(present), 1) // size[1]
            row = np.array(present or [255], np.uint8)[columns]
            masks[image_id] = np.tile(row, (size[0], 1))
            masks[image_id][:2] = 255
            write_mask(root / 'masks' / f'{image_id}.png', masks[image_id], [(i, 255 - i, i) for i in range(256)])
        (root / 'list.txt').write_text(''.join(f'{image_id}\n' for image_id in ids))
        (root / 'labels.json').write_text(json.dumps(dict(zip(ids, labels, strict=True))))
        dataset = dict(
            type='BaseSegDataset',
            data_root=str(root),
            ann_file='list.txt',
            data_prefix=dict(img_path='images', seg_map_path='masks'),
            metainfo=dict(classes=classes),
        )
        return SimpleNamespace(
            root=Path(root), ids=ids, masks=masks, dataset=dataset, labels=str(root / 'labels.json'), classes=classes
        )

    return make


def tiny_backbone(**settings):
    """A ResNet of 8 to 64 channels at stride 8."""
    return dict(
        type='ResNetV1c',
        depth=18,
        base_channels=8,
        stem_channels=8,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=True,
        **settings,
    )


@pytest.fixture
def cam_config():
    """``cam_config(num_classes, **test_cfg)``: config of a tiny CAMClassifier."""

    def make(num_classes=3, **test_cfg):
        return dict(
            type='mmwsss.CAMClassifier',
            backbone=tiny_backbone(),
            head=dict(type='mmwsss.CAMHead', in_channels=64, num_classes=num_classes, dropout_ratio=0.0),
            data_preprocessor=dict(
                type='SegDataPreProcessor', mean=[127.5] * 3, std=[60.0] * 3, bgr_to_rgb=True, size_divisor=8
            ),
            test_cfg=test_cfg or None,
        )

    return make


@pytest.fixture
def affinity_config():
    """``affinity_config(head=..., **settings)``: config of a tiny AffinityNet."""

    def make(head=None, **settings):
        return dict(
            type='mmwsss.AffinityNet',
            backbone=tiny_backbone(),
            head=dict(
                type='mmwsss.AffinityHead',
                in_channels=(16, 32, 64),
                in_index=(1, 2, 3),
                channels=(4, 8, 16),
                radius=3,
                **(head or {}),
            ),
            data_preprocessor=dict(
                type='SegDataPreProcessor',
                mean=[127.5] * 3,
                std=[60.0] * 3,
                bgr_to_rgb=True,
                size_divisor=8,
                test_cfg=dict(size_divisor=8),
            ),
            **settings,
        )

    return make


@pytest.fixture
def slow_miou():
    """``slow_miou(truths, predictions, num_classes)``: pixel by pixel, over the classes that occur; 255 is no class."""

    def miou(truths, predictions, num_classes=4):
        hits, union = np.zeros(num_classes), np.zeros(num_classes)
        for truth, prediction in zip(truths, predictions, strict=True):
            valid = truth != 255
            for index in range(num_classes):
                hits[index] += (valid & (truth == index) & (prediction == index)).sum()
                union[index] += (valid & ((truth == index) | (prediction == index))).sum()
        return 100 * np.mean(hits[union > 0] / union[union > 0])

    return miou
