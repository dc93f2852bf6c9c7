# AffinityNet's classifier on ResNet-38, as its released code has it. The weights of ImageNet come from
# tools/model_converters/published2mmwsss.py; a config names them in init_cfg of the backbone.
model = dict(
    type='mmwsss.CAMClassifier',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=8,
    ),
    backbone=dict(type='mmwsss.ResNet38d', frozen_stages=2, dropout_ratios=(0.3, 0.5)),
    head=dict(type='mmwsss.CAMHead', in_channels=4096, dropout_ratio=0.5, pool='before'),
    test_cfg=dict(scales=(1.0, 0.5, 1.5, 2.0), flip=True, seed_stride=3),
)
