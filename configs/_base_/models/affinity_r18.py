# AffinityNet on the slim ResNet-18 of cam_r18.py.
model = dict(
    type='mmwsss.AffinityNet',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[64.0, 64.0, 64.0],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=8,
        test_cfg=dict(size_divisor=8),
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
        norm_eval=True,
        style='pytorch',
    ),
    head=dict(type='mmwsss.AffinityHead', in_channels=(16, 32, 64), channels=(32, 32, 64), stride=8),
)
