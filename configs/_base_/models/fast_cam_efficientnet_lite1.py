# A linear classifier on a frozen EfficientNet-Lite1 of ImageNet, at stride 32. Refiners get its fourth level, of 80
# channels at stride 16.
model = dict(
    type='mmwsss.CAMClassifier',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(
        type='mmwsss.EfficientNetLite',
        arch='lite1',
        out_indices=(3, 7),
        frozen_stages=8,
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint='registry://efficientnet-lite1'),
    ),
    head=dict(type='mmwsss.CAMHead', in_channels=1280, dropout_ratio=0.0, bias=True),
    feature_index=0,
    # Long sides of 448, 224 and 640 pixels; features are those of the first.
    test_cfg=dict(scales=(0.7, 0.35, 1.0), flip=False, seed_stride=4),
)
