# Multi-label classifier on a slim ResNet-18 of three stages at stride 8, trained from scratch.
model = dict(
    type='mmwsss.CAMClassifier',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[64.0, 64.0, 64.0],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=8,
    ),
    backbone=dict(
        type='ResNetV1c',
        depth=18,
        num_stages=3,
        strides=(1, 2, 1),
        dilations=(1, 1, 1),
        out_indices=(0, 1, 2),
        stem_channels=16,
        base_channels=16,
        norm_cfg=dict(type='BN'),
        style='pytorch',
    ),
    head=dict(type='mmwsss.CAMHead', in_channels=64, dropout_ratio=0.0),
    test_cfg=dict(scales=(1.0,), flip=True, seed_stride=4, size_divisor=8),
)
