"""MMSegmentation's own inference takes a segmentor whose test pipeline begins with our reader."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmwsss.apis import SegmentorInferencer
from mmwsss.fileio import read_image

CONFIG = Path(__file__).parents[1] / 'data' / 'stages' / 'segmentor.py'
CLASSES = ['background', 'disc', 'stripe']
PALETTE = [[0, 0, 0], [200, 0, 0], [0, 200, 0]]

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def segmentor(tmp_path):
    """The files of a config and of random weights."""
    config = Config.fromfile(CONFIG)
    config.visualizer = dict(type='SegLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')])
    config.default_hooks = {}  # this test compares with a network as it is
    config.dump(tmp_path / 'segmentor.py')
    torch.manual_seed(1)
    network = MODELS.build(config.model)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    meta = dict(dataset_meta=dict(classes=CLASSES, palette=PALETTE))
    torch.save(dict(state_dict=network.state_dict(), meta=meta), tmp_path / 'final.pth')
    return str(tmp_path / 'segmentor.py'), str(tmp_path / 'final.pth')


@pytest.fixture
def image(tmp_path, make_image):
    cv2.imwrite(str(tmp_path / 'image.jpg'), make_image((48, 64)))
    return str(tmp_path / 'image.jpg')


@pytest.fixture
def expected(segmentor, image):
    (prediction,) = SegmentorInferencer(*segmentor, device='cpu', options={'test_cfg.fp16': False})(image)
    assert len(np.unique(prediction.mask)) > 1
    return prediction.mask


@pytest.mark.parametrize('given', ['file', 'array'])
def test_init_model_and_inference_model(segmentor, image, expected, given):
    from mmseg.apis import inference_model, init_model

    model = init_model(*segmentor, device='cpu')
    assert list(model.dataset_meta['classes']) == CLASSES
    result = inference_model(model, image if given == 'file' else read_image(image))
    np.testing.assert_array_equal(result.pred_sem_seg.data[0].numpy(), expected)


def test_the_inferencer_of_mmseg(segmentor, image, expected):
    from mmseg.apis import MMSegInferencer

    infer = MMSegInferencer(*segmentor, device='cpu')
    result = infer(image, show=False, return_datasamples=True)
    np.testing.assert_array_equal(result.pred_sem_seg.data[0].numpy(), expected)
