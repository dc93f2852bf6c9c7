# Scenes are small and of one size: no resizing, no cropping. Each step's config names
# what it loads beside the photograph.
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='RandomFlip', prob=[0.3, 0.3], direction=['horizontal', 'vertical']),
    dict(type='PackWeakInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(type='ImageLabelDataset', pipeline=train_pipeline),
)
