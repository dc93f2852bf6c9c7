# A linear classifier of pixels on three levels of a frozen EfficientNet-Lite1 of ImageNet, at stride 16. It learns what
# most pseudo masks agree on: it has too few weights to repeat their errors.
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=16,
        test_cfg=dict(size_divisor=16),
    ),
    backbone=dict(
        type='mmwsss.EfficientNetLite',
        arch='lite1',
        out_indices=(3, 4, 6),
        output_stride=16,
        frozen_stages=7,
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint='registry://efficientnet-lite1'),
    ),
    decode_head=dict(
        type='mmwsss.LinearHead',
        in_channels=(80, 112, 320),
        in_index=(0, 1, 2),
        align_corners=False,
        loss_decode=dict(type='mmwsss.CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0, avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
