# AffinityNet on a frozen EfficientNet-Lite1, that of cam_efficientnet_lite1.py. Its deep levels, at stride 16, are
# resized to the grid of stride 8; at stride 8 of their own they would need a backbone that is trained with the
# dilations.
model = dict(
    type='mmwsss.AffinityNet',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=8,
        test_cfg=dict(size_divisor=8),
    ),
    freeze_backbone=True,
    backbone=dict(
        type='mmwsss.EfficientNetLite',
        arch='lite1',
        out_indices=(1, 2, 4, 6),
        output_stride=16,
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint='registry://efficientnet-lite1'),
    ),
    head=dict(
        type='mmwsss.AffinityHead',
        in_channels=(24, 40, 112, 320),
        in_index=(0, 1, 2, 3),
        channels=(32, 32, 128, 256),
        stride=8,
    ),
)
