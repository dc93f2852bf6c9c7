# Multi-label classifier on an ImageNet EfficientNet-Lite1 at stride 16, on the 1,280 channels of its last convolution.
model = dict(
    type='mmwsss.CAMClassifier',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=16,
    ),
    backbone=dict(
        type='mmwsss.EfficientNetLite',
        arch='lite1',
        out_indices=(7,),
        output_stride=16,
        frozen_stages=2,
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint='registry://efficientnet-lite1'),
    ),
    head=dict(type='mmwsss.CAMHead', in_channels=1280, dropout_ratio=0.5),
    test_cfg=dict(scales=(0.5, 1.25, 2.0), flip=True, seed_stride=3),
)
