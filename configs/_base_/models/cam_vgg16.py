# AffinityNet's classifier on VGG-16, as its released code has it: BGR less the mean of Caffe's weights, class scores
# pooled after the classifier, and the square root of the activation maps.
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[104.008, 116.669, 122.675],
    std=[1.0, 1.0, 1.0],
    bgr_to_rgb=False,
    pad_val=0,
    seg_pad_val=255,
    size_divisor=8,
)
model = dict(
    type='CAMClassifier',
    data_preprocessor=data_preprocessor,
    backbone=dict(type='VGG16LargeFOV', fc6_dilation=1, frozen_stages=2, dropout_ratio=0.5),
    head=dict(type='CAMHead', in_channels=1024, dropout_ratio=0.5, pool='after', cam_activation='sqrt'),
)
