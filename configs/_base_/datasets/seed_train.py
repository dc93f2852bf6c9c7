# Step 1: photographs with image-level labels. A config that inherits this sets the data set and the sizes.
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(
        type='RandomChoiceResize',
        scales=[(side, side) for side in range(288, 481, 32)],
        keep_ratio=True,
        resize_type='Resize',
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='RandomCropOrPad', crop_size=(320, 320), pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackWeakInputs'),
]
test_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale=(320, 320), keep_ratio=True),
    dict(type='PackWeakInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='RepeatFactorSampler', shuffle=True),
    dataset=dict(type='ImageLabelDataset', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='ImageLabelDataset', pipeline=test_pipeline, test_mode=True),
)
val_evaluator = dict(type='MultiLabelMetric')
val_cfg = dict(type='ValLoop', fp16=True)
