# DeepLabV3+ with depthwise separable convolutions on an ImageNet EfficientNet-Lite1. The head sees the level of stride
# 16 beside the last one, of stride 32. With dilations in place of that stride, a step on a CPU takes about twice as
# long.
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=32,
        test_cfg=dict(size_divisor=32),
    ),
    backbone=dict(
        type='mmwsss.EfficientNetLite',
        arch='lite1',
        out_indices=(1, 2, 4, 6),
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint='registry://efficientnet-lite1'),
    ),
    decode_head=dict(
        type='DepthwiseSeparableASPPHead',
        in_channels=(112, 320),
        in_index=(2, 3),
        input_transform='resize_concat',
        channels=128,
        dilations=(1, 6, 12),
        c1_in_channels=24,
        c1_channels=32,
        dropout_ratio=0.1,
        norm_cfg=dict(type='BN', requires_grad=True),
        align_corners=False,
        loss_decode=dict(type='mmwsss.CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0, avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
