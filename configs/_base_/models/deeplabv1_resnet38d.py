# DeepLabV1 on ResNet-38: one dilated convolution between the last features and the classes.
model = dict(
    type='EncoderDecoder',
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
    backbone=dict(type='mmwsss.ResNet38d', frozen_stages=2, dropout_ratios=(0.3, 0.5)),
    decode_head=dict(
        type='FCNHead',
        in_channels=4096,
        in_index=2,
        channels=512,
        num_convs=1,
        dilation=12,
        concat_input=False,
        dropout_ratio=0.5,
        align_corners=False,
        loss_decode=dict(type='mmwsss.CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0, avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
