# DeepLabV1 on VGG-16: one dilated convolution between the last features and the classes.
model = dict(
    type='EncoderDecoder',
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
    backbone=dict(type='mmwsss.VGG16LargeFOV', fc6_dilation=1, frozen_stages=2, dropout_ratio=0.5),
    decode_head=dict(
        type='FCNHead',
        in_channels=1024,
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
