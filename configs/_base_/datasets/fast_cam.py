# The images of a linear classifier, each looked at once as it is, at a long side of 320 pixels, and what is made with
# it: seeds and features, at one of 640.
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='Resize', scale=(320, 320), keep_ratio=True),
    dict(type='mmwsss.PackWeakInputs'),
]
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='Resize', scale=(640, 640), keep_ratio=True),
    dict(type='mmwsss.PackWeakInputs'),
]
# Images of different sizes share no batch, so that none is padded.
train_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=train_pipeline, test_mode=True),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=test_pipeline, test_mode=True),
)
val_evaluator = dict(type='mmwsss.MultiLabelMetric')
val_cfg = dict(type='ValLoop')
# The features take 94 kB an image of 4 to 3.
test_cfg = dict(type='mmwsss.LabelLoop', fp16=True, num_workers=1, feature_dir='features')
test_evaluator = [dict(type='mmwsss.SeedMetric', background_score=0.3, output_dir='seeds')]
