import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmwsss.ops import dense_crf

pytestmark = pytest.mark.usefixtures('mmseg_scope')

SEGMENTOR = dict(
    type='EncoderDecoder',
    backbone=dict(type='MobileNetV2', out_indices=(6,)),
    decode_head=dict(type='FCNHead', in_channels=320, channels=320, num_classes=4, num_convs=0, concat_input=False),
)
CRF = dict(type='mmwsss.DenseCRF', num_iters=3, gaussian=(2, 4), bilateral=(20, 9, 6))


@pytest.fixture
def image_path(make_image, tmp_path):
    path = str(tmp_path / 'image.png')
    cv2.imwrite(path, make_image((21, 34)))
    return path


def variants(image_path, logits):
    return [
        SegDataSample(
            seg_logits=PixelData(data=value),
            gt_sem_seg=PixelData(data=torch.zeros(1, 21, 34)),
            metainfo=dict(img_path=image_path),
        )
        for value in logits
    ]


def test_the_mean_is_refined(image_path):
    logits = torch.randn(3, 4, 21, 34, generator=torch.Generator().manual_seed(0))
    logits[:, 2] = -9
    model = MODELS.build(dict(type='mmwsss.DenseCRFTTAModel', module=SEGMENTOR, dense_crf=CRF))
    (merged,) = model.merge_preds([variants(image_path, logits)])
    scores = logits.softmax(1).mean(0)[[0, 1, 3]]
    image = cv2.cvtColor(cv2.imread(image_path), cv2.COLOR_BGR2RGB)
    expected = np.array([0, 1, 3])[dense_crf(image, scores, 3, (2, 4), (20, 9, 6)).argmax(0)]
    prediction = merged.pred_sem_seg.data.numpy()
    np.testing.assert_array_equal(prediction, expected[None])
    plain = MODELS.build(dict(type='SegTTAModel', module=SEGMENTOR)).merge_preds([variants(image_path, logits)])
    assert (plain[0].pred_sem_seg.data.numpy() != prediction).any()
    assert merged.gt_sem_seg.data.shape == (1, 21, 34)


def test_a_segmentor_with_one_channel_is_refused():
    head = dict(SEGMENTOR['decode_head'], num_classes=2, out_channels=1, threshold=0.5)
    head['loss_decode'] = dict(type='CrossEntropyLoss', use_sigmoid=True)
    with pytest.raises(ValueError, match='a channel a class'):
        MODELS.build(dict(type='mmwsss.DenseCRFTTAModel', module=dict(SEGMENTOR, decode_head=head), dense_crf=CRF))
