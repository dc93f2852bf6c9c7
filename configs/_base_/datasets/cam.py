# The classifier's images, at a long side of about 320 pixels, and what is made with it: seeds and affinity labels.
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='RandomResize', scale=(384, 384), ratio_range=(0.75, 1.25), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(320, 320), pad_val=(127.5, 127.5, 127.5)),
    dict(type='mmwsss.PackWeakInputs'),
]
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='Resize', scale=(320, 320), keep_ratio=True),
    dict(type='mmwsss.PackWeakInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='mmwsss.RepeatFactorSampler', oversample_thr=0, shuffle=True),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=test_pipeline, test_mode=True),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=test_pipeline, test_mode=True),
)
val_evaluator = dict(type='mmwsss.MultiLabelMetric')
val_cfg = dict(type='ValLoop', fp16=True)
# The affinity labels are made by two exponents of the background, a strong and a weak one.
test_cfg = dict(
    type='mmwsss.LabelLoop',
    fp16=True,
    num_workers=2,
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
