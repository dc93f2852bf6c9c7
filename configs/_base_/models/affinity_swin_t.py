# AffinityNet on Swin-T. It reads the outputs at strides 8, 16 and 32.
model = dict(
    type='mmwsss.AffinityNet',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=32,
        test_cfg=dict(size_divisor=32),
    ),
    backbone=dict(type='SwinTransformer', drop_path_rate=0.2),
    head=dict(type='mmwsss.AffinityHead', stride=8, radius=5),
)
