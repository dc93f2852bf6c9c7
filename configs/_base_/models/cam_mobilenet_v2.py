# Multi-label classifier on an ImageNet MobileNetV2 at stride 16.
model = dict(
    type='mmwsss.CAMClassifier',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=16,
    ),
    backbone=dict(
        type='MobileNetV2',
        out_indices=(6,),
        strides=(1, 2, 2, 2, 1, 1, 1),
        dilations=(1, 1, 1, 1, 1, 2, 2),
        frozen_stages=2,
        norm_eval=True,
    ),
    head=dict(
        type='mmwsss.CAMHead',
        in_channels=320,
        expand=dict(
            type='ConvModule',
            out_channels=1280,
            kernel_size=1,
            norm_cfg=dict(type='BN'),
            act_cfg=dict(type='ReLU6'),
        ),
        dropout_ratio=0.5,
    ),
    test_cfg=dict(scales=(0.5, 1.25, 2.0), flip=True, seed_stride=3),
)
