# Scenes are small and of one size: no resizing, no cropping, and a test in batches.
_base_ = './scenes.py'
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='RandomFlip', prob=[0.3, 0.3], direction=['horizontal', 'vertical']),
    dict(type='mmwsss.PackWeakInputs'),
]
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
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
        image_labels={{_base_.image_labels}},
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
        image_labels={{_base_.image_labels}},
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
        dataset={{_base_.train_dataset}},
        image_labels={{_base_.image_labels}},
        mask_list={{_base_.mask_list}},
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
val_evaluator = dict(type='mmwsss.MultiLabelMetric')
val_cfg = dict(type='ValLoop', fp16=True)
# The affinity labels are made by two exponents of the background, a strong and a weak one.
test_cfg = dict(
    type='mmwsss.LabelLoop',
    fp16=True,
    num_workers=1,
    chains=dict(
        affinity_labels=dict(labeler=dict(type='mmwsss.AffinityLabeler', alpha_low=4, alpha_high=32)),
        cam_dcrf=dict(
            refiners=[dict(type='mmwsss.Background', score=0.2), dict(type='mmwsss.DenseCRF')],
            labeler=dict(type='mmwsss.ArgmaxLabeler'),
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.SeedMetric', background_score=0.2, output_dir='seeds'),
    dict(type='mmwsss.AffinityLabelMetric', chain='affinity_labels', output_dir='affinity_labels'),
    dict(type='mmwsss.PseudoMaskMetric', chain='cam_dcrf', prefix='cam_dcrf'),
]
