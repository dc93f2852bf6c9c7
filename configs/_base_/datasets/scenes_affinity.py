# Scenes are small and of one size: no resizing, no cropping, and a test in batches.
_base_ = './scenes.py'
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadLabelMap', source='affinity_label'),
    dict(type='RandomFlip', prob=[0.3, 0.3], direction=['horizontal', 'vertical']),
    dict(type='mmwsss.PackWeakInputs'),
]
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadSeeds'),
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
test_dataloader = dict(
    batch_size=16,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='mmwsss.ImageLabelDataset',
        dataset={{_base_.train_dataset}},
        image_labels={{_base_.image_labels}},
        mask_list={{_base_.mask_list}},
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_cfg = dict(
    type='mmwsss.LabelLoop',
    fp16=True,
    num_workers=1,
    chains=dict(
        pseudo_masks=dict(
            refiners=[
                dict(type='mmwsss.RandomWalk', beta=16, alpha=32, num_steps=16),
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
