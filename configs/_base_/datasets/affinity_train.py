# Step 3: photographs with the affinity labels of step 2.
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadLabelMap', source='affinity_label'),
    dict(
        type='RandomChoiceResize',
        scales=[(side, side) for side in range(256, 385, 32)],
        keep_ratio=True,
        resize_type='Resize',
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='RandomCropOrPad', crop_size=(256, 256), pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackWeakInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(type='ImageLabelDataset', pipeline=train_pipeline),
)
