# AffinityNet on VGG-16, as its released code has it: fc6 sees further, and each projection has a GroupNorm.
model = dict(
    type='mmwsss.AffinityNet',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[104.008, 116.669, 122.675],
        std=[1.0, 1.0, 1.0],
        bgr_to_rgb=False,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=8,
        test_cfg=dict(size_divisor=8),
    ),
    backbone=dict(type='mmwsss.VGG16LargeFOV', fc6_dilation=4, frozen_stages=2, dropout_ratio=0.5),
    head=dict(
        type='mmwsss.AffinityHead',
        in_channels=(512, 512, 1024),
        channels=(64, 128, 256),
        norm_cfg=[dict(type='GN', num_groups=groups) for groups in (8, 16, 32)],
        stride=8,
        radius=5,
    ),
)
