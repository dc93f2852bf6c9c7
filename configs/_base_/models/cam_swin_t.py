# Multi-label classifier on Swin-T, over its last output, at stride 32.
model = dict(
    type='mmwsss.CAMClassifier',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=32,
    ),
    backbone=dict(type='SwinTransformer', drop_path_rate=0.2),
    head=dict(type='mmwsss.CAMHead', dropout_ratio=0.0),
    test_cfg=dict(scales=(1.0, 0.5, 1.5, 2.0), flip=True, seed_stride=3),
)
