# Scenes are of one size, so they are inferred in batches.
test_pipeline = [dict(type='LoadPhoto'), dict(type='PackWeakInputs')]
test_dataloader = dict(
    batch_size=16,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='ImageLabelDataset', pipeline=test_pipeline, test_mode=True),
)
test_cfg = dict(type='TestLoop', fp16=True)
