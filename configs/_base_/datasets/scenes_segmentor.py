# Scenes are small and of one size: no resizing, no cropping, and a test in batches.
_base_ = './scenes.py'
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadLabelMap', source='pseudo_mask'),
    dict(type='RandomFlip', prob=[0.3, 0.3], direction=['horizontal', 'vertical']),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmwsss'),
    dict(type='LoadAnnotations'),
    dict(type='mmwsss.PackWeakInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='mmwsss.ImageLabelDataset',
        dataset={{_base_.train_dataset}},
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='mmwsss.ImageLabelDataset',
        dataset={{_base_.val_dataset}},
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='mmwsss.ImageLabelDataset',
        dataset={{_base_.val_dataset}},
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
val_evaluator = dict(type='mmwsss.SegmentorMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop', fp16=True)
test_cfg = dict(type='TestLoop', fp16=True)
