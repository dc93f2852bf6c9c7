# AffinityNet on ResNet-38, as its released code has it. It starts from the weights of ImageNet, not from those of the
# classifier: that is what gives the published figures.
model = dict(
    type='mmwsss.AffinityNet',
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
    head=dict(type='mmwsss.AffinityHead', in_channels=(512, 1024, 4096), channels=(64, 128, 256), stride=8, radius=5),
)
