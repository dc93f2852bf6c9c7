"""What the three tiny stages share: images of 64 pixels, networks of a few channels, two iterations."""

default_scope = 'mmseg'
custom_imports = dict(imports=['mmwsss.registry'], allow_failed_imports=False)
log_level = 'ERROR'
randomness = dict(seed=0)
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=1, log_metric_by_epoch=False),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2),
    channels_last=dict(type='mmwsss.ChannelsLastHook'),
    evaluation_precision=dict(type='mmwsss.EvaluationPrecisionHook'),
    fuse_conv_bn=dict(type='mmwsss.FuseConvBNHook'),
    final=dict(type='mmwsss.FinalCheckpointHook'),
    classes=dict(type='mmwsss.CheckClassesHook'),
)
log_processor = dict(by_epoch=False)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2, val_interval=1000)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))
model = dict(
    backbone=dict(
        type='ResNetV1c',
        depth=18,
        base_channels=8,
        stem_channels=8,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        norm_cfg=dict(type='BN', requires_grad=True),
    ),
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5] * 3,
        std=[60.0] * 3,
        bgr_to_rgb=True,
        size_divisor=8,
        test_cfg=dict(size_divisor=8),
    ),
)
