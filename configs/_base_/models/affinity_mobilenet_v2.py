# AffinityNet on a frozen MobileNetV2, that of cam_mobilenet_v2.py. Its deep levels, at stride 16, are resized to the
# grid of stride 8; at stride 8 of their own they would need a backbone that is trained with the dilations.
model = dict(
    type='mmwsss.AffinityNet',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=8,
        test_cfg=dict(size_divisor=8),
    ),
    freeze_backbone=True,
    backbone=dict(
        type='MobileNetV2',
        out_indices=(1, 2, 4, 6),
        strides=(1, 2, 2, 2, 1, 1, 1),
        dilations=(1, 1, 1, 1, 1, 2, 2),
        norm_eval=True,
    ),
    head=dict(
        type='mmwsss.AffinityHead',
        in_channels=(24, 32, 96, 320),
        in_index=(0, 1, 2, 3),
        channels=(32, 32, 128, 256),
        stride=8,
    ),
)
