# Step 4: photographs with the seeds of step 2.
test_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadSeeds'),
    dict(type='Resize', scale=(320, 320), keep_ratio=True),
    dict(type='PackWeakInputs'),
]
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='ImageLabelDataset', pipeline=test_pipeline, test_mode=True),
)
test_cfg = dict(type='TestLoop', fp16=True)
