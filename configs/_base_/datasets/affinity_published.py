# The published recipe of AffinityNet, at the images' own size, and what is made with it: pseudo masks.
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadLabelMap', source='affinity_label'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion', contrast_range=(0.7, 1.3), saturation_range=(0.7, 1.3)),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(448, 448), pad_val=(103.53, 116.28, 123.675)),
    dict(type='mmwsss.PackWeakInputs'),
]
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadSeeds'),
    dict(type='mmwsss.PackWeakInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=test_pipeline, test_mode=True),
)
test_cfg = dict(
    type='mmwsss.LabelLoop',
    fp16=True,
    num_workers=4,
    chains=dict(
        pseudo_masks=dict(
            refiners=[
                dict(type='mmwsss.RandomWalk', beta=8, alpha=16, num_steps=256),
                # The paper has it, the released code has not.
                dict(type='mmwsss.DenseCRF'),
            ],
            labeler=dict(type='mmwsss.ArgmaxLabeler'),
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', num_refiners=1, prefix='random_walk'),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='random_walk_dcrf', output_dir='pseudo_masks'),
]
