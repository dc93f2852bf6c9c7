# AffinityNet's images, at a long side of about 320 pixels, and what is made with it: pseudo masks.
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadLabelMap', source='affinity_label'),
    dict(type='RandomResize', scale=(320, 320), ratio_range=(0.8, 1.2), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(256, 256), pad_val=(127.5, 127.5, 127.5)),
    dict(type='mmwsss.PackWeakInputs'),
]
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadSeeds'),
    dict(type='Resize', scale=(320, 320), keep_ratio=True),
    dict(type='mmwsss.PackWeakInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
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
    num_workers=2,
    chains=dict(
        pseudo_masks=dict(
            refiners=[
                dict(type='mmwsss.RandomWalk', beta=10, alpha=4, num_steps=256),
                # A narrower appearance kernel and fewer iterations than those of the affinity labels.
                dict(type='mmwsss.DenseCRF', num_iters=5, bilateral=(60, 4, 8)),
            ],
            # The segmentor ignores pixels whose two best classes are this close.
            labeler=dict(type='mmwsss.ArgmaxLabeler', margin=0.2),
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', num_refiners=1, prefix='random_walk'),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='random_walk_dcrf', output_dir='pseudo_masks'),
]
