# Step 5: photographs with the pseudo masks of step 4; validation and test on true masks.
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadLabelMap', source='pseudo_mask'),
    dict(
        type='RandomChoiceResize',
        scales=[(side, side) for side in range(256, 385, 32)],
        keep_ratio=True,
        resize_type='Resize',
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='RandomCropOrPad', crop_size=(256, 256), pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale=(320, 320), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='PackWeakInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='RepeatFactorSampler', oversample_thr=0, shuffle=True),
    dataset=dict(type='ImageLabelDataset', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='SegmentorMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop', fp16=True)
test_cfg = dict(type='TestLoop', fp16=True)
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale=(side, side), keep_ratio=True) for side in (256, 320, 448)],
            [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackWeakInputs')],
        ],
    ),
]
tta_model = dict(type='SegTTAModel')
