# AffinityNet on the ResNet-50 of cam_resnet50.py. It reads the outputs at strides 8, 16 and 16.
model = dict(
    type='mmwsss.AffinityNet',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=16,
        test_cfg=dict(size_divisor=16),
    ),
    backbone=dict(
        type='ResNet',
        depth=50,
        strides=(1, 2, 2, 1),
        frozen_stages=2,
        norm_eval=True,
    ),
    head=dict(type='mmwsss.AffinityHead', stride=8, radius=5),
)
